package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// Why a held connection ended. Err returns one of these, possibly wrapped, or
// the cause that its owner closed it with.
var (
	// ErrClosed is the cause when Close or Finish was given none.
	ErrClosed = errors.New("closed by this side")

	// ErrSlowConsumer means that the peer did not read fast enough: its queue
	// was full, or a write took longer than the deadline.
	ErrSlowConsumer = errors.New("the peer reads too slowly")

	// ErrPeerGone means that the peer closed the connection, or half of it, or
	// that the connection broke.
	ErrPeerGone = errors.New("the peer is gone")
)

const (
	// DefaultMaxQueued bounds the queue of a held connection.
	DefaultMaxQueued = 32 << 20

	// DefaultWriteTimeout is how long a peer may take to accept some bytes.
	DefaultWriteTimeout = 30 * time.Second

	// writeStep is how much goes out under one write deadline, so that a large
	// queue is no reason to call a steady reader slow.
	writeStep = 64 << 10
)

// outbox is the sending half of a held connection: frames wait in one buffer,
// and a goroutine that writes them exists only while there are any. The
// connection's end is decided here, because a sender is who notices most of
// them:
//
//	open ──Finish──▶ draining ──▶ half closed ──▶ ended
//	  └───────────Close, a failure, the peer───────▶
//
// The first cause wins. From then on nothing is accepted; what was accepted is
// still written on the upper way and dropped on the lower one.
type outbox struct {
	// immutable after init
	conn    net.Conn
	limit   int           // bytes that may wait behind those being written
	timeout time.Duration // for each writeStep
	chunked bool          // frames are HTTP chunks around records
	done    chan struct{}

	mu       sync.Mutex
	queue    []byte // frames that wait for the writer
	err      error  // why nothing is accepted any more
	draining bool   // close for writing once the queue is empty
	ended    bool   // the connection is closed
	writing  bool   // a writer runs
	watching bool   // a watcher of our own runs (Stream)

	// timer is the next heartbeat while the connection is open, and the
	// patience with the peer once it is half closed.
	timer *time.Timer
}

func (o *outbox) init(conn net.Conn, limit int, timeout time.Duration) {
	o.conn = conn
	o.limit = limit
	if limit <= 0 {
		o.limit = DefaultMaxQueued
	}
	o.timeout = timeout
	if timeout <= 0 {
		o.timeout = DefaultWriteTimeout
	}
	o.done = make(chan struct{})
}

// Send queues a copy of record and returns at once. An error means that the
// connection has ended, and says why. The one way in which Send itself ends it
// is a full queue: it takes one more record, of any size, as long as less than
// MaxQueued bytes wait.
func (o *outbox) Send(record []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if len(o.queue) >= o.limit {
		o.abortLocked(fmt.Errorf("%w: %d bytes wait for it", ErrSlowConsumer, len(o.queue)))
		return o.err
	}
	if o.queue == nil {
		o.queue = queues.get()
	}
	if o.chunked {
		o.queue = appendChunk(o.queue, record)
	} else {
		o.queue = AppendRecord(o.queue, record)
	}
	o.startLocked()
	return nil
}

// appendChunk appends payload as a record that is one HTTP chunk.
func appendChunk(dst, payload []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(recordLen(len(payload))), 16)
	dst = append(dst, "\r\n"...)
	dst = AppendRecord(dst, payload)
	return append(dst, "\r\n"...)
}

// Close ends the connection at once: what waits is dropped, and the peer sees
// it break off. Err returns cause from now on (ErrClosed if cause is nil),
// unless the end had another cause already.
func (o *outbox) Close(cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.abortLocked(cause)
}

// Done is closed when the connection has ended and its goroutines with it.
func (o *outbox) Done() <-chan struct{} { return o.done }

// Err is nil as long as records are accepted, then the first cause of the end.
func (o *outbox) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// Queued is the number of bytes that wait behind those being written.
func (o *outbox) Queued() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue)
}

