package sim

import (
	"slices"
	"time"

	"github.com/meseta/meseta/internal/node"
)

// disk is what a machine keeps of its agent when everything on it dies.
type disk struct {
	kept []node.Record
	full bool
}

// journal is an agent's way to its disk. Records are values here: they never change once they were made.
type journal struct {
	a        *agent
	disk     *disk
	waiting  []write
	syncing  bool
	broken   bool
	appended int // records since the last snapshot
}

// write is one append, or one snapshot, which replaces everything before it. Either is there as a whole or
// not at all.
type write struct {
	records  []node.Record
	snapshot bool
	ticket   node.Ticket // of an append
}

func (j *journal) append(p node.Persist) {
	if j.broken {
		return
	}
	j.waiting = append(j.waiting, write{records: slices.Clone(p.Records), ticket: p.Ticket})
	j.appended += len(p.Records)
	if j.appended > j.a.w.climate.snapshotAfter {
		j.a.w.count(EventSnapshot)
		j.appended = 0
		j.waiting = append(j.waiting, write{records: slices.Clone(j.a.core.Snapshot()), snapshot: true})
	}
	if !j.syncing {
		j.sync()
	}
}

// sync makes durable what waits now, with one fsync.
func (j *journal) sync() {
	j.syncing = true
	w := j.a.w
	took := w.between(100*time.Microsecond, 3*time.Millisecond)
	if w.now < j.a.host.slowUntil {
		took = w.between(20*time.Millisecond, 3*time.Second)
		w.count(FaultSlowDisk)
	}
	batch := len(j.waiting)
	j.a.after(took, func() { j.synced(batch) })
}

func (j *journal) synced(batch int) {
	if j.disk.full {
		j.broken = true
		j.waiting = nil
		j.a.w.count(FaultFullDisk)
		j.a.logf("the journal fails")
		j.a.step(node.PersistFailed{Cause: "no space left on device"}, nil)
		return
	}
	var upTo node.Ticket
	for _, one := range j.waiting[:batch] {
		j.apply(one)
		upTo = max(upTo, one.ticket)
	}
	j.waiting = j.waiting[batch:]
	if j.syncing = len(j.waiting) > 0; j.syncing {
		j.sync()
	}
	if upTo > 0 {
		j.a.soon(func() { j.a.step(node.Persisted{Ticket: upTo}, nil) })
	}
}

func (j *journal) apply(one write) {
	if one.snapshot {
		j.disk.kept = one.records
		return
	}
	j.disk.kept = append(j.disk.kept, one.records...)
	for _, r := range one.records {
		j.a.w.truth.durable(j.a.host, r)
	}
}

// cut is a crash: of what was not durable yet a prefix is there.
func (j *journal) cut() {
	if len(j.waiting) == 0 {
		return
	}
	keep := j.a.w.rng.IntN(len(j.waiting) + 1)
	if j.disk.full {
		keep = 0
	}
	if keep < len(j.waiting) {
		j.a.w.count(FaultTornTail)
	}
	for _, one := range j.waiting[:keep] {
		j.apply(one)
	}
}
