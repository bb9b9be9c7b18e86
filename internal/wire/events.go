package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
)

// EventStream is a subscription, read by one goroutine.
type EventStream struct {
	// Server is the "host:port" that took the subscription.
	Server string
	// ID is the Mesos-Stream-Id, empty where there is none.
	ID string

	ctx     context.Context
	codec   Codec
	line    *conn
	records *RecordReader
	unbind  func() bool
}

// Subscribe posts a SUBSCRIBE and returns the stream of events that answers it.
// It tries one server after the other and follows redirects to the leader;
// calls go there from now on. A server that answers with another status than
// 200 makes it return a [StatusError]. The stream ends with ctx.
func (c *Client) Subscribe(ctx context.Context, call proto.Message) (*EventStream, error) {
	body, err := c.opts.Codec.Marshal(call)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", messageName(call), err)
	}
	var stream *EventStream
	err = c.walk(func(e endpoint) (stop bool, err error) {
		stream, err = c.subscribe(ctx, e, body)
		return ctx.Err() != nil, err
	})
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (c *Client) subscribe(ctx context.Context, e endpoint, body []byte) (*EventStream, error) {
	line, err := c.dial(ctx, e)
	if err != nil {
		return nil, err
	}
	release := line.bind(ctx, time.Now().Add(c.opts.CallTimeout))
	resp, err := c.open(line, e, body)
	if err = release(err); err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		line.Close()
		return nil, err
	}
	line.SetDeadline(time.Time{})

	s := &EventStream{
		Server:  e.host,
		ID:      resp.Header.Get(StreamIDHeader),
		ctx:     ctx,
		codec:   c.opts.Codec,
		line:    line,
		records: NewRecordReader(resp.Body, c.opts.MaxRecord),
	}
	s.unbind = context.AfterFunc(ctx, func() { line.Close() })
	c.settle(target{endpoint: e, head: c.head(e, s.ID), streamed: true})
	return s, nil
}

// open sends the SUBSCRIBE and reads the head of the answer.
func (c *Client) open(line *conn, e endpoint, body []byte) (*http.Response, error) {
	request := strconv.AppendInt([]byte(c.head(e, "")), int64(len(body)), 10)
	request = append(request, headEnd...)
	request = append(request, body...)
	if err := line.send(request); err != nil {
		return nil, err
	}
	resp, err := line.receive(maxHead)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, line.statusError(resp)
	}
	if err := c.opts.Codec.expect(resp.Header); err != nil {
		return nil, fmt.Errorf("subscribe at %s: %w", e.host, err)
	}
	if id := resp.Header.Get(StreamIDHeader); !printable(id) {
		return nil, fmt.Errorf("subscribe at %s: %s %q contains control characters", e.host, StreamIDHeader, id)
	}
	return resp, nil
}

// Next waits for the next event and decodes it into event. It returns io.EOF
// when the server has ended the stream on purpose; when the connection breaks
// off, an error that wraps [ErrPeerGone]. After an [UndecodableError] the stream
// can be read on, after any other it cannot.
func (s *EventStream) Next(event proto.Message) error {
	record, err := s.Receive()
	if err != nil {
		return err
	}
	if err := s.codec.Unmarshal(record, event); err != nil {
		return &UndecodableError{Record: append([]byte(nil), record...), Err: err}
	}
	return nil
}

// UndecodableError is an event that could not be decoded.
type UndecodableError struct {
	// Record is the event as it came in.
	Record []byte
	// Err says what is wrong with it.
	Err error
}

// Error says what is wrong, without the record.
func (e *UndecodableError) Error() string {
	return fmt.Sprintf("event of %d bytes: %v", len(e.Record), e.Err)
}

// Unwrap returns Err.
func (e *UndecodableError) Unwrap() error { return e.Err }

// Receive is Next without the decoding. The record is valid until the call
// after.
func (s *EventStream) Receive() ([]byte, error) {
	// Records are bounded by their reader; a stream as a whole is not.
	s.line.budget = 1 << 62
	record, err := s.records.Next()
	switch {
	case err == nil || err == io.EOF:
		return record, err
	case s.ctx.Err() != nil:
		return nil, fmt.Errorf("events from %s: %w", s.Server, context.Cause(s.ctx))
	case errors.Is(err, net.ErrClosed):
		return nil, fmt.Errorf("events from %s: %w", s.Server, ErrClosed)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("events from %s: %w: nothing came in for %v", s.Server, ErrPeerGone, s.line.silence)
	case errors.Is(err, ErrMalformedRecord) || errors.Is(err, ErrRecordTooLarge):
		return nil, fmt.Errorf("events from %s: %w", s.Server, err)
	}
	return nil, fmt.Errorf("events from %s: %w: %w", s.Server, ErrPeerGone, err)
}

// SetSilence makes a stream fail on which nothing comes in for that long, which
// should be several heartbeats. 0 waits for ever. It is called by the goroutine
// that reads.
func (s *EventStream) SetSilence(limit time.Duration) {
	s.line.silence = limit
	if limit <= 0 {
		s.line.SetReadDeadline(time.Time{})
	}
}

// Close ends the stream. The server notices.
func (s *EventStream) Close() error {
	s.unbind()
	return s.line.Close()
}
