package tree

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Remove removes a directory with everything in it. What it cannot remove it leaves, with what is above, and
// says why.
func Remove(ctx context.Context, root *os.Root, name string) error {
	top, err := open(root, name)
	if err != nil {
		return err
	}
	defer unix.Close(top)
	r := &remover{}
	if err := walk(ctx, top, r); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	if err := root.Remove(name); err != nil {
		return errors.Join(r.refused, err)
	}
	return nil
}

// remover is the visitor that removes.
type remover struct {
	refused error // the first thing that could not be removed
}

func (r *remover) entry(dir int, name string) (down bool, err error) {
	err = unlink(dir, name, 0)
	if errors.Is(err, unix.EACCES) { // whoever filled the directory took our own right to write in it
		_ = unix.Fchmod(dir, 0o700)
		err = unlink(dir, name, 0)
	}
	if errors.Is(err, unix.EISDIR) {
		unlock(dir, name)
		return true, nil
	}
	r.note(name, err)
	return false, nil
}

func (r *remover) left(dir int, name string) error {
	r.note(name, unlink(dir, name, unix.AT_REMOVEDIR))
	return nil
}

func (r *remover) note(name string, err error) {
	if err != nil && r.refused == nil && !errors.Is(err, unix.ENOENT) {
		r.refused = fmt.Errorf("remove %.80q: %w", name, err)
	}
}

func unlink(dir int, name string, flags int) error {
	_, err := ignoringEINTR(func() (int, error) { return 0, unix.Unlinkat(dir, name, flags) })
	return err
}

// unlock makes a directory of our own readable again. For root all of them are.
func unlock(dir int, name string) {
	fd, err := openDir(dir, name)
	if err == nil {
		unix.Close(fd)
		return
	}
	if errors.Is(err, unix.EACCES) {
		_ = unix.Fchmodat(dir, name, 0o700, 0)
	}
}
