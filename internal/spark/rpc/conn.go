package rpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
)

// maxQueued is how many bytes wait for one peer before we take it for stuck.
const maxQueued = 64 << 20

// conn is one connection, accepted or dialled. Its reader hands out what comes in, its writer sends what
// waits; both end when either does.
type conn struct {
	// immutable
	id     endpoint.ConnID
	env    *Env
	nc     net.Conn
	in     *bufio.Reader
	socket endpoint.Address // of the peer: where we dialled to, or where it dialled from
	dialed bool

	// owned by the reader
	auth    *serverAuth      // what an accepted peer still has to prove; nil when it has, or need not
	sender  endpoint.Address // the first address that the peer advertised
	started bool             // endpoints have been told of the connection

	wake chan struct{} // tells the writer of work

	mu      sync.Mutex
	queue   [][]byte
	queued  int
	asks    map[int64]*ask
	nextAsk int64
	hurry   bool  // the connection ends, what is queued has a moment left
	dead    error // why nothing can be sent any more
}

// ask is a question that waits for its answer.
type ask struct {
	done chan struct{}
	via  endpoint.ConnID
	body []byte
	err  error
}

func newAsk() *ask { return &ask{done: make(chan struct{})} }

// finish answers the question. It is called once: by whoever takes the ask out of its map or queue.
func (a *ask) finish(via endpoint.ConnID, body []byte, err error) {
	a.via, a.body, a.err = via, body, err
	close(a.done)
}

// outgoing is a message on its way: one-way if it has no ask.
type outgoing struct {
	body []byte
	ask  *ask
}

// fail tells whoever asked.
func (o outgoing) fail(err error) {
	if o.ask != nil {
		o.ask.finish(0, nil, err)
	}
}

func newConn(env *Env, nc net.Conn, socket endpoint.Address, dialed bool) *conn {
	return &conn{
		env: env, nc: nc, in: bufio.NewReaderSize(nc, 16<<10), socket: socket, dialed: dialed,
		wake: make(chan struct{}, 1), asks: make(map[int64]*ask),
	}
}

// post queues a message. An error means that it was not, and that o's ask is still the caller's.
func (c *conn) post(o outgoing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead != nil {
		return c.dead
	}
	f := frame{kind: kindOneWay, body: o.body}
	if o.ask != nil {
		c.nextAsk++
		f.kind, f.id = kindRequest, c.nextAsk
	}
	if err := c.enqueueLocked(f); err != nil {
		return err
	}
	if o.ask != nil {
		c.asks[f.id] = o.ask
	}
	return nil
}

// answer queues a frame that is no message.
func (c *conn) answer(f frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead != nil {
		return c.dead
	}
	return c.enqueueLocked(f)
}

func (c *conn) enqueueLocked(f frame) error {
	b := appendFrame(nil, f)
	if c.queued += len(b); c.queued > maxQueued {
		c.dead = fmt.Errorf("%w: %d bytes", ErrBacklog, c.queued)
		c.nc.Close()
		return c.dead
	}
	c.queue = append(c.queue, b)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

// takeAsk gives the question with this id to the caller, if it is still open.
func (c *conn) takeAsk(id int64) *ask {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.asks[id]
	delete(c.asks, id)
	return a
}

// lastMoment is how long a connection that ends may take to send what is queued.
const lastMoment = time.Second

// run serves the connection until it ends, and says why it did. Nothing that it started is left then,
// and no ask is open.
func (c *conn) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	var others sync.WaitGroup
	others.Go(func() {
		defer c.nc.Close() // the reader ends when the socket does
		stop(c.write(ctx))
	})
	others.Go(func() {
		<-ctx.Done()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.hurry = true
		c.nc.SetWriteDeadline(time.Now().Add(lastMoment))
	})
	err := c.read()
	stop(err)
	others.Wait()
	if cause := context.Cause(ctx); errors.Is(err, net.ErrClosed) {
		err = cause
	}
	c.bury(err)
	return err
}

// bury fails what is open and whatever would come.
func (c *conn) bury(err error) {
	if err == nil {
		err = io.EOF
	}
	c.mu.Lock()
	if c.dead == nil {
		c.dead = fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	open, dead := c.asks, c.dead
	c.asks, c.queue = nil, nil
	c.mu.Unlock()
	for _, a := range open {
		a.finish(c.id, nil, dead)
	}
}

// write sends what waits in the queue, and at the end what is left there.
func (c *conn) write(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), c.flush())
		case <-c.wake:
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
}

func (c *conn) flush() error {
	c.mu.Lock()
	batch := net.Buffers(c.queue)
	c.queue, c.queued = nil, 0
	if !c.hurry {
		c.nc.SetWriteDeadline(time.Now().Add(c.env.cfg.IdleTimeout))
	}
	c.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	if _, err := batch.WriteTo(c.nc); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}

// read hands out frames until the connection ends; a clean end is no error.
func (c *conn) read() error {
	for {
		// Between frames a peer may be silent for ever, but not in the middle of one.
		if c.auth == nil {
			if err := c.nc.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
		}
		if _, err := c.in.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("receiving: %w", err)
		}
		limit := c.env.cfg.MaxFrame
		if c.auth == nil {
			if err := c.nc.SetReadDeadline(time.Now().Add(c.env.cfg.IdleTimeout)); err != nil {
				return err
			}
		} else {
			limit = maxAuthFrame
		}
		f, err := readFrame(c.in, limit)
		if err != nil {
			return fmt.Errorf("receiving: %w", err)
		}
		if err := c.receive(f); err != nil {
			return err
		}
	}
}

// receive handles one frame; an error ends the connection.
func (c *conn) receive(f frame) error {
	if c.auth != nil {
		return c.authenticate(f)
	}
	switch f.kind {
	case kindRequest, kindOneWay:
		return c.env.deliver(c, f)
	case kindResponse, kindFailure:
		a := c.takeAsk(f.id)
		switch {
		case a == nil: // its asker has given up
		case f.kind == kindFailure:
			a.finish(c.id, nil, &RemoteError{Message: f.text})
		default:
			a.finish(c.id, f.body, nil)
		}
		return nil
	case kindStreamRequest:
		return c.answer(frame{kind: kindStreamFailure, text: f.text, err: fmt.Sprintf("Stream '%s' was not found.", f.text)})
	case kindChunkFetchRequest:
		return c.answer(frame{kind: kindChunkFetchFailure, stream: f.stream, chunk: f.chunk, err: "this process serves no blocks"})
	}
	return fmt.Errorf("frame of kind %d, which nobody asked for", f.kind)
}
