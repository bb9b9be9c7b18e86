package journaltest

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/meseta/meseta/internal/journal"
)

// Mem is a journal without a disk: deterministic, without goroutines, for simulations. Time passes
// only where the simulation says so: nothing is durable until Flush, and a crash keeps what the
// simulation lets it keep. It is not safe for concurrent use.
type Mem struct {
	opts    journal.Options
	durable contents
	waiting []step // appended and not durable yet
	backlog int
	ended   error
	broken  error // what the next Flush fails with

	accepted, persisted journal.Ticket
	snapshotting        bool
	sinceSnapshot       int64
	wantedAt            int64
}

// contents is what a crash leaves.
type contents struct {
	snapshot, tail [][]byte
}

// step is one Append or one Snapshot.
type step struct {
	records  [][]byte
	snapshot bool
}

var _ journal.Log = (*Mem)(nil)

// NewMem returns an empty journal. Of the options SegmentSize and Salvage mean nothing to it.
func NewMem(opts journal.Options) *Mem { return newMem(contents{}, opts) }

func newMem(durable contents, opts journal.Options) *Mem {
	if opts.MaxPending <= 0 {
		opts.MaxPending = 16 << 20
	}
	if opts.SnapshotAfter <= 0 {
		opts.SnapshotAfter = 4 << 20
	}
	m := &Mem{opts: opts, durable: durable}
	m.sinceSnapshot = size(durable.tail)
	m.wantedAt = max(opts.SnapshotAfter, 2*size(durable.snapshot))
	return m
}

// Append implements journal.Log.
func (m *Mem) Append(records ...[]byte) (journal.Ticket, error) {
	n := int(size(records))
	switch {
	case m.ended != nil:
		return 0, m.ended
	case n > m.opts.MaxPending:
		return 0, fmt.Errorf("%w: %d bytes in one append, at most %d", journal.ErrTooLarge, n, m.opts.MaxPending)
	case m.backlog+n > m.opts.MaxPending:
		return 0, fmt.Errorf("%w: %d bytes wait, at most %d", journal.ErrBacklog, m.backlog, m.opts.MaxPending)
	}
	m.accepted++
	m.backlog += n
	m.waiting = append(m.waiting, step{records: clone(slices.Values(records))})
	return m.accepted, nil
}

// Write implements journal.Log. Its records are as safe as those of Append, which is more than they need to be.
func (m *Mem) Write(records ...[]byte) (journal.Ticket, error) { return m.Append(records...) }

// Snapshot implements journal.Log. The sequence is walked before it returns.
func (m *Mem) Snapshot(records iter.Seq[[]byte]) error {
	if m.ended != nil {
		return m.ended
	}
	if m.snapshotting {
		return journal.ErrSnapshotRunning
	}
	m.snapshotting = true
	m.waiting = append(m.waiting, step{records: clone(records), snapshot: true})
	return nil
}

// WantsSnapshot implements journal.Log.
func (m *Mem) WantsSnapshot() bool {
	return !m.snapshotting && m.ended == nil && m.sinceSnapshot >= m.wantedAt
}

// Pending implements journal.Log.
func (m *Mem) Pending() int { return m.backlog }

// Flush makes everything that waits durable and calls the hooks, or fails as Break told it to.
func (m *Mem) Flush(context.Context) error {
	if m.ended != nil {
		return m.ended
	}
	if m.broken != nil {
		m.ended = fmt.Errorf("%w: %w", journal.ErrFailed, m.broken)
		m.waiting, m.backlog = nil, 0
		if failed := m.opts.Hooks.Failed; failed != nil {
			failed(m.ended)
		}
		return m.ended
	}
	for _, s := range m.waiting {
		m.durable.take(s)
		if s.snapshot {
			m.snapshotted(size(s.records))
		} else {
			m.sinceSnapshot += size(s.records)
		}
	}
	m.waiting, m.backlog = nil, 0
	if m.persisted < m.accepted {
		m.persisted = m.accepted
		if persisted := m.opts.Hooks.Persisted; persisted != nil {
			persisted(m.persisted)
		}
	}
	return nil
}

func (m *Mem) snapshotted(bytes int64) {
	m.snapshotting, m.sinceSnapshot = false, 0
	m.wantedAt = max(m.opts.SnapshotAfter, 2*bytes)
	if snapshotted := m.opts.Hooks.Snapshotted; snapshotted != nil {
		snapshotted(bytes, nil)
	}
}

// Break makes the next Flush fail, and the journal with it.
func (m *Mem) Break(cause error) { m.broken = cause }

// Waiting is the number of appends and snapshots that are not durable yet, which is what Crash may
// choose from.
func (m *Mem) Waiting() int { return len(m.waiting) }

// Crash returns the journal that the next process opens, with the options of that process, when the
// first so many of the waiting appends and snapshots happen to have reached the disk. The old one
// must not be used any more.
func (m *Mem) Crash(survive int, opts journal.Options) (*Mem, journal.Recovered) {
	left := m.durable
	for _, s := range m.waiting[:survive] {
		left.take(s)
	}
	return newMem(left, opts), journal.Recovered{Snapshot: slices.Clone(left.snapshot), Tail: slices.Clone(left.tail)}
}

func (c *contents) take(s step) {
	if s.snapshot {
		c.snapshot, c.tail = s.records, nil
	} else {
		c.tail = append(c.tail, s.records...)
	}
}

func clone(records iter.Seq[[]byte]) [][]byte {
	var c [][]byte
	for r := range records {
		c = append(c, slices.Clone(r))
	}
	return c
}

// size counts five bytes for each record, as the journal on disk does at most.
func size(records [][]byte) int64 {
	n := int64(0)
	for _, r := range records {
		n += int64(len(r)) + 5
	}
	return n
}
