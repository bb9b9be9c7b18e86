package fetch

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// payload is what a URI stands for: bytes in a file that is open.
type payload struct {
	file    *os.File
	size    int64
	staged  string // the file's name in the sandbox, if it may be moved to its place
	release func() // instead of closing the file, if it is shared
}

func (p payload) close() {
	if p.release != nil {
		p.release()
		return
	}
	shut(p.file)
}

// reader reads the whole payload. Readers of a shared file do not disturb each other.
func (p payload) reader() *io.SectionReader { return io.NewSectionReader(p.file, 0, p.size) }

// openLocal opens a file of this machine. Only regular files will do: a pipe would never end, a
// device never fill.
func openLocal(path string) (payload, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return payload{}, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file (%v)", path, info.Mode())
	}
	if err != nil {
		shut(file)
		return payload{}, err
	}
	return payload{file: file, size: info.Size()}, nil
}
