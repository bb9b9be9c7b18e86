package wire

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// ClientOptions describe one end of the API, as seen from the other. Servers,
// Path and Codec are required.
type ClientOptions struct {
	// Servers are tried in turn: "host:port", or a URL. Any of several masters
	// will do, since those that do not lead say who does.
	Servers []string
	// Path is what calls are posted to ("/api/v1/scheduler"), unless a server
	// is a URL that has a path of its own.
	Path string
	// Codec is used in both directions.
	Codec Codec
	// Authorization is sent with every request, unless it is empty. It follows
	// redirects, but never from https to http. See [BasicAuth].
	Authorization string
	// TLS is used for https.
	TLS *tls.Config
	// Dial makes the connections. Nil means a net.Dialer.
	Dial DialFunc
	// DialTimeout bounds connecting to one server. 0 means 5 s.
	DialTimeout time.Duration
	// CallTimeout bounds a call, and a subscription until its stream begins.
	// 0 means 30 s. A context may shorten it.
	CallTimeout time.Duration
	// MaxRecord is the largest event, and the largest answer, that is read. 0
	// means DefaultMaxRecord.
	MaxRecord int
}

// BasicAuth is the Authorization of a principal and its secret.
func BasicAuth(principal, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(principal+":"+secret))
}

// Client is the calling side of the API: a subscription, and calls beside it on
// a second connection that it keeps open. It never repeats a call and never
// waits to try again; both are decisions for its user, who knows what a call
// means. It may be used from any goroutine.
//
// Calls go out one at a time, in the order they were made, to the server that
// took the latest subscription and with its stream id. Before the first
// subscription they go to the first server that answers, or its leader.
type Client struct {
	// immutable after NewClient
	opts    ClientOptions
	servers []endpoint

	// turn is held by the one call in flight. It guards buf.
	turn chan struct{}
	buf  []byte

	mu     sync.Mutex
	target target // of calls; its endpoint is tried first by the next subscription
	line   *conn  // the connection of calls, if there is one
	closed bool
}

// target is where calls go.
type target struct {
	endpoint endpoint
	head     string // of a request, up to the digits of its Content-Length
	streamed bool   // belongs to a subscription, with or without a stream id
}

// NewClient returns a client. It does not connect yet.
func NewClient(opts ClientOptions) (*Client, error) {
	if opts.Codec.ContentType() == "" {
		return nil, errors.New("client without a codec: expected JSON or protobuf")
	}
	if len(opts.Servers) == 0 {
		return nil, errors.New("client without servers: expected at least one host:port")
	}
	if !printable(opts.Authorization) {
		return nil, errors.New("client: the authorization contains control characters")
	}
	c := &Client{opts: opts, turn: make(chan struct{}, 1)}
	for _, server := range opts.Servers {
		e, err := parseEndpoint(server, opts.Path)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, e)
	}
	if c.opts.DialTimeout <= 0 {
		c.opts.DialTimeout = 5 * time.Second
	}
	if c.opts.CallTimeout <= 0 {
		c.opts.CallTimeout = 30 * time.Second
	}
	if c.opts.MaxRecord <= 0 {
		c.opts.MaxRecord = DefaultMaxRecord
	}
	return c, nil
}

// Close closes the connection of calls; one in flight fails. Event streams are
// closed on their own.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.line != nil {
		c.line.Close()
		c.line = nil
	}
	return nil
}

// Call sends a call that is answered with 202. Any other answer is a
// [StatusError]; [ErrNoAnswer] means that the call was sent, perhaps, and that
// nobody knows what became of it.
func (c *Client) Call(ctx context.Context, call proto.Message) error {
	return c.call(ctx, call, nil)
}

// Ask sends a call that is answered with a message, and decodes that.
func (c *Client) Ask(ctx context.Context, call, answer proto.Message) error {
	return c.call(ctx, call, answer)
}

func (c *Client) call(ctx context.Context, call, answer proto.Message) error {
	to, leave, err := c.enter(ctx, call)
	if err != nil {
		return err
	}
	defer leave()
	if to.streamed {
		return c.post(ctx, to, call, answer)
	}
	return c.walk(func(e endpoint) (stop bool, err error) {
		to := target{endpoint: e, head: c.head(e, "")}
		if err := c.post(ctx, to, call, answer); err != nil {
			return errors.Is(err, ErrNoAnswer) || ctx.Err() != nil, err
		}
		c.settle(to)
		return true, nil
	})
}

// enter waits for the turn of a call, and tells where it goes. leave ends the turn.
func (c *Client) enter(ctx context.Context, call proto.Message) (to target, leave func(), err error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return to, nil, fmt.Errorf("%s not sent: %w", messageName(call), context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		<-c.turn
		return to, nil, fmt.Errorf("%s not sent: client %w", messageName(call), ErrClosed)
	}
	return c.target, func() { <-c.turn }, nil
}

// settle makes to the target of calls, unless a subscription already has one.
func (c *Client) settle(to target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.streamed || !c.target.streamed {
		c.target = to
	}
}

// head is the beginning of a request to e, up to the digits of Content-Length.
func (c *Client) head(e endpoint, streamID string) string {
	var b strings.Builder
	b.WriteString("POST " + e.path + " HTTP/1.1\r\nHost: " + e.host)
	b.WriteString("\r\nContent-Type: " + c.opts.Codec.ContentType())
	b.WriteString("\r\nAccept: " + c.opts.Codec.ContentType())
	if c.opts.Authorization != "" {
		b.WriteString("\r\nAuthorization: " + c.opts.Authorization)
	}
	if streamID != "" {
		b.WriteString("\r\n" + StreamIDHeader + ": " + streamID)
	}
	b.WriteString("\r\nContent-Length: ")
	return b.String()
}

