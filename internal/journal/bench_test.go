package journal_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/journal"
	"golang.org/x/sys/unix"
)

// recordSize is about that of a task's status on the agent.
const recordSize = 300

// benchDir is on the file system that TMPDIR names: a benchmark on tmpfs measures nothing.
func benchDir(b *testing.B) string { return filepath.Join(b.TempDir(), "journal") }

// BenchmarkBareSync is what the others compare to: one write and one fdatasync at a time, to a file
// of a fixed size.
func BenchmarkBareSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	_ = unix.Fallocate(int(f.Fd()), 0, 0, 4<<20)
	record, off := make([]byte, recordSize), int64(0)
	for b.Loop() {
		if off += recordSize; off > 4<<20 {
			off = 0
		}
		if _, err := f.WriteAt(record, off); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}

func running(b *testing.B, opts journal.Options) *journal.Journal {
	j, _, err := journal.Open(benchDir(b), opts)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return j
}

// BenchmarkCommit is one record that one caller waits for.
func BenchmarkCommit(b *testing.B) {
	j := running(b, journal.Options{})
	record := make([]byte, recordSize)
	for b.Loop() {
		if err := j.Commit(context.Background(), record); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoop is an agent's loop: it appends as fast as it is let, never waits for the disk, and
// learns what is durable from the hook. Snapshots are taken when the journal wants them.
func BenchmarkLoop(b *testing.B) {
	var persisted, calls atomic.Uint64
	j := running(b, journal.Options{Hooks: journal.Hooks{
		Persisted: func(upTo journal.Ticket) { persisted.Store(uint64(upTo)); calls.Add(1) },
	}})
	record := make([]byte, recordSize)
	appended := uint64(0)
	for b.Loop() {
		for j.Pending() > 1<<20 {
			time.Sleep(20 * time.Microsecond)
		}
		if _, err := j.Append(record); err != nil {
			b.Fatal(err)
		}
		appended++
		if j.WantsSnapshot() {
			_ = j.Snapshot(func(yield func([]byte) bool) { yield(record) })
		}
	}
	for persisted.Load() < appended {
		time.Sleep(20 * time.Microsecond)
	}
	b.ReportMetric(float64(appended)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(appended)/float64(calls.Load()), "records/sync")
}

// BenchmarkAppend is what a record costs the loop itself.
func BenchmarkAppend(b *testing.B) {
	j, _, err := journal.Open(benchDir(b), journal.Options{MaxPending: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	record := make([]byte, recordSize)
	for n := 0; b.Loop(); n++ {
		if _, err := j.Append(record); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 999 {
			b.StopTimer()
			if err := j.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
}

// BenchmarkRecover is what a restart pays for 100,000 records.
func BenchmarkRecover(b *testing.B) {
	dir := benchDir(b)
	j, _, err := journal.Open(dir, journal.Options{MaxPending: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	for range 100_000 {
		if _, err := j.Append(make([]byte, recordSize)); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	j.Close()
	for b.Loop() {
		j, recovered, err := journal.Open(dir, journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if recovered.Len() != 100_000 {
			b.Fatalf("%d records", recovered.Len())
		}
		j.Close()
	}
}
