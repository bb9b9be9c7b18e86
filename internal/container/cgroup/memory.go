package cgroup

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
)

// Whether the kernel killed a process of a container for memory is asked of the
// count it keeps in the container's cgroup, after the container's main process was
// waited for: the kernel counts before it kills. So an end is never told wrongly.
//
// What the count does not do is tell at once when a process was killed that is not
// the main one. In version 2 the kernel is told to kill the container as a whole
// (memory.oom.group, Linux 4.19). In version 1 it signals an eventfd when a cgroup
// runs out of memory, and also when one is removed. All containers share one
// eventfd, because a file that is open costs at every fork, and when it is
// signalled, all containers with a limit are looked at.

// OutOfMemory reports whether the kernel killed a process of the container for
// memory, and with what figures.
func (l *Limiter) OutOfMemory(id string) *container.OutOfMemory {
	dirs, limits := l.member(id)
	if dirs[memory] == "" {
		return nil
	}
	var s container.Statistics
	measureMemory(l.version(memory), dirs[memory], &s)
	if s.MemoryKills == 0 {
		return nil
	}
	out := &container.OutOfMemory{Limit: limits.MemoryBytes, Peak: s.MemoryPeak}
	// Who runs into the bound on memory and swap together is not counted.
	withSwap := number(dirs[memory] + "/memory.memsw.max_usage_in_bytes")
	if s.MemoryFailures == 0 && (limits.MemoryBytes == 0 || max(s.MemoryPeak, withSwap) < limits.MemoryBytes) {
		out.Limit = 0 // it was not its own limit
	}
	return out
}

// WatchMemory tells of each container of which the kernel kills a process for
// memory and leaves others alive. It returns when the Limiter is closed, and at
// once where the kernel leaves none.
func (l *Limiter) WatchMemory(tell func(id string, m container.OutOfMemory)) {
	if l.alarm == nil {
		return
	}
	const (
		first = 25 * time.Millisecond // takes many alarms at once: each cgroup that is removed is one
		last  = 2 * time.Second
	)
	// The alarm comes a little before the kill, so one look is not enough.
	next := forever
	for {
		switch l.alarm.wait(next) {
		case raised:
			if !l.alarm.pause(first) {
				return
			}
			next = first
		case closed:
			return
		}
		l.look(tell)
		if next *= 4; next > last {
			next = forever
		}
	}
}

// Killed is OutOfMemory for whoever tells it to the world: it gives it once.
func (l *Limiter) Killed(id string) *container.OutOfMemory {
	m := l.OutOfMemory(id)
	if m == nil || !l.setKilled(id) {
		return nil
	}
	return m
}

// look tells what was killed since it last looked.
func (l *Limiter) look(tell func(id string, m container.OutOfMemory)) {
	for id, dir := range l.unkilled() {
		if table(dir + "/memory.oom_control")["oom_kill"] == 0 {
			continue
		}
		if m := l.Killed(id); m != nil {
			tell(id, *m)
		}
	}
}

// unkilled lists the containers with a memory limit of which no kill was told.
func (l *Limiter) unkilled() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirs := map[string]string{}
	for id, m := range l.members {
		if m.dirs[memory] != "" && !m.killed {
			dirs[id] = m.dirs[memory]
		}
	}
	return dirs
}

func (l *Limiter) setKilled(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members[id]
	if m == nil || m.killed {
		return false
	}
	m.killed = true
	return true
}

// alarm is the eventfd of version 1.
type alarm struct {
	file   *os.File
	once   sync.Once
	closed chan struct{}
}

// newAlarm returns nil where there are no eventfds.
func newAlarm() *alarm {
	const sysFlags = syscall.O_CLOEXEC | syscall.O_NONBLOCK
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, sysFlags, 0)
	if errno != 0 {
		return nil
	}
	return &alarm{file: os.NewFile(fd, "eventfd"), closed: make(chan struct{})}
}

// watch has a cgroup raise the alarm. Where it cannot, only the end of the main
// process tells.
func (a *alarm) watch(dir string) {
	control, err := kernfile.Open(dir+"/memory.oom_control", syscall.O_RDONLY)
	if err != nil {
		return
	}
	defer syscall.Close(control)
	conn, err := a.file.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		kernfile.Write(dir+"/cgroup.event_control", strconv.Itoa(int(fd))+" "+strconv.Itoa(control))
	})
}

// alarmState is what ended a wait.
type alarmState int

const (
	silent alarmState = iota
	raised
	closed
)

const forever time.Duration = 0

// wait blocks until the alarm is raised or so much time has passed.
func (a *alarm) wait(d time.Duration) alarmState {
	until := time.Time{}
	if d != forever {
		until = time.Now().Add(d)
	}
	a.file.SetReadDeadline(until)
	var count [8]byte
	_, err := a.file.Read(count[:])
	switch {
	case err == nil:
		return raised
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silent
	}
	return closed
}

// pause lets time pass; false means that the alarm is closed.
func (a *alarm) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-a.closed:
		return false
	}
}

func (a *alarm) close() {
	a.once.Do(func() {
		close(a.closed)
		a.file.Close()
	})
}
