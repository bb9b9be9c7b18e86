// Package journaltest holds what tests and simulations need of a journal: the conformance suite that
// every journal.Log passes ([Run]), a journal in memory ([Mem]), and a disk in memory that crashes and
// fails on demand ([Disk]), on which the real journal runs.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/meseta/meseta/internal/journal"
)

// Subject is a journal under test, with the doors that a test needs.
type Subject struct {
	journal.Log
	Recovered journal.Recovered

	// Flush makes everything durable, snapshots included, and has called the hooks when it returns.
	Flush func(context.Context) error
	// Break makes the disk fail from now on.
	Break func(error)
	// Crash ends the process without a warning and opens the journal again.
	Crash func(journal.Options) Subject
}

// Run holds a journal against what journal.Log promises. The factory opens an empty one.
func Run(t *testing.T, open func(*testing.T, journal.Options) Subject) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *scene)
	}{
		{"an empty journal recovers nothing", emptyRecoversNothing},
		{"what was flushed is there after a crash, in order", flushedSurvives},
		{"of what was not flushed only whole appends are there, from the first on", unflushedIsPrefix},
		{"the nth append has ticket n, also after a crash", ticketsCount},
		{"the caller may use the memory of records again", memoryIsCopied},
		{"a snapshot stands for everything before it", snapshotReplaces},
		{"one snapshot at a time", oneSnapshot},
		{"a log that has grown wants a snapshot", wantsSnapshot},
		{"what waits for the disk is bounded", backlogIsBounded},
		{"a failed journal has failed for good", failedForGood},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &scene{t: t}
			s.Subject = open(t, s.options())
			tt.test(t, s)
		})
	}
}

// scene is a Subject with a memory of what its hooks said.
type scene struct {
	Subject
	t           *testing.T
	persisted   []journal.Ticket
	failures    []error
	snapshotted []error
}

func (s *scene) options() journal.Options {
	return journal.Options{
		SegmentSize:   4 << 10,
		MaxPending:    64 << 10,
		SnapshotAfter: 8 << 10,
		Hooks: journal.Hooks{
			Persisted:   func(upTo journal.Ticket) { s.persisted = append(s.persisted, upTo) },
			Failed:      func(err error) { s.failures = append(s.failures, err) },
			Snapshotted: func(_ int64, err error) { s.snapshotted = append(s.snapshotted, err) },
		},
	}
}

func (s *scene) append(records ...string) journal.Ticket {
	s.t.Helper()
	batch := make([][]byte, len(records))
	for i, r := range records {
		batch[i] = []byte(r)
	}
	ticket, err := s.Append(batch...)
	if err != nil {
		s.t.Fatalf("append %.60q: %v", records, err)
	}
	return ticket
}

func (s *scene) flush() {
	s.t.Helper()
	if err := s.Flush(s.t.Context()); err != nil {
		s.t.Fatalf("flush: %v", err)
	}
}

func (s *scene) crash() {
	s.persisted = nil
	s.Subject = s.Subject.Crash(s.options())
}

func (s *scene) holds(want ...string) {
	s.t.Helper()
	if got := text(s.Recovered); !slices.Equal(got, want) {
		s.t.Fatalf("recovered %.200q, want %.200q", got, want)
	}
}

func text(r journal.Recovered) []string {
	var records []string
	for record := range r.All() {
		records = append(records, string(record))
	}
	return records
}

func emptyRecoversNothing(t *testing.T, s *scene) {
	s.holds()
	s.crash()
	s.holds()
	if s.Recovered.Cut != nil {
		t.Errorf("an empty journal: %v", s.Recovered.Cut)
	}
}

func flushedSurvives(t *testing.T, s *scene) {
	large := string(bytes.Repeat([]byte("0123456789abcdef"), 2000))
	want := []string{"a", "", "b", large}
	s.append("a")
	s.append("", "b")
	s.append(large)
	s.append()
	for i := range 500 { // through many segments
		r := fmt.Sprintf("record %d", i)
		s.append(r)
		want = append(want, r)
		if i%7 == 0 {
			s.flush()
		}
	}
	s.flush()
	for range 3 {
		s.crash()
		s.holds(want...)
		s.append("one more")
		s.flush()
		want = append(want, "one more")
	}
}

func unflushedIsPrefix(t *testing.T, s *scene) {
	s.append("a")
	s.flush()
	s.append("b1", "b2")
	s.append("c")
	s.crash()
	got := text(s.Recovered)
	for _, allowed := range [][]string{{"a"}, {"a", "b1", "b2"}, {"a", "b1", "b2", "c"}} {
		if slices.Equal(got, allowed) {
			return
		}
	}
	t.Errorf("recovered %q", got)
}

func ticketsCount(t *testing.T, s *scene) {
	for range 2 {
		for want := journal.Ticket(1); want <= 3; want++ {
			if got := s.append("x", "y"); got != want {
				t.Errorf("append %d has ticket %d", want, got)
			}
		}
		s.flush()
		if len(s.persisted) == 0 || s.persisted[len(s.persisted)-1] != 3 || !slices.IsSorted(s.persisted) {
			t.Errorf("persisted %v after three appends and a flush", s.persisted)
		}
		s.crash()
	}
}

