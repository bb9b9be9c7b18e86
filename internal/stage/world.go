package stage

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"sync"
	"testing/synctest"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/memnet"
	"github.com/meseta/meseta/internal/sim/agenda"
	"github.com/meseta/meseta/internal/wire"
)

// How long things take. They differ, so that what meets at one moment does so on purpose only.
const (
	linkTime   = time.Millisecond       // a message between master and agent
	diskTime   = 500 * time.Microsecond // a record of the registry or of a journal
	startTime  = 5 * time.Millisecond   // of a container
	callTime   = 130 * time.Microsecond // a call, until it is looked at
	retryTime  = time.Second            // until an agent tries again to find a master
	silentTime = 75 * time.Second       // until a silent connection counts as dead
)

// World is the time and the network of a stage, and what has happened on it.
type World struct {
	Net memnet.Network

	begin time.Time
	wake  chan struct{} // holds a token when the agenda has changed
	end   chan struct{}
	wg    sync.WaitGroup // everything that was started

	mu      sync.Mutex
	agenda  agenda.Agenda[func()]
	servers []*http.Server
	history []Entry
	turns   int           // that were given
	changed chan struct{} // closed when something has happened; nil while nobody waits for that
}

// Entry is a line of history.
type Entry struct {
	At   time.Duration // since the beginning
	Who  string
	What string
}

// String gives the line as people read it.
func (e Entry) String() string {
	return fmt.Sprintf("%10.3fs  %-12s %s", e.At.Seconds(), e.Who, e.What)
}

// NewWorld begins a world, inside a synctest bubble.
func NewWorld() *World {
	w := &World{begin: time.Now(), wake: make(chan struct{}, 1), end: make(chan struct{})}
	w.wg.Go(w.run)
	return w
}

// run makes happen what is on the agenda.
func (w *World) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(w.catchUp())
		select {
		case <-timer.C:
		case <-w.wake:
		case <-w.end:
			return
		}
	}
}

// catchUp makes everything happen whose moment has come, and says how long there is nothing more to do.
func (w *World) catchUp() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.agenda.Empty() && w.agenda.Next() <= w.Now() {
		_, do := w.agenda.Take()
		do()
		w.stirred()
	}
	if w.agenda.Empty() {
		return time.Hour
	}
	return w.agenda.Next() - w.Now()
}

// Close ends the world and everything in it. Whoever plays something must have been told before.
func (w *World) Close() {
	for _, s := range w.servers {
		s.Close()
	}
	close(w.end)
	w.wg.Wait()
	time.Sleep(time.Second) // handlers and streams notice that their connections are gone
}

// Now is the time since the beginning.
func (w *World) Now() time.Duration { return time.Since(w.begin) }

func (w *World) clock() core.Time { return core.Time{Mono: w.Now(), Wall: time.Now()} }

// Do does something while nothing else happens.
func (w *World) Do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.stirred()
}

// Visit does something after a time, behind what is on the agenda for that moment, and waits for it. It is the way
// in for all that comes from other goroutines by itself: when a call and a deadline meet, the deadline is first, in
// every run. Once the world has ended, nothing is done.
func (w *World) Visit(d time.Duration, f func()) {
	done := make(chan struct{})
	w.Do(func() {
		w.after(d, func() {
			defer close(done)
			f()
		})
	})
	select {
	case <-done:
	case <-w.end:
	}
}

// stirred wakes whoever waits for something to happen.
func (w *World) stirred() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// after has something happen a while later.
func (w *World) after(d time.Duration, f func()) {
	w.agenda.Put(w.Now()+max(0, d), f)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// turn gives everyone who begins a moment of his own.
func (w *World) turn() time.Duration {
	w.turns++
	return time.Duration(w.turns%1000) * time.Microsecond
}

// turnOf is a moment of his own for somebody in the network.
func turnOf(name string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(name))
	return time.Duration(h.Sum32()%61) * time.Microsecond
}

// Logf writes history. It is called inside Do.
func (w *World) Logf(who, format string, args ...any) {
	w.history = append(w.history, Entry{w.Now(), who, fmt.Sprintf(format, args...)})
}

// History is what has happened so far.
func (w *World) History() []Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.history[:len(w.history):len(w.history)]
}

// Await waits until something is the case, which is asked for inside Do whenever something has happened. It
// gives up after a time, or when ctx ends, and says so.
func (w *World) Await(ctx context.Context, patience time.Duration, holds func() bool) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		w.mu.Lock()
		ok := holds()
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// Poll waits until something is the case that is not the world's own: it asks whenever something has happened, when
// everybody is at rest, and every tenth of a second. It gives up as Await does.
func (w *World) Poll(ctx context.Context, patience time.Duration, holds func() bool) bool {
	for begin := w.Now(); ; {
		synctest.Wait()
		if holds() {
			return true
		}
		if w.Now()-begin >= patience || ctx.Err() != nil {
			return false
		}
		asked := false
		w.Await(ctx, 100*time.Millisecond, func() bool {
			again := asked
			asked = true
			return again
		})
	}
}

// serve serves HTTP at a name.
func (w *World) serve(name string, handler http.Handler) {
	server := wire.NewServer(handler, slog.New(slog.DiscardHandler))
	w.servers = append(w.servers, server)
	listener := w.Net.Listen(name)
	w.wg.Go(func() { _ = server.Serve(listener) }) // it ends when Close closes it
}

// alarm is the one moment at which a core wants to be woken.
type alarm struct{ at time.Duration }

// set puts the alarm to a core's next deadline. It rings only if nobody has put it to another moment.
func (a *alarm) set(w *World, next time.Duration, ring func()) {
	if next == a.at {
		return
	}
	a.at = next
	if next == core.Never {
		return
	}
	w.after(next-w.Now(), func() {
		if a.at == next {
			a.at = core.Never
			ring()
		}
	})
}