// raw queues bytes that are no record.
func (o *outbox) raw(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.queue = append(o.queue, b...)
		o.startLocked()
	}
}

// finish accepts nothing more, writes what waits and then tail, and closes the
// connection for writing. It ends when the peer hangs up, or after lingerTime.
func (o *outbox) finish(cause error, tail string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return
	}
	o.err = orClosed(cause)
	if o.timer != nil {
		o.timer.Stop()
	}
	o.draining = true
	o.queue = append(o.queue, tail...)
	o.startLocked()
}

// abortLocked closes the connection under the feet of writer and reader. It
// waits for neither.
func (o *outbox) abortLocked(cause error) {
	if o.err == nil {
		o.err = orClosed(cause)
	}
	if o.ended {
		return
	}
	o.ended = true
	o.draining = false
	o.queue = nil
	if o.timer != nil {
		o.timer.Stop()
	}
	transport(o.conn).Close()
	o.settleLocked()
}

func orClosed(cause error) error {
	if cause == nil {
		return ErrClosed
	}
	return cause
}

// transport is what a TLS connection runs on. Closing that one breaks off at
// once, where closing the TLS connection may wait to say goodbye.
func transport(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// settleLocked closes done when the last of those who could do it comes by.
func (o *outbox) settleLocked() {
	if o.ended && !o.writing && !o.watching {
		close(o.done)
	}
}

// watched is the last act of a watcher, after it has ended the connection.
func (o *outbox) watched() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watching = false
	o.settleLocked()
}

// startLocked sees to it that there is a writer. It ends by itself.
func (o *outbox) startLocked() {
	if !o.writing {
		o.writing = true
		go o.write()
	}
}

// write writes until nothing is queued.
func (o *outbox) write() {
	var batch []byte
	for {
		var hangUp bool
		batch, hangUp = o.next(batch)
		switch {
		case hangUp:
			o.hangUp()
		case batch == nil:
			return
		default:
			if err := o.push(batch); err != nil {
				o.Close(err)
			}
		}
	}
}

// next takes the queue over for writing and leaves spare in its place. Without
// a queue it ends the writer, after hanging up if this is the end.
func (o *outbox) next(spare []byte) (batch []byte, hangUp bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) > 0 {
		batch = o.queue
		o.queue = nil
		if cap(spare) <= o.limit { // else one huge record would stay with a busy writer
			o.queue = spare[:0]
		}
		return batch, false
	}
	queues.put(spare)
	queues.put(o.queue)
	o.queue = nil
	if o.draining {
		o.draining = false
		return nil, true
	}
	o.writing = false
	o.settleLocked()
	return nil, false
}

// push writes batch, each step of it within the timeout.
func (o *outbox) push(batch []byte) error {
	for len(batch) > 0 {
		step := batch[:min(len(batch), writeStep)]
		o.conn.SetWriteDeadline(time.Now().Add(o.timeout))
		if _, err := o.conn.Write(step); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("%w: it did not accept %d bytes in %v", ErrSlowConsumer, len(step), o.timeout)
			}
			return fmt.Errorf("%w: %w", ErrPeerGone, err)
		}
		batch = batch[len(step):]
	}
	return nil
}

// lingerTime is how long a peer that was told the end may take to hang up.
const lingerTime = 2 * time.Second

// hangUp tells the peer that nothing more will come. Whoever reads sees it hang
// up as well, and ends the connection. A plain close would do it sooner, but if
// something of the peer is still unread it makes the kernel drop what the peer
// has not read yet.
func (o *outbox) hangUp() {
	half, ok := o.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		o.Close(nil)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.timer = time.AfterFunc(lingerTime, func() { o.Close(nil) })
	}
}

// queues keeps the buffers of connections that have nothing to send, for those
// that have.
var queues queuePool

type queuePool struct{ pool sync.Pool }

func (p *queuePool) get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 4<<10)
}

func (p *queuePool) put(b []byte) {
	if cap(b) > 0 && cap(b) <= keepBuffer {
		p.pool.Put(&b)
	}
}
