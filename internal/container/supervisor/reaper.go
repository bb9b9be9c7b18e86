package supervisor

import (
	"syscall"
	"unsafe"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
)

// reaper waits for every child of the process, mains and orphans alike, until
// there is none and will be none.
//
// It first only looks (WNOWAIT): until it is known whose a dead child is, its pid
// must not become free.
func (s *server) reaper() {
	var births uint64
	for {
		pid, err := peekDead()
		switch err {
		case nil:
		case syscall.ECHILD:
			var more bool
			if births, more = s.mains.awaitBirth(births); !more {
				return
			}
			continue
		default: // EINTR
			continue
		}
		id, status := s.mains.reap(pid)
		if id == "" {
			s.ender.poke()
			continue
		}
		s.mainEnded(id, status)
	}
}

// mainEnded tells how a main process ended. Whether memory was the reason is asked
// before the cgroups are gone.
func (s *server) mainEnded(id container.ID, status container.Status) {
	memory := s.limiter.OutOfMemory(string(id))
	vacant := s.sets.Vacant(string(id))
	if vacant {
		s.emptied(string(id))
	}
	s.tell(ledger.MainEnded{ID: id, Status: status, Vacant: vacant, OutOfMemory: memory})
}

// emptied forgets what is kept of a container of which nothing runs any more.
func (s *server) emptied(id string) {
	s.trimmer.end(container.ID(id))
	if !s.limiter.Forget(id) {
		s.ender.poke()
	}
}

// peekDead blocks until a child is dead and returns its pid, leaving it a zombie.
func peekDead() (int, error) {
	const (
		pAll    = 0
		wExited = 4
		wNowait = 0x01000000
	)
	// The kernel's siginfo: three ints, on 64 bits padding, then for SIGCHLD the pid.
	var info struct {
		signo, errno, code, _ int32
		pid                   int32
		_                     [27]int32
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pAll, 0, uintptr(unsafe.Pointer(&info)), wExited|wNowait, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(info.pid), nil
}
