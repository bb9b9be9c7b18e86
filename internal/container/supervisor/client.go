package supervisor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/protocol"
)

// Client is a connection to a running supervisor. It does not reconnect: once
// Done is closed, its owner calls Connect again or, if nobody answers, EndAll.
type Client struct {
	conn  *net.UnixConn
	hello protocol.ServerHello
	done  chan struct{} // closed by the reader when the connection is over
	err   error         // why; read after done

	writing sync.Mutex
	buf     []byte // guarded by writing

	mu      sync.Mutex
	request uint64                          // guarded by mu, as all below
	pending map[uint64]chan protocol.Answer // by request; each has room for what comes
	watches map[*watch]struct{}
	closed  bool
}

var _ container.Supervisor = (*Client)(nil)

// Connect finds the supervisor that runs in a directory. An error that is
// container.ErrUnavailable means that none does.
func Connect(ctx context.Context, dir string) (*Client, error) {
	conn, err := dial(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", container.ErrUnavailable, err)
	}
	c := &Client{conn: conn, done: make(chan struct{}), pending: map[uint64]chan protocol.Answer{}, watches: map[*watch]struct{}{}}
	go c.read()
	answer, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
		return protocol.AppendHello(dst, request, protocol.Hello{Version: protocol.Version})
	})
	if err == nil && answer.Hello == nil {
		err = fmt.Errorf("%w: its answer to Hello is empty", container.ErrUnavailable)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connecting to the supervisor in %s: %w", dir, err)
	}
	c.hello = *answer.Hello
	return c, nil
}

// Process is the supervisor's own identity.
func (c *Client) Process() container.Started { return c.hello.Process }

// Version is the protocol version that the supervisor speaks.
func (c *Client) Version() int { return int(c.hello.Version) }

// Tracking says how the supervisor tracks process sets.
func (c *Client) Tracking() string { return c.hello.Tracking }

// Abilities are what the supervisor can do for containers. One of an older release
// says nothing and can do nothing of it.
func (c *Client) Abilities() []container.Ability { return c.hello.Abilities }

// Done is closed when the connection is over, whoever ended it.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the connection, not the supervisor, and returns when nothing of the
// client runs any more.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	err := c.conn.Close()
	<-c.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Launch is container.Supervisor's.
func (c *Client) Launch(ctx context.Context, spec container.Spec) (container.Started, error) {
	if err := spec.Validate(); err != nil {
		return container.Started{}, err
	}
	if c.hello.Version < 2 && wantsMoreThan1(&spec) {
		return container.Started{}, fmt.Errorf("container %q: %w: it speaks version %d", spec.ID, container.ErrUnsupported, c.hello.Version)
	}
	a, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
		return protocol.AppendLaunch(dst, request, &spec)
	})
	return a.Started, err
}

// wantsMoreThan1 reports whether a supervisor of version 1, which passes over what it
// does not know, would run something else than is asked for, or with more rights.
// Limits it does not enforce, but that its Abilities tell.
func wantsMoreThan1(spec *container.Spec) bool {
	return spec.Program != "" && spec.Program != spec.Argv[0] || spec.Capabilities != nil || len(spec.Binds) > 0
}

// Kill is container.Supervisor's.
func (c *Client) Kill(ctx context.Context, id container.ID, grace time.Duration) error {
	_, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
		return protocol.AppendKill(dst, request, protocol.Kill{ID: id, Grace: grace})
	})
	return err
}

// Limit is container.Supervisor's.
func (c *Client) Limit(ctx context.Context, id container.ID, limits container.Limits) error {
	_, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
		return protocol.AppendLimit(dst, request, protocol.Limit{ID: id, Limits: limits})
	})
	return err
}

// Statistics is container.Supervisor's.
func (c *Client) Statistics(ctx context.Context, ids ...container.ID) ([]container.Statistics, error) {
	a, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
		return protocol.AppendMeasure(dst, request, ids)
	})
	return a.Statistics, err
}

// List is container.Supervisor's.
func (c *Client) List(ctx context.Context) ([]container.Info, error) {
	a, err := c.ask(ctx, protocol.AppendList)
	return a.Infos, err
}