// maxRedirects is how often one server may send us on: masters that disagree on
// who leads must not make us run in circles.
const maxRedirects = 5

// walk tries the servers in turn, beginning with the one that worked last, and
// follows their redirects. A server that refuses the request itself ends it,
// and so does try by saying stop.
func (c *Client) walk(try func(endpoint) (stop bool, err error)) error {
	c.mu.Lock()
	servers := c.servers
	if last := c.target.endpoint; last.host != "" {
		servers = slices.DeleteFunc(slices.Clone(servers), func(e endpoint) bool { return e == last })
		servers = slices.Insert(servers, 0, last)
	}
	c.mu.Unlock()

	var failures []error
	for _, e := range servers {
		stop, err := try(e)
		for hop := 0; hop < maxRedirects && !stop; hop++ {
			next, ok := redirected(e, err)
			if !ok {
				break
			}
			e = next
			stop, err = try(e)
		}
		if stop || err == nil || refused4xx(err) {
			return err
		}
		failures = append(failures, err)
	}
	if len(failures) == 1 {
		return failures[0]
	}
	return errors.Join(failures...)
}

// refused4xx reports whether err is a refusal that other servers would repeat.
func refused4xx(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code >= 400 && status.Code < 500
}

// redirected is where err, the answer of e, sends us.
func redirected(e endpoint, err error) (endpoint, bool) {
	status, ok := errors.AsType[*StatusError](err)
	if !ok || status.Code != http.StatusTemporaryRedirect && status.Code != http.StatusPermanentRedirect {
		return endpoint{}, false
	}
	return e.follow(status.Location)
}

// post sends one call on the connection of calls, connecting it if need be.
func (c *Client) post(ctx context.Context, to target, call, answer proto.Message) error {
	request, err := c.encode(to.head, call)
	if err != nil {
		return err
	}
	line, err := c.connect(ctx, to.endpoint)
	if err != nil {
		return err
	}
	release := line.bind(ctx, time.Now().Add(c.opts.CallTimeout))
	err = release(c.exchange(line, request, answer))
	if !line.reusable {
		c.hangUp(line)
	}
	return err
}

// encode lays the whole request out in buf, so that it is one write: the body
// behind a gap, then the head into the end of that gap.
func (c *Client) encode(head string, call proto.Message) ([]byte, error) {
	const digits = 20
	gap := len(head) + digits + len(headEnd)
	buf := slices.Grow(c.buf[:0], gap)[:gap]
	buf, err := c.opts.Codec.Append(buf, call)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", messageName(call), err)
	}
	if cap(buf) <= keepBuffer {
		c.buf = buf
	}
	length := len(buf) - gap
	begin := gap - len(headEnd) - decimalLen(length) - len(head)
	_ = append(strconv.AppendInt(append(buf[:begin], head...), int64(length), 10), headEnd...)
	return buf[begin:], nil
}

// connect returns the connection of calls, which leads to e and was alive a
// moment ago.
func (c *Client) connect(ctx context.Context, e endpoint) (*conn, error) {
	c.mu.Lock()
	line := c.line
	c.mu.Unlock()
	if line != nil {
		if line.to == e && line.alive() {
			return line, nil
		}
		c.hangUp(line)
	}
	line, err := c.dial(ctx, e)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		line.Close()
		return nil, fmt.Errorf("call %s: client %w", e.host, ErrClosed)
	}
	c.line = line
	return line, nil
}

func (c *Client) dial(ctx context.Context, e endpoint) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.DialTimeout)
	defer cancel()
	return dial(ctx, e, c.opts.TLS, c.opts.Dial)
}

func (c *Client) hangUp(line *conn) {
	line.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == line {
		c.line = nil
	}
}

// exchange writes a request and reads the answer.
func (c *Client) exchange(line *conn, request []byte, answer proto.Message) error {
	if err := line.send(request); err != nil {
		return err
	}
	return c.receive(line, answer)
}

// receive reads the answer to one request.
func (c *Client) receive(line *conn, answer proto.Message) error {
	line.reusable = false
	if answer == nil && line.skipAccepted() {
		return nil
	}
	resp, err := line.receive(int64(c.opts.MaxRecord) + maxHead)
	if err != nil {
		return err
	}
	if answer == nil {
		if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusOK {
			return line.statusError(resp)
		}
		_, err := line.finish(resp, maxErrorText)
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return line.statusError(resp)
	}
	body, err := line.finish(resp, c.opts.MaxRecord)
	if err != nil {
		return err
	}
	if err := c.opts.Codec.expect(resp.Header); err != nil {
		return fmt.Errorf("%s: %w", line.to.host, err)
	}
	if err := c.opts.Codec.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: answer of %d bytes: %w", line.to.host, len(body), err)
	}
	return nil
}

// expect checks that an answer is in the codec that was asked for.
func (c Codec) expect(h http.Header) error {
	if got := h.Get("Content-Type"); codecOf(got) != c {
		return fmt.Errorf("answer has Content-Type %q, expected %q", got, c.ContentType())
	}
	return nil
}
