package spawn

import (
	"syscall"
	"unsafe"
)

// The first process of a pid namespace is its init. The kernel shields it from
// every signal that it does not handle, SIGTERM and its own abort among them, and
// makes it parent of all orphans: no part for a program that was written for
// another one. So a container's program is not the init of its namespace. That is a
// program of a few instructions which does nothing at all: it was started with
// SIGCHLD ignored, so the kernel reaps its children by itself. When it is killed,
// the kernel kills everything else in the namespace.

// InitProgram makes that program and returns it as an open file that can be
// executed and is closed by an exec.
func InitProgram() (fd int, err error) {
	name := [...]byte{'i', 'n', 'i', 't', 0}
	const (
		cloexec    = 1
		executable = 0x10 // since Linux 6.3, where it may be necessary
	)
	memory, _, errno := syscall.RawSyscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name)), cloexec|executable, 0)
	if errno == syscall.EINVAL {
		memory, _, errno = syscall.RawSyscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name)), cloexec, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	defer syscall.Close(int(memory))
	if _, err := syscall.Write(int(memory), elf(pauseForever)); err != nil {
		return 0, err
	}
	// What is open for writing cannot be executed.
	return syscall.Open("/proc/self/fd/"+decimal(int(memory)), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
}

// elf is an executable file of these instructions.
func elf(code []byte) []byte {
	const (
		base       = 0x400000
		headerSize = 64
		entrySize  = 56
		start      = headerSize + entrySize
	)
	file := []byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	add := func(size int, values ...uint64) {
		for _, v := range values {
			for i := range size {
				file = append(file, byte(v>>(8*i)))
			}
		}
	}
	add(2, 2, elfMachine)                                            // an executable for this processor
	add(4, 1)                                                        // version
	add(8, base+start, headerSize, 0)                                // entry, program headers, sections
	add(4, 0)                                                        // flags
	add(2, headerSize, entrySize, 1, 0, 0, 0)                        // one program header, no sections
	add(4, 1, 5)                                                     // load, readable and executable
	add(8, 0, base, base)                                            // from the beginning of the file
	add(8, start+uint64(len(code)), start+uint64(len(code)), 0x1000) // sizes, alignment
	return append(file, code...)
}

// decimal is strconv.Itoa, which this package cannot import: see nofile.go.
func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}
