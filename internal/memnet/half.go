package memnet

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// half is one direction of a connection.
type half struct {
	mu       sync.Mutex
	data     []byte
	ended    bool  // nothing more will be written
	broken   error // nothing more will be read
	deadline time.Time
	alarm    *time.Timer
	changed  chan struct{} // closed at the next change, and replaced
}

func newHalf() *half { return &half{changed: make(chan struct{})} }

func (h *half) read(b []byte) (int, error) {
	for {
		n, err, changed := h.tryRead(b)
		if changed == nil {
			return n, err
		}
		<-changed
	}
}

// tryRead reads what is there; nothing, and a channel to wait on, if that is nothing yet.
func (h *half) tryRead(b []byte) (n int, err error, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.broken != nil:
		return 0, h.broken, nil
	case !h.deadline.IsZero() && !time.Now().Before(h.deadline):
		return 0, os.ErrDeadlineExceeded, nil
	case len(h.data) > 0:
		n = copy(b, h.data)
		h.data = h.data[n:]
		return n, nil, nil
	case h.ended:
		return 0, io.EOF, nil
	}
	return 0, nil, h.changed
}

func (h *half) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil || h.ended {
		return 0, syscall.EPIPE
	}
	h.data = append(h.data, b...)
	h.changeLocked()
	return len(b), nil
}

// end is the writer's last word.
func (h *half) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.changeLocked()
}

// fail ends the reading, and what was on its way is lost.
func (h *half) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return
	}
	h.broken, h.data = err, nil
	if h.alarm != nil {
		h.alarm.Stop()
	}
	h.changeLocked()
}

func (h *half) failed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.broken != nil
}

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alarm != nil {
		h.alarm.Stop()
		h.alarm = nil
	}
	h.deadline = t
	if !t.IsZero() && h.broken == nil {
		h.alarm = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changeLocked()
		})
	}
	h.changeLocked()
}

func (h *half) changeLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}
