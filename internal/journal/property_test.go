package journal_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
	"pgregory.net/rapid"
)

// history is what the journal was told, beside what it said was durable. It is the dumb twin: all
// batches ever, in order.
type history struct {
	t       *rapid.T
	rng     *rand.Rand
	disk    *journaltest.Disk
	j       *journal.Journal
	opts    journal.Options
	batches [][]string // accepted, oldest first; what a crash lost is taken out
	durable int        // how many of them were reported as persisted, or recovered
	written int        // how many of them were reported as written
	base    int        // batches before the first Append since open
	counter int
}

// Random appends, commits, snapshots and crashes: what was persisted is there, in order, and nothing
// else but whole appends that were under way.
func TestCrashesLoseNothingThatWasPersisted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t}
		h.rng = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		h.disk = &journaltest.Disk{Reserve: rapid.Bool().Draw(t, "reserve")}
		h.opts = journal.Options{
			SegmentSize: rapid.Int64Range(1, 4096).Draw(t, "segment size"),
			MaxPending:  1 << 20,
			Hooks: journal.Hooks{
				Persisted: func(upTo journal.Ticket) { h.durable = h.base + int(upTo) },
				Written:   func(upTo journal.Ticket) { h.written = h.base + int(upTo) },
			},
		}
		h.open()
		t.Repeat(map[string]func(*rapid.T){
			"append":   h.append,
			"flush":    h.flush,
			"snapshot": h.snapshot,
			"crash":    h.crash,
			"kill":     h.kill,
			"crash while writing": func(t *rapid.T) {
				h.append(t)
				h.crashWhileWriting(t)
			},
		})
		h.flush(t)
		h.crash(t)
	})
}

func (h *history) open() {
	j, recovered, err := journal.OpenDisk(h.disk, h.opts)
	if err != nil {
		h.t.Fatalf("open: %v", err)
	}
	h.j = j
	h.believe(texts(recovered))
}

// believe compares what was recovered with the history and goes on from there.
func (h *history) believe(got []string) {
	for n := h.durable; n <= len(h.batches); n++ {
		if want := slices.Concat(h.batches[:n]...); len(want) == len(got) {
			if !slices.Equal(got, want) {
				h.t.Fatalf("recovered %q, want %q", got, want)
			}
			h.batches = h.batches[:n]
			h.durable, h.written, h.base = n, n, n
			return
		}
	}
	h.t.Fatalf("recovered %d records, which are not %d persisted batches and some of the %d others\n%q\n%q",
		len(got), h.durable, len(h.batches)-h.durable, got, h.batches)
}

func (h *history) append(t *rapid.T) {
	batch := make([]string, rapid.IntRange(1, 4).Draw(t, "records"))
	records := make([][]byte, len(batch))
	for i := range batch {
		h.counter++
		batch[i] = fmt.Sprintf("%d%s", h.counter, string(make([]byte, rapid.SampledFrom([]int{0, 1, 30, 700, 3000}).Draw(t, "length"))))
		records[i] = []byte(batch[i])
	}
	add := h.j.Append
	if rapid.IntRange(0, 2).Draw(t, "only written") == 0 {
		add = h.j.Write
	}
	if _, err := add(records...); err != nil {
		h.t.Fatalf("append: %v", err)
	}
	h.batches = append(h.batches, batch)
}

func (h *history) flush(t *rapid.T) {
	if err := h.j.Flush(t.Context()); err != nil {
		h.t.Fatalf("flush: %v", err)
	}
	if h.durable != len(h.batches) {
		h.t.Fatalf("%d of %d batches persisted after a flush", h.durable, len(h.batches))
	}
}

// snapshot asks for one of everything so far, which takes effect with the next flush.
func (h *history) snapshot(*rapid.T) {
	all := slices.Concat(h.batches...)
	err := h.j.Snapshot(func(yield func([]byte) bool) {
		for _, r := range all {
			if !yield([]byte(r)) {
				return
			}
		}
	})
	if err != nil && err != journal.ErrSnapshotRunning {
		h.t.Fatalf("snapshot: %v", err)
	}
}

func (h *history) crash(*rapid.T) {
	h.disk = h.disk.Crash(h.rng)
	h.open()
}

// kill ends the process while it waits for a sync, and the machine goes on.
func (h *history) kill(t *rapid.T) {
	h.disk.Fail = func(op journaltest.Op, _ string) error {
		if op == journaltest.OpSyncFile {
			return errPower
		}
		return nil
	}
	_ = h.j.Flush(t.Context())
	h.disk.Fail = nil
	h.durable = max(h.durable, h.written)
	h.open()
}

// crashWhileWriting cuts the power at some operation of a flush.
func (h *history) crashWhileWriting(t *rapid.T) {
	var crashed *journaltest.Disk
	left := rapid.IntRange(0, 12).Draw(t, "operations")
	h.disk.Fail = func(journaltest.Op, string) error {
		if left--; left == 0 {
			return errPower
		}
		return nil
	}
	err := h.j.Flush(t.Context())
	if crashed = h.disk.Crash(h.rng); err == nil && h.durable != len(h.batches) {
		h.t.Fatalf("%d of %d batches persisted after a flush", h.durable, len(h.batches))
	}
	h.disk = crashed
	h.open()
}

var errPower = fmt.Errorf("the power is gone")
