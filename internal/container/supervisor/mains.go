package supervisor

import (
	"sync"
	"syscall"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/spawn"
)

// mains knows the main process of each container from its birth until it is
// reaped. A pid in here cannot be another process's: the kernel gives it to nobody
// as long as it has not been waited for, and only [mains.reap] waits, holding the
// lock that a signal needs.
type mains struct {
	mu      sync.Mutex
	changed *sync.Cond
	byPID   map[int]container.ID // guarded by mu, as all below
	byID    map[container.ID]int
	hands   []*spawn.Spawner
	most    int    // how many containers the maps have held at once
	births  uint64 // children that were ever started
	closed  bool
}

func newMains(hands []*spawn.Spawner) *mains {
	m := &mains{byPID: map[int]container.ID{}, byID: map[container.ID]int{}, hands: hands}
	m.changed = sync.NewCond(&m.mu)
	return m
}

// born notes the outcome of a fork: from now on the pid belongs to the container.
// A pid of 0 notes that there is none, or that it was no container in the end.
func (m *mains) born(hand *spawn.Spawner, id container.ID, pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid != 0 {
		m.byPID[pid], m.byID[id] = id, pid
		m.most = max(m.most, len(m.byPID))
	}
	hand.Forget()
	m.births++
	m.changed.Broadcast()
}

// underway reports whether a hand has cloned this child but not told yet whose it
// is.
func (m *mains) underwayLocked(pid int) bool {
	for _, hand := range m.hands {
		if hand.Child() == pid {
			return true
		}
	}
	return false
}

// still calls look while nothing is reaped, and lets it ask whether a child is a
// main process, or about to be one.
func (m *mains) still(look func(known func(pid int) bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	look(func(pid int) bool {
		_, ok := m.byPID[pid]
		return ok || m.underwayLocked(pid)
	})
}

// signal sends a signal to the main process of a container, if it has not been
// reaped.
func (m *mains) signal(id container.ID, sig syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid, ok := m.byID[id]; ok {
		syscall.Kill(pid, sig)
	}
}

// pid is the main process of a container, or 0.
func (m *mains) pid(id container.ID) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byID[id]
}

// killStrays kills all children that are not main processes. It is for the end,
// when no container is left.
func (m *mains) killStrays(children []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pid := range children {
		if _, ok := m.byPID[pid]; !ok && !m.underwayLocked(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// reap waits for a child that is dead already. It returns the container whose main
// process it was, or no id for any other. A child that a hand is just starting is
// waited for until the hand has told whose it is: it died, so the hand has gone on.
func (m *mains) reap(pid int) (container.ID, container.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.underwayLocked(pid) {
		m.changed.Wait()
	}
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); err != syscall.EINTR {
			break
		}
	}
	id, ok := m.byPID[pid]
	if ok {
		delete(m.byPID, pid)
		delete(m.byID, id)
		if len(m.byPID) == 0 && m.most > 1024 { // a map gives nothing back
			m.byPID, m.byID, m.most = map[int]container.ID{}, map[container.ID]int{}, 0
		}
	}
	return id, container.Status(status)
}

// awaitBirth blocks until more than seen children were started, and returns how
// many; false means that no more will be.
func (m *mains) awaitBirth(seen uint64) (uint64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.births == seen && !m.closed {
		m.changed.Wait()
	}
	return m.births, m.births != seen || !m.closed
}

// close ends awaitBirth: no child will be started any more.
func (m *mains) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed.Broadcast()
}
