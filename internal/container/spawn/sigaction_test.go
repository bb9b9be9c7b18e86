package spawn_test

import (
	"syscall"
	"unsafe"
)

// sigaction sets a disposition behind the runtime's back, as a parent process may
// have done before our exec.
func sigaction(sig syscall.Signal, set, old *struct{ handler, flags, restorer, mask uintptr }) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
}
