package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultMaxRecord is the largest record that is read unless said otherwise.
const DefaultMaxRecord = 64 << 20

// LinkOptions bound what a link stores for its peer.
type LinkOptions struct {
	// MaxQueued bounds the bytes that wait for a slow peer, which is
	// disconnected beyond that. 0 means DefaultMaxQueued.
	MaxQueued int
	// MaxRecord is the largest record that is received. 0 means
	// DefaultMaxRecord.
	MaxRecord int
	// WriteTimeout is how long the peer may take to accept some bytes before
	// it counts as too slow. 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration
}

// Link is a connection on which both sides send records whenever they like.
// One goroutine receives; everything else may be called from any. Both ends
// are alike.
type Link struct {
	outbox
	in     *RecordReader
	opened time.Time
	heard  atomic.Int64 // nanoseconds after opened
	deaf   atomic.Bool  // nobody is in Receive
}

func newLink(conn net.Conn, early []byte, opts LinkOptions) *Link {
	l := &Link{opened: time.Now()}
	l.deaf.Store(true)
	l.init(conn, opts.MaxQueued, opts.WriteTimeout)
	maxRecord := opts.MaxRecord
	if maxRecord <= 0 {
		maxRecord = DefaultMaxRecord
	}
	src := io.Reader((*linkReader)(l))
	if len(early) > 0 {
		src = io.MultiReader(bytes.NewReader(early), src)
	}
	l.in = NewRecordReader(src, maxRecord)
	return l
}

// linkReader notes when something came in.
type linkReader Link

func (r *linkReader) Read(p []byte) (int, error) {
	n, err := r.conn.Read(p)
	if n > 0 {
		(*Link)(r).hear()
	}
	return n, err
}

func (l *Link) hear() { l.heard.Store(int64(time.Since(l.opened))) }

// Receive returns the next record, which is valid until the call after. An
// error means that the link has ended, and is the same as Err's.
func (l *Link) Receive() ([]byte, error) {
	l.hear()
	l.deaf.Store(false)
	defer l.deaf.Store(true)

	record, err := l.in.Next()
	if err == nil {
		return record, nil
	}
	if !errors.Is(err, ErrMalformedRecord) && !errors.Is(err, ErrRecordTooLarge) {
		err = fmt.Errorf("%w: %w", ErrPeerGone, err)
	}
	l.Close(err)
	return nil, l.Err()
}

// LastReceived is when the peer was last known to be alive: when the last byte
// of it came in, but not while nobody was listening. As long as the receiving
// goroutine is busy elsewhere that is now, so that nobody is timed out behind
// our own backlog.
func (l *Link) LastReceived() time.Time {
	if l.deaf.Load() {
		return time.Now()
	}
	return l.opened.Add(time.Duration(l.heard.Load()))
}

// Finish accepts nothing more, and closes the link once what waits is written.
// It does not wait for that. Err returns cause from now on, or ErrClosed if
// cause is nil. Receive goes on until the peer hangs up.
func (l *Link) Finish(cause error) {
	l.finish(cause, "")
}

// AcceptLink answers a request to upgrade to protocol ("meseta-agent/1"). If
// it cannot, it has answered with an error.
func AcceptLink(w http.ResponseWriter, r *http.Request, protocol string, opts LinkOptions) (*Link, error) {
	if err := checkUpgrade(w, r, protocol); err != nil {
		return nil, fmt.Errorf("link for %s: %w", r.RemoteAddr, err)
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		Answer(w, http.StatusHTTPVersionNotSupported, "Expecting HTTP/1.1 for an upgrade")
		return nil, fmt.Errorf("link for %s: %w", r.RemoteAddr, err)
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	l := newLink(conn, bytes.Clone(early), opts)
	l.raw([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + protocol + "\r\nConnection: Upgrade\r\n\r\n"))
	return l, nil
}

// checkUpgrade answers a request that is none to upgrade to protocol.
func checkUpgrade(w http.ResponseWriter, r *http.Request, protocol string) error {
	switch upgrade := r.Header.Get("Upgrade"); {
	case r.Method != http.MethodGet:
		MethodNotAllowed(w, r, http.MethodGet)
		return fmt.Errorf("method %s, expected GET", r.Method)
	case !strings.EqualFold(upgrade, protocol) || !r.ProtoAtLeast(1, 1):
		w.Header().Set("Upgrade", protocol)
		w.Header().Set("Connection", "Upgrade")
		Answerf(w, http.StatusUpgradeRequired, "Expecting HTTP/1.1 and 'Upgrade' to be '%s', but received %s and '%s'", protocol, r.Proto, upgrade)
		return fmt.Errorf("upgrade of %s to %q, expected %q", r.Proto, upgrade, protocol)
	case !hasToken(r.Header["Connection"], "upgrade"):
		Answer(w, http.StatusBadRequest, "Expecting 'Connection' to contain 'Upgrade'")
		return errors.New("no upgrade in the Connection header")
	case r.ContentLength != 0:
		Answer(w, http.StatusBadRequest, "Expecting no body in a request to upgrade")
		return errors.New("request to upgrade has a body")
	}
	return nil
}

// hasToken reports whether a comma-separated header contains token.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(item), token) {
				return true
			}
		}
	}
	return false
}