// collectAtOnce is how many ids go into one Collect.
const collectAtOnce = 10_000

// Collect is container.Supervisor's.
func (c *Client) Collect(ctx context.Context, ids ...container.ID) error {
	for len(ids) > 0 {
		piece := ids[:min(len(ids), collectAtOnce)]
		ids = ids[len(piece):]
		if _, err := c.ask(ctx, func(dst []byte, request uint64) []byte {
			return protocol.AppendCollect(dst, request, piece)
		}); err != nil {
			return err
		}
	}
	return nil
}

// Exits is container.Supervisor's.
func (c *Client) Exits(ctx context.Context) iter.Seq2[container.Exit, error] {
	return func(yield func(container.Exit, error) bool) {
		w := newWatch()
		c.mu.Lock()
		c.watches[w] = struct{}{}
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			delete(c.watches, w)
			c.mu.Unlock()
		}()
		// Whatever ends from here on comes to w, and the answer holds what ended before;
		// an exit that comes both ways is yielded once.
		a, err := c.ask(ctx, protocol.AppendWatch)
		if err != nil {
			yield(container.Exit{}, err)
			return
		}
		w.begin(a.Exits)
		for {
			exit, err := w.next(ctx, c)
			if !yield(exit, err) || err != nil {
				return
			}
		}
	}
}

// ask sends a request and waits for the whole of its answer.
func (c *Client) ask(ctx context.Context, appendTo func(dst []byte, request uint64) []byte) (protocol.Answer, error) {
	answers := make(chan protocol.Answer, 1)
	c.mu.Lock()
	c.request++
	request := c.request
	c.pending[request] = answers
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.pending, request)
		c.mu.Unlock()
	}()
	if err := c.write(ctx, request, appendTo); err != nil {
		return protocol.Answer{}, err
	}
	select {
	case a := <-answers:
		return a, a.Err
	case <-ctx.Done():
		return protocol.Answer{}, context.Cause(ctx)
	case <-c.done:
		select {
		case a := <-answers: // it came before the end
			return a, a.Err
		default:
			return protocol.Answer{}, c.err
		}
	}
}

// write sends a request. A supervisor that reads nothing for so long is broken.
func (c *Client) write(ctx context.Context, request uint64, appendTo func([]byte, uint64) []byte) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.buf = appendTo(c.buf[:0], request)
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.conn.Write(c.buf)
	c.buf = emptied(c.buf)
	if err != nil {
		c.conn.Close() // it may have been cut in the middle
		return fmt.Errorf("%w: %w", container.ErrUnavailable, err)
	}
	return nil
}

// read hands answers to whom they belong until the connection is over.
func (c *Client) read() {
	frames := protocol.NewReader(c.conn)
	partial := map[uint64]protocol.Answer{} // answers in several frames
	for {
		frame, err := frames.Read()
		if err == nil {
			err = c.receive(frame, partial)
		}
		if err != nil {
			c.conn.Close()
			c.err = fmt.Errorf("%w: %w", container.ErrUnavailable, err)
			close(c.done)
			return
		}
	}
}

func (c *Client) receive(frame protocol.Frame, partial map[uint64]protocol.Answer) error {
	switch frame.Kind {
	case protocol.KindAnswer:
		a, err := protocol.DecodeAnswer(frame.Body)
		if err != nil {
			return err
		}
		if before, ok := partial[frame.Request]; ok {
			a.Infos = append(before.Infos, a.Infos...)
			a.Exits = append(before.Exits, a.Exits...)
			a.Statistics = append(before.Statistics, a.Statistics...)
			delete(partial, frame.Request)
		}
		if a.More {
			partial[frame.Request] = a
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if answers := c.pending[frame.Request]; answers != nil {
			delete(c.pending, frame.Request)
			answers <- a
		}
	case protocol.KindExited:
		exit, err := protocol.DecodeExit(frame.Body)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for w := range c.watches {
			w.push(exit)
		}
	}
	return nil // kinds unknown here are for newer agents
}
