package tree

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// MaxEntries is how many entries a measurement looks at.
const MaxEntries = 4 << 20

// errEnough ends a measurement that has seen MaxEntries.
var errEnough = errors.New("more entries than are looked at")

// Usage is what a tree takes of its disk, in bytes: blocks, not lengths, so that the holes of a sparse file are
// free. Of a file with several names each name counts for its share, which makes the whole right wherever all
// of the names are in the tree. Beyond MaxEntries the answer is what was seen so far: less than the truth.
func Usage(ctx context.Context, root *os.Root, name string) (uint64, error) {
	top, err := open(root, name)
	if err != nil {
		return 0, err
	}
	defer unix.Close(top)
	m := &meter{}
	if err := walk(ctx, top, m); err != nil && err != errEnough {
		return 0, err
	}
	return m.bytes, nil
}

// meter is the visitor that measures.
type meter struct {
	bytes   uint64
	entries int
}

func (m *meter) entry(dir int, name string) (down bool, err error) {
	if m.entries++; m.entries > MaxEntries {
		return false, errEnough
	}
	var s unix.Stat_t
	_, err = ignoringEINTR(func() (int, error) {
		return 0, unix.Fstatat(dir, name, &s, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return false, nil // it has gone meanwhile
	}
	bytes := uint64(s.Blocks) * 512
	if s.Mode&unix.S_IFMT == unix.S_IFDIR {
		m.bytes += bytes
		return true, nil
	}
	m.bytes += bytes / max(1, uint64(s.Nlink))
	return false, nil
}

func (m *meter) left(int, string) error { return nil }
