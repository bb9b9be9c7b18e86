package master

import "sync"

// attendants are the goroutines beside held streams and links. They are hired while the master serves,
// also by handlers that its server does not wait for; once it has begun to stop, no more are.
type attendants struct {
	mu     sync.Mutex
	closed bool // guarded by mu
	all    sync.WaitGroup
}

// hire runs f on a goroutine of its own. It returns false, and does not, when the master stops.
func (a *attendants) hire(f func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.all.Go(f)
	return true
}

// dismiss hires nobody any more and waits for all to leave.
func (a *attendants) dismiss() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.all.Wait()
}
