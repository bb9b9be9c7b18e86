package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// Reply is the answer to an ask.
type Reply struct {
	Content serial.Value
	Conn    endpoint.ConnID // by which it came: references inside are to be read with it
}

// Send writes to an endpoint and does not wait: not for the connection, which is made if there is none,
// and not for the other side, which says nothing. Messages to one endpoint arrive in order, or not at
// all: an error is told when it is known at once, and as an Event otherwise.
func (e *Env) Send(to endpoint.Ref, content serial.Value) error {
	body, err := e.envelope(to, content)
	if err != nil {
		return err
	}
	return e.post(to, outgoing{body: body})
}

// Ask writes to an endpoint and waits for the answer, for the ask timeout at most. What the other side
// answered in place of a result is a *RemoteError.
func (e *Env) Ask(ctx context.Context, to endpoint.Ref, content serial.Value) (Reply, error) {
	call, err := e.Begin(to, content)
	if err != nil {
		return Reply{}, err
	}
	return call.Wait(ctx)
}

// Call is an ask that is on its way.
type Call struct {
	env *Env
	to  endpoint.Ref
	ask *ask
}

// Begin sends an ask and does not wait. Asks and messages to one endpoint go out in the order in which
// they were begun; whoever begins a call waits for it.
func (e *Env) Begin(to endpoint.Ref, content serial.Value) (*Call, error) {
	body, err := e.envelope(to, content)
	if err != nil {
		return nil, err
	}
	a := newAsk()
	if err := e.post(to, outgoing{body: body, ask: a}); err != nil {
		return nil, err
	}
	return &Call{env: e, to: to, ask: a}, nil
}

// ErrNoAnswer is in the error of an ask that was not answered in time.
var ErrNoAnswer = errors.New("no answer")

// Wait waits for the answer, as Ask does.
func (c *Call) Wait(ctx context.Context) (Reply, error) {
	timeout := c.env.cfg.AskTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w from %v in %v", ErrNoAnswer, c.to, timeout))
	defer cancel()
	select {
	case <-ctx.Done():
		c.env.forget(c.to, c.ask)
		return Reply{}, context.Cause(ctx)
	case <-c.ask.done:
	}
	if c.ask.err != nil {
		return Reply{}, c.ask.err
	}
	v, err := readResult(c.ask.body, c.env.cfg.Limits)
	return Reply{Content: v, Conn: c.ask.via}, err
}

func (e *Env) envelope(to endpoint.Ref, content serial.Value) ([]byte, error) {
	stream, err := serial.Encode(content)
	if err != nil {
		return nil, fmt.Errorf("message to %v: %w", to, err)
	}
	body, err := envelope{sender: e.cfg.Advertise, receiver: to.Address, name: to.Name, content: stream}.encode()
	if err != nil {
		return nil, fmt.Errorf("message to %v: %w", to, err)
	}
	return body, nil
}

// post puts a message on its way: on the connection by which the reference came, else into the outbox
// of its address.
func (e *Env) post(to endpoint.Ref, o outgoing) error {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return ErrStopped
	}
	if to.Via != 0 {
		c := e.conns[to.Via]
		e.mu.Unlock()
		if c == nil {
			return fmt.Errorf("message to %v: %w", to, ErrDisconnected)
		}
		return c.post(o)
	}
	defer e.mu.Unlock()
	if to.Address.IsZero() {
		return fmt.Errorf("message to %v: %w", to, ErrNoAddress)
	}
	box := e.outboxes[to.Address]
	if box == nil {
		box = &outbox{}
		if err := e.spawnLocked(func(ctx context.Context) { e.dial(ctx, to.Address, box) }); err != nil {
			return err
		}
		e.outboxes[to.Address] = box
	}
	return box.post(o)
}

// forget takes back an ask that nobody waits for any more.
func (e *Env) forget(to endpoint.Ref, a *ask) {
	e.mu.Lock()
	c, box := e.conns[to.Via], e.outboxes[to.Address]
	e.mu.Unlock()
	if to.Via == 0 && box != nil {
		c = box.forget(a)
	}
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, open := range c.asks {
		if open == a {
			delete(c.asks, id)
		}
	}
}

// maxOutbox is how many messages wait for a connection that is being made.
const maxOutbox = 10_000

// outbox is the way to one address: messages wait in it until the connection is there, and then go
// straight through. It ends with its connection; the next message makes a new one.
type outbox struct {
	mu      sync.Mutex
	waiting []outgoing
	conn    *conn
	closed  error
}

func (b *outbox) post(o outgoing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed != nil:
		return b.closed
	case b.conn != nil:
		return b.conn.post(o)
	case len(b.waiting) >= maxOutbox:
		return fmt.Errorf("%w: %d messages", ErrBacklog, len(b.waiting))
	}
	b.waiting = append(b.waiting, o)
	return nil
}

// open sends what has waited.
func (b *outbox) open(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn = c
	for _, o := range b.waiting {
		if err := c.post(o); err != nil {
			o.fail(err)
		}
	}
	b.waiting = nil
}

func (b *outbox) close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed == nil {
		b.closed = err
	}
	for _, o := range b.waiting {
		o.fail(err)
	}
	b.waiting = nil
}

// forget takes an ask out, or gives the connection that has it.
func (b *outbox) forget(a *ask) *conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, o := range b.waiting {
		if o.ask == a {
			b.waiting[i] = outgoing{body: o.body} // goes out as a message without an answer
		}
	}
	return b.conn
}

// dial makes the connection of an outbox and serves it to its end.
func (e *Env) dial(ctx context.Context, to endpoint.Address, box *outbox) {
	c, err := e.connect(ctx, to)
	if err == nil {
		e.serve(ctx, c, box)
		box.close(fmt.Errorf("%v: %w", to, ErrDisconnected))
		return
	}
	if ctx.Err() == nil {
		e.cfg.Log.Debug("cannot connect", "peer", to.String(), "err", err)
	}
	e.mu.Lock()
	e.removeLocked(box, to)
	e.mu.Unlock()
	box.close(err)
	e.tell(Event{Kind: Unreachable, Address: to, Err: err})
}

// removeLocked takes an outbox away, so that the next message makes another.
func (e *Env) removeLocked(box *outbox, to endpoint.Address) {
	if box != nil && e.outboxes[to] == box {
		delete(e.outboxes, to)
	}
}

// connect dials and proves the secret.
func (e *Env) connect(ctx context.Context, to endpoint.Address) (*conn, error) {
	nc, err := e.dialTCP(ctx, to)
	if err != nil {
		return nil, err
	}
	c := newConn(e, nc, to, true)
	if e.cfg.Secret == "" {
		return c, nil
	}
	unhook := context.AfterFunc(ctx, func() { nc.Close() })
	defer unhook()
	if err := e.authenticateTo(nc, c.in); err != nil {
		nc.Close()
		return nil, fmt.Errorf("authentication with %v: %w", to, err)
	}
	return c, nil
}

func (e *Env) dialTCP(ctx context.Context, to endpoint.Address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.ConnectTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAlive: 30 * time.Second}
	return dialer.DialContext(ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(to.Port)))
}
