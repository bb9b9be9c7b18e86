// Package memnet is a network in memory: addresses that are only names, listeners and connections that a
// net/http server and any client take for real ones, and faults to order. No port is opened.
//
// It is made for testing/synctest. Whoever waits here, for bytes, for a connection, or for the second after
// which an address refuses, waits durably, so that virtual time goes on.
//
// What is sent is there at once, and there is no end to what may be on its way: a test's traffic fits into
// memory. Start reading at [Network].
package memnet

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// refusal is how long it takes to learn that nobody listens. It keeps whoever tries again at once from
// doing so for ever at one moment of virtual time. It is not a round second, so that nobody tries again at the very
// moment at which, some seconds later, somebody listens: which of the two is first would be chance.
const refusal = time.Second + 17300*time.Microsecond

// Network connects names with each other. The zero value is ready.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*Listener
	closed    map[string]bool // names that refuse connections
	pairs     []*pair
}

// pair is a connection from one name to another.
type pair struct {
	from, to string
	ends     [2]*Conn
}

// Listen listens at several names at once.
func (n *Network) Listen(names ...string) *Listener {
	l := &Listener{net: n, names: names, arrived: make(chan net.Conn), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners, n.closed = make(map[string]*Listener), make(map[string]bool)
	}
	for _, name := range names {
		n.listeners[name] = l
	}
	return l
}

// Dialer gives the way into the network from a name, in the shape of net.Dialer.DialContext.
func (n *Network) Dialer(from string) func(ctx context.Context, network, to string) (net.Conn, error) {
	return func(ctx context.Context, _, to string) (net.Conn, error) {
		c, err := n.dial(ctx, from, to)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: "memory", Addr: Addr(to), Err: err}
		}
		return c, nil
	}
}

func (n *Network) dial(ctx context.Context, from, to string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[to]
	if l == nil || n.closed[to] || n.closed[from] {
		n.mu.Unlock()
		select {
		case <-time.After(refusal):
			return nil, syscall.ECONNREFUSED
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	p := newPair(from, to)
	n.pairs = append(slices.DeleteFunc(n.pairs, (*pair).over), p)
	n.mu.Unlock()
	select {
	case l.arrived <- p.ends[1]:
		return p.ends[0], nil
	case <-l.done:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Break breaks every connection that a name has, in either direction.
func (n *Network) Break(name string) {
	n.mu.Lock()
	pairs := slices.Clone(n.pairs)
	n.mu.Unlock()
	for _, p := range pairs {
		if p.from == name || p.to == name {
			p.ends[0].in.fail(syscall.ECONNRESET)
			p.ends[1].in.fail(syscall.ECONNRESET)
		}
	}
}

// Shut breaks every connection that a name has and refuses new ones until Open.
func (n *Network) Shut(name string) {
	n.mu.Lock()
	n.closed[name] = true
	n.mu.Unlock()
	n.Break(name)
}

// Open takes connections to and from a name again.
func (n *Network) Open(name string) {
	n.mu.Lock()
	delete(n.closed, name)
	n.mu.Unlock()
}

// Listener is a net.Listener.
type Listener struct {
	net     *Network
	names   []string
	arrived chan net.Conn
	done    chan struct{}
	once    sync.Once
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arrived:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener; its connections go on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is the first of the listener's names.
func (l *Listener) Addr() net.Addr { return Addr(l.names[0]) }

// Addr is a name in the network.
type Addr string

// Network implements net.Addr.
func (Addr) Network() string { return "memory" }

// String implements net.Addr.
func (a Addr) String() string { return string(a) }

// Conn is one end of a connection.
type Conn struct {
	local, remote Addr
	in, out       *half
}

func newPair(from, to string) *pair {
	up, down := newHalf(), newHalf()
	return &pair{from, to, [2]*Conn{
		{local: Addr(from), remote: Addr(to), in: down, out: up},
		{local: Addr(to), remote: Addr(from), in: up, out: down},
	}}
}

func (p *pair) over() bool { return p.ends[0].in.failed() && p.ends[1].in.failed() }

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

// Write implements net.Conn. It never waits.
func (c *Conn) Write(b []byte) (int, error) {
	if c.in.failed() {
		return 0, c.wrap("write", net.ErrClosed)
	}
	n, err := c.out.write(b)
	return n, c.wrap("write", err)
}

// Close implements net.Conn: the other end reads what was written, and then the end.
func (c *Conn) Close() error {
	c.in.fail(net.ErrClosed)
	c.out.end()
	return nil
}

// CloseWrite ends one direction.
func (c *Conn) CloseWrite() error {
	c.out.end()
	return nil
}

// wrap makes the kind of error that net/http looks for.
func (c *Conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.remote, Err: err}
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline implements net.Conn. A write never waits.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
