package track

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container/kernfile"
)

const (
	sysPidfdSendSignal = 424
	sysPidfdOpen       = 434
	oPath              = 0x200000
)

// Process is the identity of a process: the kernel gives a pid again, but not
// with the same start.
type Process struct {
	PID       int
	StartTime uint64 // clock ticks since boot
}

// Identify reads what process has a pid now.
func Identify(pid int) (Process, error) {
	st, err := readStat(pid)
	if err != nil {
		return Process{}, err
	}
	return Process{PID: pid, StartTime: st.start}, nil
}

// Kill sends a signal to exactly this process; it is no error when it is gone.
func (p Process) Kill(sig syscall.Signal) {
	signalMember(p.PID, sig, p.Alive)
}

// Alive reports whether this process still runs; a zombie does not.
func (p Process) Alive() bool {
	st, err := readStat(p.PID)
	return err == nil && st.start == p.StartTime && !st.dead()
}

// signalMember sends a signal to the process that has pid, provided that member
// says it is the right one. The process is held by a pidfd before it is asked
// about, so that the answer and the signal concern the same one.
func signalMember(pid int, sig syscall.Signal, member func() bool) {
	fd, _, errno := syscall.RawSyscall(sysPidfdOpen, uintptr(pid), 0, 0)
	if errno == syscall.ESRCH {
		return
	}
	if errno != 0 { // a seccomp filter that does not know pidfds
		signalByStart(pid, sig, member)
		return
	}
	defer syscall.Close(int(fd))
	if member() {
		syscall.RawSyscall6(sysPidfdSendSignal, fd, uintptr(sig), 0, 0, 0, 0)
	}
}

// signalByStart is signalMember without pidfds: between looking and sending a few
// microseconds pass in which the pid would have to be used again.
func signalByStart(pid int, sig syscall.Signal, member func() bool) {
	before, err := Identify(pid)
	if err != nil || !member() {
		return
	}
	if now, err := Identify(pid); err == nil && now == before {
		syscall.Kill(pid, sig)
	}
}

// stat is what we read of /proc/<pid>/stat.
type stat struct {
	state  byte
	parent int
	flags  uint64
	start  uint64
	env    uint64 // where its environment ends in memory; 0 until late in an exec, or where that is a secret

	user, system time.Duration // used by it and by the children it has waited for
	threads      uint64
}

const pfKthread = 0x00200000

func (s stat) dead() bool    { return s.state == 'Z' || s.state == 'X' }
func (s stat) kthread() bool { return s.flags&pfKthread != 0 }

func readStat(pid int) (stat, error) {
	path := "/proc/" + strconv.Itoa(pid) + "/stat"
	data, err := kernfile.Read(path)
	if err != nil {
		return stat{}, err
	}
	st, ok := parseStat(data)
	if !ok {
		return stat{}, &os.PathError{Op: "parse", Path: path, Err: syscall.EINVAL}
	}
	return st, nil
}

// parseStat reads fields 3, 4, 9, 14 to 17, 20, 22 and 51. The name, field 2, may
// hold spaces and parentheses: the fields begin after its last one.
func parseStat(data string) (st stat, ok bool) {
	end := strings.LastIndexByte(data, ')')
	if end < 0 {
		return stat{}, false
	}
	f := strings.Fields(data[end+1:])
	if len(f) < 49 {
		return stat{}, false
	}
	ok = true
	field := func(n int) uint64 {
		v, err := strconv.ParseUint(f[n-3], 10, 64)
		ok = ok && err == nil
		return v
	}
	st = stat{
		state: f[0][0], parent: int(field(4)), flags: field(9), start: field(22), env: field(51), threads: field(20),
		user: ticks(field(14) + field(16)), system: ticks(field(15) + field(17)),
	}
	if !ok {
		return stat{}, false
	}
	return st, true
}
