package track

import (
	"syscall"
	"unsafe"
)

// Tick is a moment in clock ticks since boot, the measure in which the kernel tells
// when a process started.
type Tick uint64

// Now is the present moment.
func Now() Tick {
	const (
		clockBoottime = 7
		perTick       = 1_000_000_000 / 100 // USER_HZ is 100 wherever Go runs
	)
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&now)), 0)
	return Tick(now.Nano() / perTick)
}

// IdentifyBorn is Identify for a child that was started after a moment noted by
// its parent. While the clock has not moved on, the child's start is known without
// the look into /proc that costs as much as half a fork.
func IdentifyBorn(pid int, after Tick) (Process, error) {
	if after != 0 && Now() == after {
		return Process{PID: pid, StartTime: uint64(after)}, nil
	}
	return Identify(pid)
}
