package supervisor

import (
	"maps"
	"sync"
	"syscall"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/spawn"
)

// mains knows the main process of each container from its birth until it is
// reaped, and beside it the init of its pid namespace, if it has one. A pid in here cannot be another process's: the kernel gives it to nobody
// as long as it has not been waited for, and only [mains.reap] waits, holding the
// lock that a signal needs.
type mains struct {
	mu      sync.Mutex
	changed *sync.Cond
	byPID   map[int]container.ID // guarded by mu, as all below
	byID    map[container.ID]int
	inits   map[int]container.ID
	initOf  map[container.ID]int
	endings map[container.ID]container.Status // of mains whose namespace is not gone yet
	hands   []*spawn.Spawner
	most    int    // how many containers the maps have held at once
	births  uint64 // children that were ever started
	closed  bool
}

func newMains(hands []*spawn.Spawner) *mains {
	m := &mains{
		byPID: map[int]container.ID{}, byID: map[container.ID]int{}, hands: hands,
		inits: map[int]container.ID{}, initOf: map[container.ID]int{}, endings: map[container.ID]container.Status{},
	}
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

// initBorn notes the outcome of starting the init of a container that is to follow.
func (m *mains) initBorn(hand *spawn.Spawner, id container.ID, pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid != 0 {
		m.inits[pid], m.initOf[id] = id, pid
	}
	hand.Forget()
	m.births++
	m.changed.Broadcast()
}

// hasInit reports whether this is still the init of a container, so that it cannot
// have become another process.
func (m *mains) hasInit(id container.ID, pid int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.initOf[id] == pid
}

// abandon ends the init of a container that was not started in the end.
func (m *mains) abandon(id container.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid, ok := m.initOf[id]; ok {
		syscall.Kill(pid, syscall.SIGKILL)
		delete(m.initOf, id)
	}
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
		return m.ownLocked(pid) || m.underwayLocked(pid)
	})
}

func (m *mains) ownLocked(pid int) bool {
	_, main := m.byPID[pid]
	_, init := m.inits[pid]
	return main || init
}

// signal sends a signal to the main process of a container, if it has not been
// reaped. The kernel kills a whole pid namespace with its init.
func (m *mains) signal(id container.ID, sig syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pid, ok := m.initOf[id]; ok && sig == syscall.SIGKILL {
		syscall.Kill(pid, sig)
	}
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
		if !m.ownLocked(pid) && !m.underwayLocked(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// reap waits for a child that is dead already. If that completes the end of a
// container, it returns which, and the status of its main process: with a pid
// namespace, that is when its init is dead too, which outlives all others in it.
// A child that a hand is just starting is waited for until the hand has told whose
// it is: it died, so the hand has gone on.
func (m *mains) reap(pid int) (container.ID, container.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.underwayLocked(pid) {
		m.changed.Wait()
	}
	var wait syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &wait, syscall.WNOHANG, nil); err != syscall.EINTR {
			break
		}
	}
	if id, ok := m.inits[pid]; ok {
		return m.initEndedLocked(pid, id)
	}
	id, ok := m.byPID[pid]
	if !ok {
		return "", 0
	}
	status := container.Status(wait)
	delete(m.byPID, pid)
	delete(m.byID, id)
	if len(m.byPID) == 0 && m.most > 1024 { // a map gives nothing back
		m.byPID, m.byID, m.most = map[int]container.ID{}, map[container.ID]int{}, 0
		m.inits, m.initOf = maps.Clone(m.inits), maps.Clone(m.initOf)
	}
	if init, ok := m.initOf[id]; ok {
		syscall.Kill(init, syscall.SIGKILL)
		m.endings[id] = status
		return "", 0
	}
	return id, status
}

func (m *mains) initEndedLocked(pid int, id container.ID) (container.ID, container.Status) {
	delete(m.inits, pid)
	if m.initOf[id] == pid {
		delete(m.initOf, id)
	}
	status, ok := m.endings[id]
	if !ok {
		return "", 0 // its container never ran
	}
	delete(m.endings, id)
	return id, status
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
