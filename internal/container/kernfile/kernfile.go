// Package kernfile reads and writes the small files that are questions and orders
// to the kernel, in /proc and in cgroups, with bare system calls. Package os would
// enter each into its poller, and wrap their errors, which are compared here.
package kernfile

import "syscall"

// Read reads a file that fits into a page or two. An error is an errno.
func Read(path string) (string, error) {
	fd, err := Open(path, syscall.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer syscall.Close(fd)
	var buf [4096]byte
	var data []byte
	for {
		n, err := syscall.Read(fd, buf[:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return string(data), nil
		}
		data = append(data, buf[:n]...)
	}
}

// Write writes a word to a file that exists. An error is an errno.
func Write(path, word string) error {
	fd, err := Open(path, syscall.O_WRONLY)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	for {
		_, err = syscall.Write(fd, []byte(word))
		if err != syscall.EINTR { // a limit on memory says so when the runtime signals the thread
			return err
		}
	}
}

// Open opens a file that is closed when a program is executed.
func Open(path string, flags int) (int, error) {
	return syscall.Open(path, flags|syscall.O_CLOEXEC, 0)
}

// Mkdir makes a directory.
func Mkdir(path string) error { return syscall.Mkdir(path, 0o755) }
