// Package tree measures and removes directories that strangers have filled.
//
// What a task leaves in its sandbox can be anything: directories a hundred thousand deep, millions of files,
// links that lead elsewhere, directories that are moved about while they are looked at. The walk of this
// package stays in the tree that it was given and needs one file descriptor however deep that is: on its way
// down it remembers which directory it came from, and on its way up it takes ".." only if that is the same
// one. It follows no link and enters no other file system.
//
// It refuses to know what the directories are for. Start reading at walk.
package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// ErrMoved says that a directory was moved while it was being walked. Nothing outside of the tree was touched;
// the same call may succeed later.
var ErrMoved = errors.New("a directory was moved while it was being read")

// visitor is what a walk does on its way.
type visitor interface {
	// entry sees one entry of the directory dir and reports whether it is a directory to go down to.
	entry(dir int, name string) (down bool, err error)
	// left sees the same entry again, when the directory that it is has been walked.
	left(dir int, name string) error
}

// level is a directory on the way from the top to where the walk is.
type level struct {
	dev, ino uint64
	name     string   // in the level above
	below    []string // directories in it that were not walked yet
}

// walk goes through the directory of the descriptor, which it leaves open.
func walk(ctx context.Context, top int, v visitor) error {
	here, err := openDir(top, ".")
	if err != nil {
		return err
	}
	defer func() { unix.Close(here) }()
	var way []level
	enter := func(name string) error {
		l, err := look(ctx, here, v)
		if err != nil {
			return err
		}
		l.name = name
		if len(way) > 0 && l.dev != way[0].dev {
			l.below = nil
		}
		way = append(way, l)
		return nil
	}
	if err := enter(""); err != nil {
		return err
	}
	for {
		l := &way[len(way)-1]
		if n := len(l.below); n > 0 {
			name := l.below[n-1]
			l.below = l.below[:n-1]
			next, err := openDir(here, name)
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
				continue // it has gone meanwhile
			}
			if err != nil {
				return err
			}
			unix.Close(here)
			here = next
			if err := enter(name); err != nil {
				return err
			}
			continue
		}
		name := l.name
		way = way[:len(way)-1]
		if len(way) == 0 {
			return nil
		}
		if here, err = climb(here, way[len(way)-1]); err != nil {
			return err
		}
		if err := v.left(here, name); err != nil {
			return err
		}
	}
}

// climb goes from a directory to the one above, which has to be the one that it was entered from.
func climb(here int, from level) (int, error) {
	up, err := openDir(here, "..")
	if err != nil {
		return here, err
	}
	unix.Close(here)
	dev, ino, err := identity(up)
	if err == nil && (dev != from.dev || ino != from.ino) {
		err = ErrMoved
	}
	return up, err
}

// look shows a visitor what is in a directory.
func look(ctx context.Context, dir int, v visitor) (l level, err error) {
	if l.dev, l.ino, err = identity(dir); err != nil {
		return l, err
	}
	buf := make([]byte, 32<<10)
	for {
		if ctx.Err() != nil {
			return l, context.Cause(ctx)
		}
		n, err := ignoringEINTR(func() (int, error) { return unix.ReadDirent(dir, buf) })
		if n <= 0 || err != nil {
			return l, err
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			down, err := v.entry(dir, name)
			if err != nil {
				return l, err
			}
			if down {
				l.below = append(l.below, name)
			}
		}
	}
}

func identity(dir int) (dev, ino uint64, err error) {
	var s unix.Stat_t
	_, err = ignoringEINTR(func() (int, error) { return 0, unix.Fstat(dir, &s) })
	return uint64(s.Dev), s.Ino, err
}

func openDir(at int, name string) (int, error) {
	return ignoringEINTR(func() (int, error) {
		return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}

// open opens the top of a tree within a root. Its name in the directory above is no link.
func open(root *os.Root, name string) (int, error) {
	above, err := root.Open(path.Dir(name))
	if err != nil {
		return -1, fmt.Errorf("walk %s: %w", name, err)
	}
	defer above.Close()
	top, err := openDir(int(above.Fd()), path.Base(name))
	if err != nil {
		return -1, fmt.Errorf("walk %s: %w", name, err)
	}
	return top, nil
}
