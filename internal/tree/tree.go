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
	w := walker{ctx: ctx, visitor: v}
	var err error
	if w.here, err = openDir(top, "."); err != nil {
		return err
	}
	defer func() { unix.Close(w.here) }()
	if err := w.enter(""); err != nil {
		return err
	}
	for {
		here := &w.way[len(w.way)-1]
		switch n := len(here.below); {
		case n > 0:
			name := here.below[n-1]
			here.below = here.below[:n-1]
			err = w.descend(name)
		case len(w.way) > 1:
			err = w.ascend()
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// walker is a walk on its way.
type walker struct {
	ctx     context.Context
	visitor visitor
	here    int     // the directory where it is
	way     []level // from the top to here
}

// enter looks at the directory where the walk has come to, unless another file system begins there.
func (w *walker) enter(name string) error {
	l := level{name: name}
	var err error
	if l.dev, l.ino, err = identity(w.here); err != nil {
		return err
	}
	if len(w.way) == 0 || l.dev == w.way[0].dev {
		if l.below, err = look(w.ctx, w.here, w.visitor); err != nil {
			return err
		}
	}
	w.way = append(w.way, l)
	return nil
}

// descend goes to a directory below, unless it has gone meanwhile.
func (w *walker) descend(name string) error {
	next, err := openDir(w.here, name)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return nil
	case err != nil:
		return err
	}
	unix.Close(w.here)
	w.here = next
	return w.enter(name)
}

// ascend goes to the directory above, which has to be the one that this was entered from.
func (w *walker) ascend() error {
	left := w.way[len(w.way)-1].name
	w.way = w.way[:len(w.way)-1]
	from := w.way[len(w.way)-1]
	up, err := openDir(w.here, "..")
	if err != nil {
		return err
	}
	unix.Close(w.here)
	w.here = up
	dev, ino, err := identity(up)
	if err != nil {
		return err
	}
	if dev != from.dev || ino != from.ino {
		return ErrMoved
	}
	return w.visitor.left(w.here, left)
}

// look shows a visitor what is in a directory, and gives the directories to go down to.
func look(ctx context.Context, dir int, v visitor) (below []string, err error) {
	buf := make([]byte, 32<<10)
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := ignoringEINTR(func() (int, error) { return unix.ReadDirent(dir, buf) })
		if n <= 0 || err != nil {
			return below, err
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			down, err := v.entry(dir, name)
			if err != nil {
				return below, err
			}
			if down {
				below = append(below, name)
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
