package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestJournalConforms(t *testing.T) {
	t.Run("on a memory disk", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		journaltest.Run(t, func(t *testing.T, opts journal.Options) journaltest.Subject {
			return onMemory(t, &journaltest.Disk{Reserve: true}, opts, rng)
		})
	})
	t.Run("on a real one", func(t *testing.T) {
		journaltest.Run(t, func(t *testing.T, opts journal.Options) journaltest.Subject {
			return onDirectory(t, filepath.Join(t.TempDir(), "a", "journal"), opts)
		})
	})
}

func onMemory(t *testing.T, disk *journaltest.Disk, opts journal.Options, rng *rand.Rand) journaltest.Subject {
	j, recovered := open(t, disk, opts)
	return journaltest.Subject{
		Log:       j,
		Recovered: recovered,
		Flush:     j.Flush,
		Break:     func(err error) { disk.Fail = func(journaltest.Op, string) error { return err } },
		Crash: func(opts journal.Options) journaltest.Subject {
			return onMemory(t, disk.Crash(rng), opts, rng)
		},
	}
}

func onDirectory(t *testing.T, dir string, opts journal.Options) journaltest.Subject {
	inner, err := journal.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	disk := &breakable{Disk: inner}
	j, recovered := open(t, disk, opts)
	return journaltest.Subject{
		Log:       j,
		Recovered: recovered,
		Flush:     j.Flush,
		Break:     func(err error) { disk.err = err },
		Crash: func(opts journal.Options) journaltest.Subject {
			j.Close()
			return onDirectory(t, dir, opts)
		},
	}
}

// breakable is a disk whose writes fail once err is set.
type breakable struct {
	journal.Disk
	err error
}

type breakableFile struct {
	journal.File
	disk *breakable
}

func (b *breakable) Create(name string) (journal.File, error) {
	f, err := b.Disk.Create(name)
	return &breakableFile{f, b}, errors.Join(err, b.err)
}

func (f *breakableFile) Write(p []byte) (int, error) {
	if f.disk.err != nil {
		return 0, f.disk.err
	}
	return f.File.Write(p)
}

// open opens and closes with the test.
func open(t testing.TB, disk journal.Disk, opts journal.Options) (*journal.Journal, journal.Recovered) {
	t.Helper()
	j, recovered, err := journal.OpenDisk(disk, opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { j.Close() })
	return j, recovered
}

// put appends records one by one, each with a commit of its own.
func put(t testing.TB, j *journal.Journal, records ...string) {
	t.Helper()
	for _, r := range records {
		if _, err := j.Append([]byte(r)); err != nil {
			t.Fatalf("append %q: %v", r, err)
		}
		if err := j.Flush(t.Context()); err != nil {
			t.Fatalf("flush %q: %v", r, err)
		}
	}
}

func texts(r journal.Recovered) []string {
	got := []string{}
	for record := range r.All() {
		got = append(got, string(record))
	}
	return got
}

func TestManyAppendersShareTheirSyncs(t *testing.T) {
	var mu sync.Mutex
	syncs := 0
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{})
	disk.Fail = func(op journaltest.Op, _ string) error {
		if op == journaltest.OpSyncFile {
			mu.Lock()
			defer mu.Unlock()
			syncs++
		}
		return nil
	}
	const appenders, each = 20, 50
	for i := range appenders { // gather before anything is written
		for k := range each {
			if _, err := j.Append(fmt.Appendf(nil, "%d/%d", i, k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if syncs != 1 {
		t.Errorf("%d appends took %d syncs, want 1", appenders*each, syncs)
	}
}

func TestRunCommitsForMany(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j, _, err := journal.Open(dir, journal.Options{SegmentSize: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()

	const appenders, each = 8, 100
	var wg sync.WaitGroup
	for i := range appenders {
		wg.Go(func() {
			for k := range each {
				if err := j.Commit(ctx, fmt.Appendf(nil, "%d %04d", i, k)); err != nil {
					t.Errorf("commit: %v", err)
				}
				if i == 0 && k == each/2 {
					if err := j.Snapshot(func(func([]byte) bool) {}); err != nil {
						t.Errorf("snapshot: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	if _, err := j.Append([]byte("last")); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := j.Commit(context.Background(), []byte("late")); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("commit after the end: %v", err)
	}

	j, recovered, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	got := texts(recovered)
	if len(got) == 0 || got[len(got)-1] != "last" {
		t.Errorf("what was appended before the end is not there: %q", got[max(0, len(got)-3):])
	}
	for i := range appenders {
		mine := slices.DeleteFunc(slices.Clone(got), func(r string) bool { return !strings.HasPrefix(r, fmt.Sprint(i, " ")) })
		if !slices.IsSorted(mine) || len(mine) == 0 || mine[len(mine)-1] != fmt.Sprintf("%d %04d", i, each-1) {
			t.Errorf("appender %d: %q", i, mine)
		}
	}
}

func TestWaitEndsWhenTheJournalFails(t *testing.T) {
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{})
	disk.Fail = failing(journaltest.OpSyncFile, syscall.EIO)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := j.Commit(t.Context(), []byte("x")); !errors.Is(err, syscall.EIO) || !errors.Is(err, journal.ErrFailed) {
				t.Errorf("commit: %v", err)
			}
		})
	}
	if err := j.Run(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("run: %v", err)
	}
	wg.Wait()
}

// failing makes every operation of that kind fail.
func failing(op journaltest.Op, err error) func(journaltest.Op, string) error {
	return func(o journaltest.Op, name string) error {
		if o != op {
			return nil
		}
		return &fs.PathError{Op: string(o), Path: name, Err: err}
	}
}

func TestOnlyOneProcessHasTheJournal(t *testing.T) {
	dir := t.TempDir()
	j, _, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := journal.Open(dir, journal.Options{}); !errors.Is(err, journal.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	j, _, err = journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	j.Close()
}

func TestJournalIsForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j, _, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	put(t, j, "secret")
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

func TestSnapshotRemovesWhatItReplaces(t *testing.T) {
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{SegmentSize: 256})
	for i := range 20 {
		put(t, j, fmt.Sprintf("a record long enough to fill segments, number %d", i))
	}
	for range 2 {
		if err := j.Snapshot(slices.Values([][]byte{[]byte("all of it")})); err != nil {
			t.Fatal(err)
		}
		put(t, j, "next")
	}
	names, err := disk.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 2 || !strings.HasSuffix(names[0], ".log") || !strings.HasSuffix(names[1], ".snap") {
		t.Errorf("files after a snapshot: %q, want one segment and one snapshot", names)
	}
}
