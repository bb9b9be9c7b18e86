package supervisor

import (
	"context"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
)

// ender signals process sets, and kills them until nothing is left. That takes
// looking through directories or /proc, again and again: no work for the loop.
type ender struct {
	wake chan struct{} // a token when there may be something to do

	mu        sync.Mutex
	terminate []container.ID            // guarded by mu
	destroy   map[container.ID]struct{} // guarded by mu; a set stays until it is vacant
}

func newEnder() *ender {
	return &ender{wake: make(chan struct{}, 1), destroy: map[container.ID]struct{}{}}
}

// poke makes the ender look again, because something died.
func (e *ender) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *ender) askTerminate(id container.ID) {
	e.mu.Lock()
	e.terminate = append(e.terminate, id)
	e.mu.Unlock()
	e.poke()
}

func (e *ender) askDestroy(id container.ID) {
	e.mu.Lock()
	e.destroy[id] = struct{}{}
	e.mu.Unlock()
	e.poke()
}

func (e *ender) work() (terminate, destroy []container.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	terminate, e.terminate = e.terminate, nil
	return terminate, slices.Collect(maps.Keys(e.destroy))
}

func (e *ender) done(ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range ids {
		delete(e.destroy, container.ID(id))
	}
}

// How often a set that is being destroyed is looked at, when nothing dies that
// would tell: soon, and then ever less often.
const (
	lookAgainFirst = time.Millisecond
	lookAgainLast  = 50 * time.Millisecond
)

// end is the ender's goroutine.
func (s *server) end(ctx context.Context) {
	pause := lookAgainFirst
	again := time.NewTimer(pause)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ender.wake:
		case <-again.C:
		}
		terminate, destroy := s.ender.work()
		for _, id := range terminate {
			s.terminate(id)
		}
		ended := s.destroy(destroy)
		if tidy := s.limiter.Tidy(); tidy && len(destroy) == 0 {
			pause = lookAgainFirst
			continue
		}
		if ended > 0 {
			pause = lookAgainFirst
		}
		again.Reset(pause)
		pause = min(2*pause, lookAgainLast)
	}
}

// terminate sends SIGTERM to a whole set, and to the main process even where the
// set does not show it (it may have cleared its environment).
func (s *server) terminate(id container.ID) {
	signalled := s.sets.Signal(string(id), syscall.SIGTERM)
	if !slices.Contains(signalled, s.mains.pid(id)) {
		s.mains.signal(id, syscall.SIGTERM)
	}
}

// destroy kills what it finds in the sets, tells which are vacant now, and returns
// how many those are.
func (s *server) destroy(ids []container.ID) int {
	if len(ids) == 0 {
		return 0
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		s.mains.signal(id, syscall.SIGKILL)
		names[i] = string(id)
		// Its cgroups may be gone before its main process is reaped.
		if m := s.limiter.Killed(names[i]); m != nil {
			s.tell(ledger.OutOfMemory{ID: id, Memory: *m})
		}
	}
	vacant := s.sets.Destroy(names)
	s.ender.done(vacant)
	for _, id := range vacant {
		s.emptied(id)
		s.tell(ledger.Vacant{ID: container.ID(id)})
	}
	return len(vacant)
}
