package executor

import (
	"context"
	"errors"
	"io"
	"iter"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
)

// Errors of a Client.
type (
	// StatusError is an answer that is not the expected one; Body is the agent's explanation.
	StatusError = wire.StatusError

	// UndecodableError is an event that makes no sense. The ones after it may.
	UndecodableError = wire.UndecodableError
)

// ErrNoAnswer means that a call was sent and that nobody knows what became of it.
var ErrNoAnswer = wire.ErrNoAnswer

// Client is the executor API without a driver's promises, for those who prefer a loop to callbacks. It
// subscribes, encodes and decodes. It never subscribes again by itself, repeats no call, and keeps no
// updates.
//
// Its methods may be called from any goroutine.
type Client struct {
	wire *wire.Client // immutable
	env  Environment  // immutable
}

// NewClient makes a client. Close closes it.
func NewClient(cfg Config) (*Client, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	w, err := wire.NewClient(cfg.wireOptions())
	if err != nil {
		return nil, err
	}
	return &Client{wire: w, env: *cfg.Environment}, nil
}

// Environment is what the client's agent told it.
func (c *Client) Environment() Environment { return c.env }

// Events subscribes and gives the events of that subscription, from SUBSCRIBED on, until the context ends,
// the loop is left, or the agent is lost. It ends without an error only if the agent ended it on purpose.
// An UndecodableError takes the place of one event; any other error is the last thing in the sequence.
//
// An executor that subscribes again says which updates and tasks it has no acknowledgement for; unacknowledged
// may be nil if there are none.
func (c *Client) Events(ctx context.Context, unacknowledged *executorpb.Call_Subscribe) iter.Seq2[*executorpb.Event, error] {
	return func(yield func(*executorpb.Event, error) bool) {
		if unacknowledged == nil {
			unacknowledged = new(executorpb.Call_Subscribe)
		}
		stream, err := c.wire.Subscribe(ctx, c.identify(&executorpb.Call{
			Type:      executorpb.Call_SUBSCRIBE.Enum(),
			Subscribe: unacknowledged,
		}))
		if err != nil {
			yield(nil, err)
			return
		}
		defer stream.Close()
		for {
			ev := new(executorpb.Event)
			err := stream.Next(ev)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				ev = nil
			}
			_, skipped := errors.AsType[*UndecodableError](err)
			if !yield(ev, err) || err != nil && !skipped {
				return
			}
		}
	}
}

// Call makes a call, after filling the framework's and the executor's id in. It returns a StatusError when
// the agent has another answer than yes, and ErrNoAnswer when nobody knows.
func (c *Client) Call(ctx context.Context, call *executorpb.Call) error {
	return c.wire.Call(ctx, c.identify(call))
}

// Close closes the client's connection for calls. Events are ended by their context.
func (c *Client) Close() error { return c.wire.Close() }

// identify says in a call whose it is.
func (c *Client) identify(call *executorpb.Call) *executorpb.Call {
	call.FrameworkId = &mesos.FrameworkID{Value: new(c.env.FrameworkID)}
	call.ExecutorId = &mesos.ExecutorID{Value: new(c.env.ExecutorID)}
	return call
}
