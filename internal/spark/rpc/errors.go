package rpc

import (
	"errors"
	"fmt"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Errors of sending.
var (
	ErrStopped      = errors.New("the RPC environment is stopped")
	ErrDisconnected = errors.New("the connection is gone")
	ErrNoAddress    = errors.New("the endpoint has no address and came by no connection")
	ErrBacklog      = errors.New("the peer does not read: too much waits to be sent")
)

// RemoteError is what the other side answered to an ask in place of a result.
type RemoteError struct {
	Class   string // of the exception, empty if all we got was text
	Message string // its message, or the other side's stack trace
}

// Error gives the exception's class and message.
func (e *RemoteError) Error() string {
	if e.Class == "" {
		return e.Message
	}
	return e.Class + ": " + e.Message
}

// classFailure is how an endpoint answers with an exception: as a result that holds it.
const classFailure = "org.apache.spark.rpc.netty.RpcFailure"

// readResult reads the body of a response.
func readResult(body []byte, limits serial.Limits) (serial.Value, error) {
	v, err := serial.DecodeOne(body, limits)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if !serial.Is(v, classFailure) {
		return v, nil
	}
	e, err := serial.Get[*serial.Object](v.(*serial.Object), "e")
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	msg, _ := e.Get("detailMessage")
	text, _ := msg.(string)
	return nil, &RemoteError{Class: e.Class.String(), Message: text}
}
