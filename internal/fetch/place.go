package fetch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"time"
)

// sandbox is where things go. Its methods run as the task's user, and its root keeps them inside.
type sandbox struct {
	ctx        context.Context // checked by every copy
	root       *os.Root
	stageDir   string // made by the first stage, removed by clean
	maxBytes   int64
	maxEntries int
}

// stage makes an empty file for the i-th payload to be downloaded to. It is inside the sandbox, so that
// moving it to its place costs nothing and its bytes are the user's from the start.
func (s *sandbox) stage(i int) (payload, error) {
	if s.stageDir == "" {
		dir := ".fetch-" + rand.Text()
		if err := s.root.Mkdir(dir, 0o700); err != nil {
			return payload{}, err
		}
		s.stageDir = dir
	}
	name := path.Join(s.stageDir, strconv.Itoa(i))
	file, err := s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return payload{}, err
	}
	return payload{file: file, staged: name}, nil
}

// clean removes what stage made. What cannot be removed goes with the sandbox.
func (s *sandbox) clean() {
	if s.stageDir != "" {
		_ = s.root.RemoveAll(s.stageDir)
	}
}

// place puts one payload where its item wants it.
func (s *sandbox) place(it item, p payload) error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	if it.format == formatNone || !it.Cache {
		if err := s.placeFile(it, p); err != nil {
			return err
		}
	}
	if it.format == formatNone {
		return nil
	}
	if err := s.unpack(it, p); err != nil {
		return fmt.Errorf("unpack as %v: %w", it.format, err)
	}
	return nil
}

func (s *sandbox) placeFile(it item, p payload) error {
	mode := fs.FileMode(0o644)
	if it.Executable {
		mode = 0o755
	}
	if p.staged == "" {
		return s.writeFile(it.dest, mode, time.Time{}, p.reader())
	}
	if err := p.file.Chmod(mode); err != nil {
		return err
	}
	if err := s.mkdirAll(path.Dir(it.dest)); err != nil {
		return err
	}
	return s.root.Rename(p.staged, it.dest)
}

// writeFile writes a new file, in place of what had its name, making directories as needed. Dates that
// make no sense, the zero time among them, are not kept. The size of from is the caller's care.
func (s *sandbox) writeFile(name string, mode fs.FileMode, modified time.Time, from io.Reader) (err error) {
	var file *os.File
	err = s.create(name, func() (err error) {
		// O_EXCL: neither a link nor a pipe that lies in wait is ever opened.
		file, err = s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err == nil && modified.Year() >= 1970 && modified.Year() < 2200 {
			err = s.root.Chtimes(name, modified, modified)
		}
	}()
	_, err = io.Copy(file, interruptible{s.ctx, from})
	return err
}

// create calls make, which makes name and fails if it exists, with a directory to make it in and, if
// need be, without what had the name before.
func (s *sandbox) create(name string, make func() error) error {
	err := make()
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.mkdirAll(path.Dir(name)); err != nil {
			return err
		}
		err = make()
	}
	if errors.Is(err, fs.ErrExist) {
		if err := s.root.Remove(name); err != nil {
			return err
		}
		err = make()
	}
	return err
}

func (s *sandbox) mkdirAll(dir string) error {
	if dir == "." {
		return nil
	}
	return s.root.MkdirAll(dir, 0o755)
}

// interruptible ends a copy when its context ends.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
