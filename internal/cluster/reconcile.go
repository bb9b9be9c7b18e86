package cluster

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
)

// reconcile tells a framework the state of the tasks that it names or, if it names none, of all its
// live tasks. What is said is what the scheduler was told last, not what may be on its way to it.
func (c *Cluster) reconcile(now core.Time, f *Framework, call Reconcile) {
	for _, t := range call.Tasks {
		c.reconcileOne(now, f, t)
	}
	if len(call.Tasks) > 0 {
		return
	}
	for _, key := range sortedTasks(c.byFrame[f.Info.ID].tasks) {
		if t := c.tasks.Get(key); !Terminal(shownState(t)) {
			c.tellState(now, f, t)
		}
	}
}

// reconcileOne answers for one task:
//
//	known                             its latest state
//	unknown, agent known              TASK_GONE: the agent would have reported it
//	unknown, agent on its way         nothing: the agent will tell
//	unknown, agent unreachable        TASK_UNREACHABLE, unless it is known to have ended before
//	unknown, agent gone               TASK_GONE_BY_OPERATOR
//	unknown, agent unknown            TASK_UNKNOWN
//
// with TASK_LOST in place of the others for frameworks that are not partition-aware. Where no agent is named
// it is the one that the task was on, and else any agent that is on its way.
func (c *Cluster) reconcileOne(now core.Time, f *Framework, r ReconcileTask) {
	if t := c.tasks.Get(TaskKey{f.Info.ID, r.Task}); t != nil {
		c.tellState(now, f, t)
		return
	}
	past := c.history.last(TaskKey{f.Info.ID, r.Task})
	if r.Agent == "" && past != nil && past.Unreachable() {
		r.Agent = past.Info.Agent
	}
	s := Status{Task: r.Task, Agent: r.Agent, Timestamp: now.Seconds(), Reason: mesos.TaskStatus_REASON_RECONCILIATION}
	lost := c.absent.unreachable.Get(r.Agent)
	switch {
	case c.agents.Get(r.Agent) != nil:
		s.State = ifAware(f, mesos.TaskState_TASK_GONE)
		s.Message = "Reconciliation: Task is unknown to the agent"
	case c.onItsWay(r.Agent):
		return
	case lost != nil && (past == nil || past.Unreachable()):
		s.State = ifAware(f, mesos.TaskState_TASK_UNREACHABLE)
		s.Message = "Reconciliation: Task is unreachable"
		s.UnreachableSince = lost.Since
	case c.absent.gone.has(r.Agent):
		s.State = ifAware(f, mesos.TaskState_TASK_GONE_BY_OPERATOR)
		s.Message = "Reconciliation: Task is gone"
	default:
		s.State = ifAware(f, mesos.TaskState_TASK_UNKNOWN)
		s.Message = "Reconciliation: Task is unknown"
	}
	c.tell(f, Update{s})
}

func (c *Cluster) tellState(now core.Time, f *Framework, t *Task) {
	c.tell(f, Update{Status{Task: t.Key.Task, State: shownState(t), Agent: t.Info.Agent, Timestamp: now.Seconds(),
		Reason: mesos.TaskStatus_REASON_RECONCILIATION, Message: "Reconciliation: Latest task state", Like: t.Shown.Raw}})
}

// shownState is the state that the scheduler heard of last.
func shownState(t *Task) mesos.TaskState {
	if t.Shown.Task == "" {
		return mesos.TaskState_TASK_STAGING
	}
	return t.Shown.State
}
