package journal_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
)

// fill leaves room for one byte beside what is on a disk.
func fill(d *journaltest.Disk, t *testing.T) {
	t.Helper()
	names, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	d.Capacity = 1
	for _, name := range names {
		data, err := d.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		d.Capacity += len(data)
	}
}

func TestFullDiskIsReadAndNotWritten(t *testing.T) {
	disk := &journaltest.Disk{Reserve: true}
	j, _ := open(t, disk, journal.Options{SegmentSize: 4096})
	put(t, j, "a", "b")
	j.Close()
	fill(disk, t)

	j, recovered := open(t, disk, journal.Options{SegmentSize: 4096})
	if got := texts(recovered); !slices.Equal(got, []string{"a", "b"}) || !journal.IsFull(recovered.Full) {
		t.Errorf("recovered %q, full: %v", got, recovered.Full)
	}
	if _, err := j.Append([]byte("c")); !errors.Is(err, journal.ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("append: %v", err)
	}
	if err := j.Run(t.Context()); !errors.Is(err, journal.ErrFailed) {
		t.Errorf("run: %v", err)
	}
	if j.WantsSnapshot() || j.Pending() != 0 {
		t.Error("a journal that cannot be written wants to be")
	}

	disk.Capacity = 0
	j, recovered = open(t, disk, journal.Options{SegmentSize: 4096})
	if got := texts(recovered); !slices.Equal(got, []string{"a", "b"}) || recovered.Full != nil {
		t.Errorf("with room again: recovered %q, full: %v", got, recovered.Full)
	}
	put(t, j, "c")
}

func TestReserveIsGivenUpForTheNextSegment(t *testing.T) {
	disk := &journaltest.Disk{Reserve: true}
	full := 0
	opts := journal.Options{SegmentSize: 512, Reserve: 2048, Hooks: journal.Hooks{Full: func() { full++ }}}
	j, _ := open(t, disk, opts)
	put(t, j, "first")
	fill(disk, t)
	want := []string{"first"}
	for full == 0 && len(want) < 100 {
		put(t, j, "more")
		want = append(want, "more")
	}
	for range 10 { // there is still room for a while
		put(t, j, "last")
		want = append(want, "last")
	}
	if full != 1 {
		t.Errorf("said %d times that the disk is full, expected once", full)
	}
	if err := j.Replenish(); !journal.IsFull(err) {
		t.Errorf("a reserve on a full disk: %v", err)
	}
	disk.Capacity = 0
	if err := j.Replenish(); err != nil {
		t.Fatal(err)
	}
	j.Close()
	_, recovered := open(t, disk, opts)
	if got := texts(recovered); !slices.Equal(got, want) {
		t.Errorf("recovered %q, expected %q", got, want)
	}
}

func TestReserveIsGivenUpToOpen(t *testing.T) {
	disk := &journaltest.Disk{Reserve: true}
	opts := journal.Options{SegmentSize: 512, Reserve: 2048}
	j, _ := open(t, disk, opts)
	put(t, j, "a")
	j.Close()
	fill(disk, t)
	j, recovered := open(t, disk, opts)
	if recovered.Full != nil {
		t.Fatalf("full in spite of the reserve: %v", recovered.Full)
	}
	put(t, j, "b")
}