func memoryIsCopied(t *testing.T, s *scene) {
	record := []byte("before")
	if _, err := s.Append(record); err != nil {
		t.Fatal(err)
	}
	copy(record, "after!")
	s.flush()
	s.crash()
	s.holds("before")
}

func snapshotReplaces(t *testing.T, s *scene) {
	s.append("a")
	s.flush()
	s.append("b")
	if err := s.Snapshot(slices.Values([][]byte{[]byte("a+b"), {}})); err != nil {
		t.Fatal(err)
	}
	s.append("c")
	s.flush()
	if want := []error{nil}; !slices.Equal(s.snapshotted, want) {
		t.Errorf("snapshotted %v, want %v", s.snapshotted, want)
	}
	s.crash()
	s.holds("a+b", "", "c")
	if len(s.Recovered.Snapshot) != 2 {
		t.Errorf("%d records from the snapshot, want 2", len(s.Recovered.Snapshot))
	}
	if err := s.Snapshot(func(func([]byte) bool) {}); err != nil {
		t.Fatal(err)
	}
	s.flush()
	s.crash()
	s.holds()
}

func oneSnapshot(t *testing.T, s *scene) {
	one := slices.Values([][]byte{[]byte("one")})
	if err := s.Snapshot(one); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(one); !errors.Is(err, journal.ErrSnapshotRunning) {
		t.Errorf("second snapshot: %v", err)
	}
	s.flush()
	if err := s.Snapshot(one); err != nil {
		t.Errorf("snapshot after the first has ended: %v", err)
	}
}

func wantsSnapshot(t *testing.T, s *scene) {
	record := string(make([]byte, 5<<10))
	for i, want := range []bool{false, true} {
		s.append(record)
		s.flush()
		if got := s.WantsSnapshot(); got != want {
			t.Errorf("after %d records of 5 KiB: wants a snapshot = %v", i+1, got)
		}
	}
	s.crash()
	if !s.WantsSnapshot() {
		t.Error("does not want a snapshot after a crash that changed nothing")
	}
	if err := s.Snapshot(slices.Values([][]byte{[]byte("small")})); err != nil {
		t.Fatal(err)
	}
	if s.WantsSnapshot() {
		t.Error("wants a snapshot while one is under way")
	}
	s.flush()
	if s.WantsSnapshot() {
		t.Error("wants a snapshot after one was made")
	}
}

func backlogIsBounded(t *testing.T, s *scene) {
	half := string(make([]byte, 30<<10))
	s.append(half)
	s.append(half)
	if _, err := s.Append([]byte(half)); !errors.Is(err, journal.ErrBacklog) {
		t.Errorf("third append of 30 KiB with a bound of 64: %v", err)
	}
	if got := s.Pending(); got < 60<<10 || got > 64<<10 {
		t.Errorf("pending %d bytes, want 60 KiB and little more", got)
	}
	s.flush()
	if got := s.Pending(); got != 0 {
		t.Errorf("pending %d bytes after a flush", got)
	}
	if _, err := s.Append(make([]byte, 65<<10)); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("append of 65 KiB with a bound of 64: %v", err)
	}
	if got := s.append("next"); got != 3 {
		t.Errorf("the append after two that were refused has ticket %d, want 3", got)
	}
	s.flush()
	s.crash()
	s.holds(half, half, "next")
}

func failedForGood(t *testing.T, s *scene) {
	s.append("kept")
	s.flush()
	cause := errors.New("no space left")
	s.Break(cause)
	s.append("lost")
	for range 2 {
		if err := s.Flush(t.Context()); !errors.Is(err, journal.ErrFailed) || !errors.Is(err, cause) {
			t.Errorf("flush on a broken disk: %v", err)
		}
	}
	if _, err := s.Append([]byte("late")); !errors.Is(err, journal.ErrFailed) {
		t.Errorf("append after the failure: %v", err)
	}
	if err := s.Snapshot(slices.Values([][]byte{})); !errors.Is(err, journal.ErrFailed) {
		t.Errorf("snapshot after the failure: %v", err)
	}
	if got := s.Pending(); got != 0 {
		t.Errorf("%d bytes are pending after the failure: whoever waits for them waits forever", got)
	}
	if len(s.failures) != 1 {
		t.Errorf("told %d times of the failure, want once: %v", len(s.failures), s.failures)
	}
	if want := []journal.Ticket{1}; !slices.Equal(s.persisted, want) {
		t.Errorf("persisted %v, want %v", s.persisted, want)
	}
	s.crash()
	if got := text(s.Recovered); !slices.Equal(got, []string{"kept"}) && !slices.Equal(got, []string{"kept", "lost"}) {
		t.Errorf("recovered %q", got)
	}
}
