package wire

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ErrStrayInput means that the client of a Stream kept on sending although its
// request was complete.
var ErrStrayInput = errors.New("the client sends where it should only read")

// maxStrayInput is how much of that is ignored.
const maxStrayInput = 64 << 10

// HoldOptions say how to hold a connection. Only Codec is required.
type HoldOptions struct {
	// Codec is the codec of the records; the answer's Content-Type names it.
	Codec Codec
	// StreamID is announced as Mesos-Stream-Id, unless it is empty.
	StreamID string
	// MaxQueued bounds the bytes that wait for a slow client, which is
	// disconnected beyond that. 0 means DefaultMaxQueued.
	MaxQueued int
	// WriteTimeout is how long the client may take to accept some bytes before
	// it counts as too slow. 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration
	// OnEnd, unless it is nil, is called once when the stream has ended, with
	// what Err returns. It runs on the stream's own goroutine, which saves one
	// that would wait for Done; Done is closed when it has returned.
	OnEnd func(cause error)
}

// Stream is the answer to a SUBSCRIBE: a response that is held open for one
// record after the other. Send, Close, Done and Err may be called from any
// goroutine. The stream lives on when the handler has returned, and it must
// return for the request's memory to be freed; an http.Server does not know
// its streams, so its Shutdown leaves them open.
type Stream struct {
	outbox
	onEnd func(error)
}

// Hold takes the connection over from the HTTP server and begins the answer.
// If it cannot, it has answered with an error.
func Hold(w http.ResponseWriter, r *http.Request, opts HoldOptions) (*Stream, error) {
	if opts.Codec == 0 {
		NotAcceptable(w)
		return nil, fmt.Errorf("hold %s: no codec is acceptable to the client", r.URL.Path)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		Answer(w, http.StatusHTTPVersionNotSupported, "Expecting HTTP/1.1 for a held stream")
		return nil, fmt.Errorf("hold %s: %w", r.URL.Path, err)
	}
	// What the server had read ahead is dropped: after a SUBSCRIBE the client
	// has nothing to say on this connection.
	s := &Stream{onEnd: opts.OnEnd}
	s.init(conn, opts.MaxQueued, opts.WriteTimeout)
	s.chunked = true
	s.watching = true
	s.raw(appendHead(nil, time.Now(), opts))
	go s.watch()
	return s, nil
}

// appendHead appends the response's head, its lines in Mesos' order. It says that the connection ends with the
// stream: a client that keeps it for its next call would find it closed, and could not know whether that was taken.
func appendHead(dst []byte, now time.Time, opts HoldOptions) []byte {
	dst = append(dst, "HTTP/1.1 200 OK\r\nDate: "...)
	dst = now.UTC().AppendFormat(dst, http.TimeFormat)
	dst = append(dst, "\r\nTransfer-Encoding: chunked\r\n"...)
	if opts.StreamID != "" {
		dst = append(dst, StreamIDHeader+": "...)
		dst = append(dst, opts.StreamID...)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "Content-Type: "...)
	dst = append(dst, opts.Codec.ContentType()...)
	return append(dst, "\r\nConnection: close\r\n\r\n"...)
}

// Heartbeat sends record after the duration first, and then again and again
// every so often until the stream ends. With first = 0 it is queued now, right
// behind what was sent before; so begin with the SUBSCRIBED event and call this
// once, next. The stream keeps record, which may be shared between streams.
func (s *Stream) Heartbeat(record []byte, first, every time.Duration) {
	if first <= 0 {
		if s.Send(record) != nil {
			return
		}
		first = every
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.timer != nil {
		return
	}
	s.timer = time.AfterFunc(first, func() {
		if s.Send(record) != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.timer.Reset(every)
		}
	})
}

// Finish ends the stream the way Mesos ends one on purpose: nothing more is
// accepted, what waits is written, and then the zero chunk. It does not wait
// for that. Err returns cause from now on, or ErrClosed if cause is nil.
func (s *Stream) Finish(cause error) {
	s.finish(cause, "0\r\n\r\n")
}

// watch waits for the client to hang up. A client that only closes its sending
// half looks the same, and is treated the same, as in Mesos.
func (s *Stream) watch() {
	s.Close(drain(s.conn))
	if s.onEnd != nil {
		s.onEnd(s.Err())
	}
	s.watched()
}

// drain reads until it cannot, and says why.
func drain(conn net.Conn) error {
	scrap := make([]byte, 64)
	for left := maxStrayInput; left > 0; {
		n, err := conn.Read(scrap)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPeerGone, err)
		}
		left -= n
	}
	return fmt.Errorf("%w: more than %d bytes", ErrStrayInput, maxStrayInput)
}
