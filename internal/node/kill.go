package node

import (
	"github.com/meseta/meseta/api/mesos/v1"
)

// killTask ends a task, wherever it is.
func (n *Node) killTask(in KillTask) {
	f := n.frameworks[in.Framework]
	if f == nil || f.tasks[in.Task] == nil {
		n.killUnknown(f, in)
		return
	}
	t := f.tasks[in.Task]
	switch e := t.executor; {
	case e == nil || f.ending: // it has ended, or is about to: that status is on its way
	case e.builtin:
		n.killCommand(e, durationOr(in.Grace, t.grace))
	case t.queued:
		n.report(t, n.killedBeforeDelivery(t))
		n.endIfNeverUsed(e)
	default:
		t.kill = &killRequest{policy: in.Policy}
		if e.stream != 0 {
			n.emit(ToExecutor{Stream: e.stream, Event: ExecutorKill{Task: t.id, Policy: in.Policy}})
		}
	}
}

// endIfNeverUsed ends an executor all of whose tasks were killed before it got the first one. Nobody else
// would: an executor that had tasks decides itself when it is done.
func (n *Node) endIfNeverUsed(e *executor) {
	if len(e.tasks) == 0 && !e.delivered {
		n.endExecutor(e)
	}
}

// killUnknown says that there is nothing to kill. The status has no uuid: nobody has to acknowledge it. If
// the task is in the history, its end is said again.
func (n *Node) killUnknown(f *framework, in KillTask) {
	if f != nil && f.past[in.Task] != nil {
		last := *f.past[in.Task].statuses[len(f.past[in.Task].statuses)-1]
		last.UUID = UUID{}
		n.tell(Update{Framework: in.Framework, Task: in.Task, Status: &last, Latest: last.State})
		return
	}
	state := mesos.TaskState_TASK_LOST
	if f != nil {
		state = f.lost()
	}
	n.tell(Update{Framework: in.Framework, Task: in.Task, Latest: state, Status: &Status{
		State:     state,
		Source:    mesos.TaskStatus_SOURCE_AGENT,
		Reason:    mesos.TaskStatus_REASON_EXECUTOR_TERMINATED,
		Message:   "Cannot find executor",
		Timestamp: n.now.Seconds(),
	}})
}
