package rpc

import (
	"errors"
	"fmt"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// Endpoint lives in an Env under a name. Its methods are called from the goroutines of connections, one
// at a time for each connection, and hold up what comes next on it: they take note and return.
type Endpoint interface {
	// Receive takes a message. If it is an ask (Asked), it has to be answered, now or later, by
	// anybody: a peer gives up the whole connection when an answer is missing for two minutes.
	Receive(*Message)

	// Event takes note that a peer has come or gone.
	Event(Event)
}

// EventKind tells events apart.
type EventKind int

// What can happen to a peer.
const (
	Connected    EventKind = iota + 1 // a connection is there, or its peer has advertised an address
	Disconnected                      // it is gone; told once for each address that Connected told
	Unreachable                       // it could not be dialled, what waited for it is lost
)

// Event says what happened to a peer. A peer has the address of its socket, and may advertise another in
// its messages: what happens is told for either.
type Event struct {
	Kind    EventKind
	Conn    endpoint.ConnID
	Address endpoint.Address
	Err     error
}

// Message is what another endpoint sent.
type Message struct {
	Sender  endpoint.Address // as it advertises itself; zero for a process that does not listen
	Conn    endpoint.ConnID  // by which it came: references inside are to be read with it
	Content serial.Value

	conn *conn
	id   int64
	ask  bool
}

// Asked tells whether the sender waits for an answer.
func (m *Message) Asked() bool { return m.ask }

// Reply answers an ask.
func (m *Message) Reply(content serial.Value) error {
	if !m.ask {
		return errors.New("reply to a message that asked for none")
	}
	body, err := serial.Encode(content)
	if err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	return m.conn.answer(frame{kind: kindResponse, id: m.id, body: body})
}

// Fail answers an ask with an error; for a one-way message there is nobody to tell.
func (m *Message) Fail(err error) error {
	if !m.ask {
		return nil
	}
	return m.conn.answer(frame{kind: kindFailure, id: m.id, text: "org.apache.spark.SparkException: " + err.Error()})
}

// deliver hands a message to its endpoint. What is wrong with a message costs the sender its ask; if it
// asked for nothing, all we can do is to say so. Bytes that are no message cost it the connection.
func (e *Env) deliver(c *conn, f frame) error {
	env, err := parseEnvelope(f.body)
	if err != nil {
		return errors.Join(err, c.refuse(f, err))
	}
	if c.sender.IsZero() && !env.sender.IsZero() {
		c.sender = env.sender
		if c.sender != c.socket {
			e.tell(Event{Kind: Connected, Conn: c.id, Address: c.sender})
		}
	}
	content, err := serial.DecodeOne(env.content, e.cfg.Limits)
	if err != nil {
		return errors.Join(fmt.Errorf("message to %s: %w", env.name, err), c.refuse(f, err))
	}
	m := &Message{Sender: env.sender, Conn: c.id, Content: content, conn: c, id: f.id, ask: f.kind == kindRequest}
	if env.name == verifierName {
		return e.verify(m)
	}
	e.mu.Lock()
	ep := e.endpoints[env.name]
	e.mu.Unlock()
	if ep == nil {
		e.cfg.Log.Warn("message to an endpoint that is not here", "endpoint", env.name, "peer", c.socket.String(), "class", serial.Describe(content))
		return m.Fail(fmt.Errorf("Could not find %s.", env.name)) //nolint:staticcheck // Spark's words
	}
	ep.Receive(m)
	return nil
}

// refuse fails an ask that could not be read.
func (c *conn) refuse(f frame, err error) error {
	if f.kind != kindRequest {
		return nil
	}
	return c.answer(frame{kind: kindFailure, id: f.id, text: "org.apache.spark.SparkException: " + err.Error()})
}
