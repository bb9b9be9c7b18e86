package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
)

func TestFailedSnapshotLeavesTheLogAsItWas(t *testing.T) {
	for _, op := range []journaltest.Op{journaltest.OpCreate, journaltest.OpWrite, journaltest.OpSyncFile, journaltest.OpRename, journaltest.OpSyncDir, journaltest.OpList, journaltest.OpRemove} {
		t.Run(string(op), func(t *testing.T) {
			disk := &journaltest.Disk{}
			var ended []error
			j, _ := open(t, disk, journal.Options{Hooks: journal.Hooks{
				Snapshotted: func(_ int64, err error) { ended = append(ended, err) },
			}})
			put(t, j, "a", "b")
			// The records are asked for when the log has been divided already: from here on only
			// the snapshot touches the disk.
			records := func(yield func([]byte) bool) {
				disk.Fail = failing(op, syscall.ENOSPC)
				yield([]byte("ab"))
			}
			if op == journaltest.OpCreate { // comes before the records
				disk.Fail = func(o journaltest.Op, name string) error {
					if o == op && name[len(name)-len(".snap.tmp"):] == ".snap.tmp" {
						return syscall.ENOSPC
					}
					return nil
				}
			}
			if err := j.Snapshot(records); err != nil {
				t.Fatal(err)
			}
			if err := j.Flush(t.Context()); err != nil {
				t.Fatalf("the journal failed with its snapshot: %v", err)
			}
			if len(ended) != 1 || !errors.Is(ended[0], syscall.ENOSPC) {
				t.Errorf("snapshotted: %v, want ENOSPC", ended)
			}
			disk.Fail = nil
			put(t, j, "c")
			_, recovered := open(t, disk, journal.Options{})
			if got := texts(recovered); !slices.Equal(got, []string{"a", "b", "c"}) && !slices.Equal(got, []string{"ab", "c"}) {
				t.Errorf("recovered %q", got)
			}
			if err := j.Snapshot(slices.Values([][]byte{[]byte("abc")})); err != nil {
				t.Errorf("the next snapshot: %v", err)
			}
		})
	}
}

// A sync that failed may leave what it did not write in the page cache, where the next process reads
// it. That process must not believe it to be on disk.
func TestWhatOpenHandsOutIsDurable(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{})
	put(t, j, "kept")
	disk.Fail = failing(journaltest.OpSyncFile, syscall.EIO)
	if _, err := j.Append([]byte("in the cache only")); err != nil {
		t.Fatal(err)
	}
	if err := j.Flush(t.Context()); !errors.Is(err, journal.ErrFailed) {
		t.Fatalf("flush: %v", err)
	}
	disk.Fail = nil
	_, recovered := open(t, disk, journal.Options{})
	handedOut := texts(recovered)
	if len(handedOut) != 2 {
		t.Fatalf("the scene is wrong: recovered %q", handedOut)
	}
	for range 20 {
		_, recovered := open(t, disk.Crash(rng), journal.Options{})
		if got := texts(recovered); !slices.Equal(got, handedOut) {
			t.Fatalf("handed out %q, and after a power failure there was %q", handedOut, got)
		}
	}
}

// Whatever operation fails while a journal is opened and used, what was persisted is there afterwards.
func TestEveryOperationMayFail(t *testing.T) {
	for n := 0; ; n++ {
		done := false
		t.Run(fmt.Sprint(n), func(t *testing.T) { done = failAt(t, n) })
		if done || t.Failed() {
			return
		}
	}
}

// failAt lets the nth operation fail and reports whether there are fewer.
func failAt(t *testing.T, n int) (beyond bool) {
	rng := rand.New(rand.NewPCG(5, uint64(n)))
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{})
	put(t, j, "a", "b")
	if err := j.Snapshot(slices.Values([][]byte{[]byte("a"), []byte("b")})); err != nil {
		t.Fatal(err)
	}
	put(t, j, "c")

	want, at := []string{"a", "b", "c"}, 0
	disk.Fail = func(journaltest.Op, string) error {
		at++
		if at == n+1 {
			return syscall.EIO
		}
		return nil
	}
	j, _, err := journal.OpenDisk(disk, journal.Options{SegmentSize: 100})
	for _, r := range []string{"d", "e", "f", "g"} {
		if err != nil {
			break
		}
		if r == "f" {
			_ = j.Snapshot(func(yield func([]byte) bool) {
				for _, w := range want {
					if !yield([]byte(w)) {
						return
					}
				}
			})
		}
		if _, err = j.Append([]byte(r)); err == nil {
			err = j.Flush(t.Context())
		}
		if err == nil {
			want = append(want, r)
		}
	}
	beyond = at <= n
	disk.Fail = nil
	for _, d := range []*journaltest.Disk{disk.Crash(rng), disk} {
		_, recovered := open(t, d, journal.Options{})
		got := texts(recovered)
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || len(got) > len(want)+1 {
			t.Errorf("operation %d failed: persisted %q, recovered %q", n, want, got)
		}
	}
	return beyond
}
