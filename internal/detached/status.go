package detached

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
)

// evidence is what a status proves of a task that may be with an agent.
type evidence uint8

const (
	evidenceNone     evidence = iota
	evidenceNever             // no agent has it, or ever had
	evidenceThere             // its agent has it, or the master itself tells its end
	evidenceRejected          // the master did not take it, and nobody else will tell
	evidenceLost              // whether it ran will never be known
)

// weigh says what a status proves.
//
// That a task is unknown to its agent proves that it was never launched only because the agent would still
// owe us its end: see the package's invariants.
func weigh(in Status) evidence {
	master := in.UUID == UUID{}
	asked := master && in.Reason == mesos.TaskStatus_REASON_RECONCILIATION
	switch in.State {
	case mesos.TaskState_TASK_STAGING:
		if asked { // the master has it, and nobody knows whether the agent does
			return evidenceNone
		}
	case mesos.TaskState_TASK_UNREACHABLE:
		return evidenceNone
	case mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_DROPPED:
		if asked || master && (in.Reason == mesos.TaskStatus_REASON_INVALID_OFFERS ||
			in.Reason == mesos.TaskStatus_REASON_AGENT_DISCONNECTED) { // the offer was gone, or the agent about to
			return evidenceNever
		}
	case mesos.TaskState_TASK_UNKNOWN:
		return evidenceLost
	case mesos.TaskState_TASK_GONE_BY_OPERATOR:
		if asked { // otherwise the master had it in its books, and has its end there
			return evidenceLost
		}
	case mesos.TaskState_TASK_ERROR:
		if master {
			return evidenceRejected
		}
	}
	return evidenceThere
}

// status takes in what is said of a task.
func (c *Core) status(now core.Time, in Status) {
	t := c.tasks[in.Task]
	if t == nil {
		c.acknowledge(in)
		return
	}
	found := weigh(in)
	if found != evidenceThere && (in.Agent != t.Agent || c.intends(t.ID)) {
		return // it speaks of an earlier try
	}
	switch found {
	case evidenceNone:
	case evidenceNever:
		c.neverLaunched(now, t)
		if in.Reason == mesos.TaskStatus_REASON_AGENT_DISCONNECTED && c.tasks[t.ID] != nil {
			c.resting[t.ID] = now.Mono + rest
		}
	case evidenceLost:
		c.remember(now, t, mesos.TaskState_TASK_LOST, "Its agent is gone; it may have run there")
		c.forget(t, nil)
	case evidenceRejected:
		c.remember(now, t, in.State, in.Text)
		c.forget(t, nil)
	case evidenceThere:
		if t.Killed && !ended(in.State) { // remembered until it has ended: a kill can get lost on its way
			c.emit(End{t.ID, in.Agent})
		} else {
			c.forget(t, nil)
		}
		c.acknowledge(in)
	}
}

// neverLaunched lets a task wait for another offer. The record may go on to name the agent: the next master
// would only ask it once more.
func (c *Core) neverLaunched(now core.Time, t *Task) {
	if t.Killed {
		c.remember(now, t, mesos.TaskState_TASK_KILLED, "Killed before it was launched")
		c.forget(t, nil)
		return
	}
	next := *t
	next.Agent = ""
	c.put(next)
	c.link.fresh = append(c.link.fresh, t.Role)
}

// ended tells whether a state is a task's last.
func ended(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_UNREACHABLE, mesos.TaskState_TASK_UNKNOWN:
		return false
	}
	return true
}
