package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockName is the file whose lock says that the journal is open.
const lockName = "lock"

// dir is the Disk that is a directory. It holds the directory itself open, so that a move of it does
// not lead astray, and a lock against a second process.
type dir struct {
	root *os.Root
	self *os.File // the directory, for Sync
	lock *os.File
}

func openDir(path string) (_ *dir, err error) {
	if err := makeDir(path); err != nil {
		return nil, err
	}
	d := &dir{}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if d.root, err = os.OpenRoot(path); err != nil {
		return nil, err
	}
	if d.self, err = d.root.Open("."); err != nil {
		return nil, err
	}
	if d.lock, err = d.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	switch err = ignoringEINTR(func() error { return unix.Flock(int(d.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) }); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, ErrInUse
	case err != nil:
		return nil, fmt.Errorf("lock: %w", err)
	}
	return d, nil
}

// makeDir makes a directory and those above it, durably: a power failure must not take away the
// directory of a journal that has promised something.
func makeDir(path string) error {
	path = filepath.Clean(path)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (d *dir) List() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func (d *dir) Read(name string) ([]byte, error) { return d.root.ReadFile(name) }

func (d *dir) Create(name string) (File, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &file{f}, nil
}

func (d *dir) Rename(from, to string) error { return d.root.Rename(from, to) }
func (d *dir) Remove(name string) error     { return d.root.Remove(name) }
func (d *dir) Sync() error                  { return d.self.Sync() }

func (d *dir) Close() error {
	var errs []error
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	if d.self != nil {
		errs = append(errs, d.self.Close())
	}
	if d.root != nil {
		errs = append(errs, d.root.Close())
	}
	return errors.Join(errs...)
}

// file is a File in a dir.
type file struct{ *os.File }

func (f *file) Preallocate(size int64) error {
	return ignoringEINTR(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, size) })
}

// Sync leaves out what nobody needs to read the data back, such as time stamps.
func (f *file) Sync() error {
	return ignoringEINTR(func() error { return unix.Fdatasync(int(f.Fd())) })
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
