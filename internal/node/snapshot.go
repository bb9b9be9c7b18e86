package node

import (
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// Snapshot lists records that give the present state. They refer to immutable values only, so that they
// may be encoded elsewhere while the core goes on. What a replay needs to know it from is tolerant of
// repetition, since records that are on their way now come behind the snapshot.
func (n *Node) Snapshot() []Record {
	records := []Record{n.identity}
	for _, f := range n.orderedFrameworks() {
		records = append(records, FrameworkRecord{Framework: f.Framework, Ending: f.ending})
		for _, e := range f.orderedExecutors() {
			records = append(records, ExecutorRecord{
				Framework: f.ID, Executor: e.id, Container: e.container, Grace: e.grace, Info: e.info, Demand: e.own})
		}
	}
	for t := range n.history.all() {
		records = t.appendRecords(records)
	}
	for _, f := range n.orderedFrameworks() {
		for _, t := range f.orderedTasks() {
			records = t.appendRecords(records)
		}
	}
	return records
}

func (t *task) appendRecords(records []Record) []Record {
	records = append(records, TaskRecord{
		Framework: t.framework.ID,
		Task:      t.id,
		Executor:  t.owner,
		Container: t.container,
		KillGrace: t.grace,
		MaxTime:   t.maxTime,
		Info:      t.info,
		Demand:    t.demand,
	})
	for _, s := range t.statuses {
		if !slices.ContainsFunc(t.owed, func(o owed) bool { return o.UUID == s.UUID }) {
			records = append(records, StatusRecord{Framework: t.framework.ID, Task: t.id, Status: s, Acknowledged: true})
		}
	}
	for _, o := range t.owed {
		records = append(records, StatusRecord{Framework: t.framework.ID, Task: t.id, Status: o.Status})
	}
	return records
}

// runningFor is how long ago the task said TASK_RUNNING, by the wall clock.
func (t *task) runningFor(n *Node) time.Duration {
	for _, s := range t.statuses {
		if s.State == mesos.TaskState_TASK_RUNNING {
			return max(0, time.Duration((n.now.Seconds()-s.Timestamp)*float64(time.Second)))
		}
	}
	return 0
}
