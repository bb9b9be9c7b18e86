package supervisor

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/protocol"
)

// Bounds on one connection.
const (
	requestsUnderway = 4096             // then the supervisor stops reading
	outputUnread     = 1 << 20          // bytes; likewise
	outputWaiting    = 16 << 20         // bytes; then it hangs up, and the client finds everything again
	writeTimeout     = 30 * time.Second // likewise
	lastWriteTimeout = time.Second      // for what was left to say when the connection ends
	helloTimeout     = 10 * time.Second
)

// conn is a client's connection. One goroutine reads requests. The loop writes,
// as long as the socket takes it at once; what it does not take is left to a
// goroutine that may block.
type conn struct {
	id       uint64
	net      *net.UnixConn
	raw      syscall.RawConn
	watching bool // owned by the loop
	slots    chan struct{}

	mu      sync.Mutex
	more    *sync.Cond // out or what became of it has changed
	out     []byte     // guarded by mu
	slow    bool       // guarded by mu: the writer is at work
	closing bool       // guarded by mu: no more will be added
}

func newConn(id uint64, nc *net.UnixConn) (*conn, error) {
	raw, err := nc.SyscallConn()
	c := &conn{id: id, net: nc, raw: raw, slots: make(chan struct{}, requestsUnderway)}
	c.more = sync.NewCond(&c.mu)
	return c, err
}

// send adds output; flush lets it go. Only the loop calls them.
func (c *conn) send(appendTo func([]byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.out = appendTo(c.out)
	if len(c.out) > outputWaiting {
		c.closing, c.out = true, nil
		c.net.Close()
		c.more.Broadcast()
	}
}

// flush writes what the socket takes at once, unless the writer is at work.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slow || c.closing || len(c.out) == 0 {
		return
	}
	n := 0
	err := c.raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), c.out)
		return true
	})
	if err == nil && n == len(c.out) {
		c.out = emptied(c.out)
		return
	}
	c.out = c.out[max(n, 0):]
	c.slow = true
	c.more.Broadcast()
}

// emptied is a buffer to be filled again, unless it has become large.
func emptied(buf []byte) []byte {
	const usual = 64 << 10
	if cap(buf) > usual {
		return nil
	}
	return buf[:0]
}

// finish lets the connection end once what is there is written.
func (c *conn) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	c.more.Broadcast()
}

// write writes what the socket did not take at once, until the connection breaks
// or is finished, and hangs up.
func (c *conn) write() {
	defer c.net.Close()
	for {
		data, timeout := c.rest()
		if len(data) == 0 {
			return
		}
		c.net.SetWriteDeadline(time.Now().Add(timeout))
		if _, err := c.net.Write(data); err != nil {
			return
		}
		c.net.SetWriteDeadline(time.Time{}) // it would hold for flush too
	}
}

// rest waits for output that has to be written slowly; none is the end.
func (c *conn) rest() ([]byte, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow = c.slow && len(c.out) > 0
	for !c.slow && !c.closing {
		c.more.Wait()
	}
	data := c.out
	c.out = nil
	c.more.Broadcast() // awaitRoom
	if c.closing {
		return data, lastWriteTimeout
	}
	return data, writeTimeout
}

// awaitRoom blocks while the client leaves too much unread.
func (c *conn) awaitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.out) > outputUnread && !c.closing {
		c.more.Wait()
	}
}

// openConns are all connections, known to the loop or not yet, so that the end
// can reach them.
type openConns struct {
	mu     sync.Mutex
	conns  map[*conn]struct{} // guarded by mu
	closed bool               // guarded by mu
}

// add reports whether the connection may begin.
func (o *openConns) add(c *conn) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	if o.conns == nil {
		o.conns = map[*conn]struct{}{}
	}
	o.conns[c] = struct{}{}
	return true
}

func (o *openConns) remove(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.conns, c)
}

// close lets each connection say what it has left to say, and hang up.
func (o *openConns) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for c := range o.conns {
		c.finish()
	}
}

// accept takes connections until the listener is closed.
func (s *server) accept(listener *net.UnixListener, wg *sync.WaitGroup) {
	for id := uint64(1); ; id++ {
		nc, err := listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("cannot accept a connection", "err", err)
			time.Sleep(100 * time.Millisecond) // out of descriptors, most likely
			continue
		}
		c, err := newConn(id, nc)
		if err == nil {
			err = allowed(c.raw)
		}
		if err == nil && !s.open.add(c) {
			err = errStopped
		}
		if err != nil {
			s.log.Warn("connection refused", "err", err)
			nc.Close()
			continue
		}
		wg.Go(c.write)
		wg.Go(func() {
			err := s.serve(c)
			s.log.Debug("connection ended", "err", err)
			s.open.remove(c)
			s.post(event{kind: disconnected, conn: c})
			c.finish()
		})
	}
}

// serve reads requests and hands them to the loop, until the connection ends.
func (s *server) serve(c *conn) error {
	frames := protocol.NewReader(c.net)
	if err := s.greet(c, frames); err != nil {
		return err
	}
	for {
		c.awaitRoom()
		frame, err := frames.Read()
		if err != nil {
			return err
		}
		select {
		case c.slots <- struct{}{}:
		case <-s.done:
			return errStopped
		}
		in, err := request(ledger.Ticket{Conn: c.id, Request: frame.Request}, frame)
		if err != nil {
			return err
		}
		if in == nil {
			s.post(event{kind: notUnderstood, conn: c, request: frame.Request})
			continue
		}
		s.post(event{kind: happened, in: in})
	}
}

// greet expects the client's Hello and lets the loop answer it.
func (s *server) greet(c *conn, frames *protocol.Reader) error {
	c.net.SetReadDeadline(time.Now().Add(helloTimeout))
	defer c.net.SetReadDeadline(time.Time{})
	frame, err := frames.Read()
	if err != nil {
		return err
	}
	if frame.Kind != protocol.KindHello {
		return fmt.Errorf("first request is of kind %d, expected Hello (%d)", frame.Kind, protocol.KindHello)
	}
	if _, err := protocol.DecodeHello(frame.Body); err != nil {
		return err
	}
	s.post(event{kind: connected, conn: c, request: frame.Request})
	return nil
}

// request translates a frame into what the ledger understands, or nil when this
// supervisor is too old to know it. An error means that the frame is malformed,
// which ends the connection.
func request(t ledger.Ticket, frame protocol.Frame) (ledger.Input, error) {
	switch frame.Kind {
	case protocol.KindLaunch:
		spec, err := protocol.DecodeLaunch(frame.Body)
		return ledger.Launch{Ticket: t, Spec: spec}, err
	case protocol.KindKill:
		k, err := protocol.DecodeKill(frame.Body)
		return ledger.Kill{Ticket: t, ID: k.ID, Grace: k.Grace}, err
	case protocol.KindList:
		return ledger.List{Ticket: t}, nil
	case protocol.KindWatch:
		return ledger.Watch{Ticket: t}, nil
	case protocol.KindCollect:
		ids, err := protocol.DecodeIDs(frame.Body)
		return ledger.Collect{Ticket: t, IDs: ids}, err
	case protocol.KindLimit:
		l, err := protocol.DecodeLimit(frame.Body)
		return ledger.Limit{Ticket: t, ID: l.ID, Limits: l.Limits}, err
	case protocol.KindMeasure:
		ids, err := protocol.DecodeIDs(frame.Body)
		return ledger.Measure{Ticket: t, IDs: ids}, err
	}
	return nil, nil
}
