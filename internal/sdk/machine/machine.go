// Package machine runs a driver's core in the real world. It owns the lock around the core, the clock and
// the one timer; it knows nothing of schedulers and executors.
//
// A lock and not a goroutine owns the core, because a driver's methods are called from anywhere and answer
// at once with a status. Nothing that can wait happens under it: a step computes, and carrying an output
// out means handing it to a goroutine. So no method of a driver waits for another, or for a callback.
package machine

import (
	"sync"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
)

// Core is what a Machine runs.
type Core[In, Out any] interface {
	Step(now core.Time, in In) []Out
	NextDeadline() time.Duration
	Status() mesos.Status
	Idle() bool // no callback is out or waits
}

// Machine runs one core. Its methods may be called from any goroutine.
type Machine[In, Out any] struct {
	carry func(Out) // immutable; called with mu held, and must neither wait nor call the machine
	tick  In        // immutable

	ended chan struct{} // closed when the core no longer runs
	quiet chan struct{} // closed when it does not and makes no callback either

	epoch time.Time // immutable

	mu    sync.Mutex
	core  Core[In, Out]
	timer *time.Timer
	armed time.Duration // when the timer fires, or core.Never
}

// New makes a machine for a core. Outputs go to carry; tick is the input that says nothing but the time.
func New[In, Out any](c Core[In, Out], tick In, carry func(Out)) *Machine[In, Out] {
	return &Machine[In, Out]{
		carry: carry,
		tick:  tick,
		ended: make(chan struct{}),
		quiet: make(chan struct{}),
		epoch: time.Now(),
		core:  c,
		armed: core.Never,
	}
}

// Do applies an input, and returns the status before and after.
func (m *Machine[In, Out]) Do(in In) (before, after mesos.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = m.core.Status()
	for _, out := range m.core.Step(m.now(), in) {
		m.carry(out)
	}
	after = m.core.Status()
	if after != mesos.Status_DRIVER_NOT_STARTED && after != mesos.Status_DRIVER_RUNNING {
		closeOnce(m.ended)
		if m.core.Idle() {
			closeOnce(m.quiet)
		}
	}
	m.arm()
	return before, after
}

// Status is the core's status.
func (m *Machine[In, Out]) Status() mesos.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.core.Status()
}

// Locked calls f while nothing happens to the core.
func (m *Machine[In, Out]) Locked(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// Ended is closed when the driver is stopped or aborted.
func (m *Machine[In, Out]) Ended() <-chan struct{} { return m.ended }

// Quiet is closed when, on top of that, the last callback has returned.
func (m *Machine[In, Out]) Quiet() <-chan struct{} { return m.quiet }

// arm sees to a tick at the core's next deadline. The timer may fire early, never late: it is left alone
// when the deadline only moves away, as it does with each sign of life from a server.
func (m *Machine[In, Out]) arm() {
	next := m.core.NextDeadline()
	if next == core.Never && m.timer != nil {
		m.timer.Stop()
		m.armed = core.Never
	}
	if next >= m.armed {
		return
	}
	m.armed = next
	wait := max(0, next-m.now().Mono)
	if m.timer == nil {
		m.timer = time.AfterFunc(wait, m.fire)
	} else {
		m.timer.Reset(wait)
	}
}

func (m *Machine[In, Out]) fire() {
	m.mu.Lock()
	m.armed = core.Never
	m.mu.Unlock()
	m.Do(m.tick)
}

func (m *Machine[In, Out]) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(m.epoch), Wall: now}
}

func closeOnce(ch chan struct{}) {
	select {
	case <-ch:
	default:
		close(ch)
	}
}
