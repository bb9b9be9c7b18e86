package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Tracer shows what passes over connections, as it is: a line that begins with ">" went out, one with "<"
// came in, and between them is what a debugging proxy would show. Secrets are left out.
type Tracer struct {
	mu    sync.Mutex
	out   io.Writer                // guarded by mu
	conns map[*tracedConn]struct{} // that are open, guarded by mu
}

// NewTracer returns a tracer that writes to out.
func NewTracer(out io.Writer) *Tracer {
	return &Tracer{out: out, conns: make(map[*tracedConn]struct{})}
}

// Dial makes a connection that is traced.
func (t *Tracer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		t.print("* ", []byte(fmt.Sprintf("connecting to %s: %v", address, err)))
		return nil, err
	}
	t.print("* ", []byte("connected to "+address))
	c := &tracedConn{Conn: conn, up: direction{t: t, mark: "> "}, down: direction{t: t, mark: "< "}}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[c] = struct{}{}
	return c, nil
}

// transport is an HTTP transport that is traced.
func (t *Tracer) transport() http.RoundTripper {
	return &tracedTransport{&http.Transport{DialContext: t.Dial, DisableCompression: true}, t}
}

// flush shows what came and did not end with a line.
func (t *Tracer) flush() {
	t.mu.Lock()
	open := slices.Collect(maps.Keys(t.conns))
	t.mu.Unlock()
	for _, c := range open {
		c.down.flush()
	}
}

// tracedTransport has an answer shown to its end when it was read.
type tracedTransport struct {
	*http.Transport
	t *Tracer
}

func (tt *tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := tt.Transport.RoundTrip(r)
	if err == nil {
		answer.Body = &tracedBody{answer.Body, tt.t}
	}
	return answer, err
}

type tracedBody struct {
	io.ReadCloser
	t *Tracer
}

func (b *tracedBody) Close() error {
	b.t.flush()
	return b.ReadCloser.Close()
}

func (t *Tracer) print(mark string, line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "%s%s\n", mark, visible(redacted(line)))
}

// secrets are headers whose value is nobody's business.
var secrets = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// redacted is a line without what is secret in it.
func redacted(line []byte) string {
	text := string(line)
	name, _, ok := strings.Cut(text, ":")
	for _, secret := range secrets {
		if ok && strings.EqualFold(name, secret) {
			return name + ": (not shown)"
		}
	}
	return text
}

// tracedConn is a connection that tells its tracer.
type tracedConn struct {
	net.Conn
	up, down direction
}

func (c *tracedConn) Write(b []byte) (int, error) {
	c.down.flush()
	c.up.add(b) // first, or the answer would come before the question
	return c.Conn.Write(b)
}

func (c *tracedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.up.flush()
		c.down.add(b[:n])
	}
	if err != nil {
		c.down.flush()
	}
	return n, err
}

func (c *tracedConn) Close() error {
	c.down.flush()
	c.down.t.mu.Lock()
	delete(c.down.t.conns, c)
	c.down.t.mu.Unlock()
	return c.Conn.Close()
}

// maxTracedLine is where a line is broken that does not end.
const maxTracedLine = 1 << 20

// direction is what passes one way. Lines are shown when they are whole, so that a header is seen as one.
type direction struct {
	t    *Tracer
	mark string
	mu   sync.Mutex
	rest []byte // of a line, guarded by mu
}

func (d *direction) add(b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest = append(d.rest, b...)
	for {
		line, rest, whole := bytes.Cut(d.rest, []byte("\n"))
		if !whole {
			break
		}
		d.t.print(d.mark, bytes.TrimSuffix(line, []byte("\r")))
		d.rest = rest
	}
	if len(d.rest) > maxTracedLine {
		d.show()
	}
}

// flush shows a line that is not whole: nothing more comes for now.
func (d *direction) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.show()
}

func (d *direction) show() {
	if len(d.rest) > 0 {
		d.t.print(d.mark, d.rest)
		d.rest = nil
	}
}
