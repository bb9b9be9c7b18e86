package sim

import (
	"slices"
	"time"

	"github.com/meseta/meseta/internal/node"
)

// disk is what a machine keeps of its agent when everything on it dies.
type disk struct {
	kept   []node.Record
	cached []write // it outlives the agent, and is lost with the machine
	full   bool
}

// journal is an agent's way to its disk. Records are values here: they never change once they were made.
type journal struct {
	a        *agent
	disk     *disk
	waiting  []write
	busy     bool
	broken   bool
	appended int // records since the last snapshot
}

// write is one append, or one snapshot, which replaces everything before it. Either is there as a whole or
// not at all.
type write struct {
	records  []node.Record
	snapshot bool
	sync     bool
	ticket   node.Ticket // of an append
}

func (j *journal) append(p node.Persist) {
	if j.broken {
		return
	}
	j.waiting = append(j.waiting, write{records: slices.Clone(p.Records), ticket: p.Ticket, sync: p.Sync})
	j.appended += len(p.Records)
	if j.appended > j.a.w.climate.snapshotAfter {
		j.a.w.count(EventSnapshot)
		j.appended = 0
		j.waiting = append(j.waiting, write{records: slices.Clone(j.a.core.Snapshot()), snapshot: true, sync: true})
	}
	if !j.busy {
		j.write()
	}
}

// write puts into the file what waits now, and makes it durable with one fsync if some of it has to be.
func (j *journal) write() {
	j.busy = true
	w := j.a.w
	batch := len(j.waiting)
	j.a.after(w.between(5*time.Microsecond, 100*time.Microsecond), func() {
		if j.disk.full {
			j.fail()
			return
		}
		sync := false
		for _, one := range j.waiting[:batch] {
			j.a.host.cache(one)
			sync = sync || one.sync
		}
		upTo := j.waiting[batch-1].ticket
		j.waiting = j.waiting[batch:]
		if sync {
			j.sync()
			return
		}
		j.goOn()
		j.a.soon(func() { j.a.step(node.Written{Ticket: upTo}, nil) })
	})
}

func (j *journal) sync() {
	w := j.a.w
	took := w.between(100*time.Microsecond, 3*time.Millisecond)
	if w.now < j.a.host.slowUntil {
		took = w.between(20*time.Millisecond, 3*time.Second)
		w.count(FaultSlowDisk)
	}
	j.a.after(took, func() {
		if j.disk.full {
			j.fail()
			return
		}
		upTo := j.a.host.settle(len(j.disk.cached))
		j.goOn()
		if upTo > 0 {
			j.a.soon(func() { j.a.step(node.Persisted{Ticket: upTo}, nil) })
		}
	})
}

func (j *journal) goOn() {
	if j.busy = len(j.waiting) > 0; j.busy {
		j.write()
	}
}

func (j *journal) fail() {
	j.broken = true
	j.waiting = nil
	j.a.w.count(FaultFullDisk)
	j.a.logf("the journal fails")
	j.a.step(node.PersistFailed{Cause: "no space left on device"}, nil)
}

// cut is the end of the process: of what was not written yet a prefix is there.
func (j *journal) cut() {
	if len(j.waiting) == 0 || j.disk.full {
		return
	}
	keep := j.a.w.rng.IntN(len(j.waiting) + 1)
	if keep < len(j.waiting) {
		j.a.w.count(FaultTornTail)
	}
	for _, one := range j.waiting[:keep] {
		j.a.host.cache(one)
	}
}

// cache takes what is written.
func (h *host) cache(one write) {
	h.disk.cached = append(h.disk.cached, one)
	if !one.snapshot {
		for _, r := range one.records {
			h.w.truth.written(h, r)
		}
	}
}

// settle makes the first of what was written durable, and says how far that is.
func (h *host) settle(n int) (upTo node.Ticket) {
	for _, one := range h.disk.cached[:n] {
		if one.snapshot {
			h.disk.kept = one.records
			continue
		}
		upTo = one.ticket
		h.disk.kept = append(h.disk.kept, one.records...)
		for _, r := range one.records {
			h.w.truth.durable(r)
		}
	}
	h.disk.cached = h.disk.cached[n:]
	return upTo
}

// losePower loses what was not durable, or a part of it.
func (h *host) losePower() {
	h.settle(h.w.rng.IntN(len(h.disk.cached) + 1))
	if len(h.disk.cached) > 0 {
		h.w.count(FaultTornTail)
	}
	for _, one := range h.disk.cached {
		for _, r := range one.records {
			h.w.truth.lost(r)
		}
	}
	h.disk.cached = nil
	h.w.truth.rebooted(h)
}
