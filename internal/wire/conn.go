package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoAnswer means that a request went out, at least in part, and that its
// connection failed before the answer was complete. It may have had its effect
// or not.
var ErrNoAnswer = errors.New("no answer")

// StatusError is an answer with an unexpected status.
type StatusError struct {
	// Server is the "host:port" that answered.
	Server string
	// Code is the HTTP status.
	Code int
	// Body is the explanation, usually one sentence. A very long one is cut.
	Body string
	// Location is where a redirect leads.
	Location string
}

// Error says who answered what.
func (e *StatusError) Error() string {
	text := e.Server + " answered " + strconv.Itoa(e.Code) + " " + http.StatusText(e.Code)
	if e.Location != "" {
		text += " to " + e.Location
	}
	if e.Body != "" {
		text += ": " + strings.TrimSpace(e.Body)
	}
	return text
}

const (
	headEnd = "\r\n\r\n"

	// maxHead bounds the head of an answer.
	maxHead = 256 << 10

	// maxErrorText bounds the explanation of a StatusError.
	maxErrorText = 16 << 10

	// restTime is how long a connection may rest before it is looked at once
	// more: a server that was restarted has closed it.
	restTime = 10 * time.Millisecond
)

// conn is the client side of one HTTP/1.1 connection with one request at a
// time. It differs from net/http's in that the caller's own goroutine writes
// and reads, which saves the hand-overs between three, and in that it never
// sends a request twice.
type conn struct {
	net.Conn
	to       endpoint
	br       *bufio.Reader
	budget   int64         // bytes that may still be read
	silence  time.Duration // of the server, that ends the connection; 0 = unlimited
	reusable bool          // the last answer was read to its end
	rested   time.Time     // since when
}

// DialFunc makes connections, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func dial(ctx context.Context, to endpoint, config *tls.Config, connect DialFunc) (*conn, error) {
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	nc, err := connect(ctx, "tcp", to.host)
	if err == nil && to.secure {
		nc, err = handshake(ctx, nc, to, config)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		if nc != nil {
			nc.Close()
		}
		return nil, fmt.Errorf("connect to %s: %w", to.host, err)
	}
	c := &conn{Conn: nc, to: to, rested: time.Now()}
	c.br = bufio.NewReader(meter{c})
	return c, nil
}

func handshake(ctx context.Context, nc net.Conn, to endpoint, config *tls.Config) (net.Conn, error) {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(to.host)
	}
	secure := tls.Client(nc, config)
	return secure, secure.HandshakeContext(ctx)
}

// meter is what the buffer of a conn reads from. It bounds an answer, and the
// silence within it.
type meter struct{ c *conn }

func (m meter) Read(p []byte) (int, error) {
	c := m.c
	if c.budget <= 0 {
		return 0, errors.New("the answer is longer than accepted")
	}
	if c.silence > 0 {
		c.SetReadDeadline(time.Now().Add(c.silence))
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.budget)])
	c.budget -= int64(n)
	return n, err
}

// alive reports whether the server has not closed the connection as far as we
// know here.
func (c *conn) alive() bool {
	return time.Since(c.rested) < restTime || c.br.Buffered() == 0 && !hungUp(transport(c.Conn))
}

// bind puts what follows under a deadline, if it has one, and a context.
// release ends that. It is given the error of what followed, and returns it
// with the context's cause if that was to blame.
func (c *conn) bind(ctx context.Context, deadline time.Time) (release func(error) error) {
	c.SetDeadline(deadline)
	if ctx.Done() == nil {
		return func(err error) error { return err }
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	return func(err error) error {
		if stop() {
			return err
		}
		c.reusable = false
		if errors.Is(err, ErrNoAnswer) {
			return fmt.Errorf("%w from %s: %w", ErrNoAnswer, c.to.host, context.Cause(ctx))
		}
		return err
	}
}

// send writes a request.
func (c *conn) send(request []byte) error {
	c.reusable = false
	if _, err := c.Write(request); err != nil {
		return c.noAnswer(err)
	}
	return nil
}

func (c *conn) noAnswer(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("timeout")
	}
	return fmt.Errorf("%w from %s: %w", ErrNoAnswer, c.to.host, err)
}

// skipAccepted waits for an answer and skips it if it is a plain 202 with
// nothing in it, as nearly all are. Anything else stays for receive.
func (c *conn) skipAccepted() bool {
	c.budget = maxHead
	if _, err := c.br.Peek(1); err != nil {
		return false // receive meets the same error
	}
	buffered, _ := c.br.Peek(c.br.Buffered())
	n := plainAccepted(buffered)
	if n == 0 {
		return false
	}
	c.br.Discard(n)
	c.rest()
	return true
}

// rest notes that an answer is read to its end.
func (c *conn) rest() {
	c.reusable = true
	c.rested = time.Now()
}

// plainAccepted is the length of the answer at the beginning of b, if it is all
// there and says 202, nothing in it and nothing about the connection. It may
// say no to others that would do.
func plainAccepted(b []byte) int {
	const status = "HTTP/1.1 202 "
	end := bytes.Index(b, []byte(headEnd))
	if end < 0 || !bytes.HasPrefix(b, []byte(status)) {
		return 0
	}
	line, rest, _ := bytes.Cut(b[len(status):end], []byte("\r\n"))
	if slices.ContainsFunc(line, control) {
		return 0
	}
	empty := false
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if string(line) == "Content-Length: 0" {
			empty = true
		} else if !indifferent(line) {
			return 0
		}
	}
	if !empty {
		return 0
	}
	return end + len(headEnd)
}

// indifferent reports whether a line is certainly a header that says nothing
// about the body or the connection: those begin with a C or a T.
func indifferent(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || strings.IndexByte("cCtT", name[0]) >= 0 {
		return false
	}
	for _, c := range name {
		if c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return !slices.ContainsFunc(value, control)
}

func control(c byte) bool { return c < ' ' || c == 0x7f }

// receive reads the head of an answer of at most budget bytes.
func (c *conn) receive(budget int64) (*http.Response, error) {
	c.budget = budget
	for range 5 {
		resp, err := http.ReadResponse(c.br, nil)
		if err != nil {
			return nil, c.noAnswer(err)
		}
		// Informational answers precede the real one.
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, c.noAnswer(errors.New("too many informational answers"))
}

// finish reads the body of an answer, at most limit bytes of it.
func (c *conn) finish(resp *http.Response, limit int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil {
		return nil, c.noAnswer(err)
	}
	if len(body) > limit {
		return body[:limit], fmt.Errorf("%s: answer of more than %d bytes", c.to.host, limit)
	}
	if !resp.Close {
		c.rest()
	}
	return body, nil
}

// statusError turns an answer into an error.
func (c *conn) statusError(resp *http.Response) error {
	body, _ := c.finish(resp, maxErrorText)
	return &StatusError{
		Server:   c.to.host,
		Code:     resp.StatusCode,
		Body:     string(body),
		Location: resp.Header.Get("Location"),
	}
}

// printable reports whether s may stand in a header.
func printable(s string) bool { return !slices.ContainsFunc([]byte(s), control) }
