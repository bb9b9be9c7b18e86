package cluster

import (
	"cmp"
	"slices"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// addTask enters a live task into the books; its resources are in use from here on.
func (c *Cluster) addTask(t *Task) {
	c.tasks.Put(t.Key, t)
	c.byFrame[t.Key.Framework].tasks[t.Key] = struct{}{}
	c.byAgent[t.Info.Agent].tasks[t.Key] = struct{}{}
	if !Terminal(t.State) {
		c.hold(t.Key.Framework, t.Info.Agent)
	}
	c.publish(TaskAdded{t})
}

// HasTask tells whether a task is in the books: it was launched, and its end has not been acknowledged.
func (c *Cluster) HasTask(key TaskKey) bool { return c.tasks.Get(key) != nil }

// moveTask gives a task a new state, and its resources back if that is its last.
func (c *Cluster) moveTask(now core.Time, t *Task, s mesos.TaskState, with *Status) *Task {
	next := *t
	next.State = s
	if with != nil {
		next.Shown = with.Remembered()
		next.Shown.Task = t.Key.Task // the same text, which would be kept once more for each status
		if next.Shown.Agent == t.Info.Agent {
			next.Shown.Agent = t.Info.Agent
		}
		next.Statuses = withStatus(t.Statuses, next.Shown)
	}
	c.tasks.Put(t.Key, &next)
	if with != nil {
		c.publish(TaskUpdated{&next, &next.Shown})
	}
	if Terminal(s) && !Terminal(t.State) {
		c.killed(t.Info.Agent, t.Key)
		c.recoverFrom(now, t.Key.Framework, t.Info.Agent, t.Info.Resources, 0)
		c.forget(t.Key.Framework, t.Info.Agent)
		c.wantAllocation(now)
	}
	return &next
}

// completeTask makes history of a task that ended.
func (c *Cluster) completeTask(now core.Time, t *Task) {
	if Terminal(t.State) && !Terminal(shownState(t)) { // its framework was removed before it could hear of the end
		c.publish(TaskUpdated{t, &Status{Task: t.Key.Task, State: t.State, Agent: t.Info.Agent, Timestamp: now.Seconds(),
			Reason: mesos.TaskStatus_REASON_FRAMEWORK_REMOVED, Message: "Framework was removed"}})
	}
	c.tasks.Delete(t.Key)
	c.killed(t.Info.Agent, t.Key)
	delete(c.byFrame[t.Key.Framework].tasks, t.Key)
	if b := c.byAgent[t.Info.Agent]; b != nil {
		delete(b.tasks, t.Key)
	}
	c.history.addTask(t, c.config.CompletedTasks)
}

// loseTask ends a task on the master's own account and tells its framework.
func (c *Cluster) loseTask(now core.Time, t *Task, s mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	status := Status{Task: t.Key.Task, State: s, Agent: t.Info.Agent, Reason: reason, Message: message,
		Timestamp: now.Seconds()}
	if reason == mesos.TaskStatus_REASON_AGENT_REMOVED && !c.agents.Get(t.Info.Agent).Connected() && !c.absent.gone.has(t.Info.Agent) {
		status.UnreachableSince = now.Wall
	}
	c.tell(c.frameworks.Get(t.Key.Framework), Update{status})
	next := *t
	next.State = s
	next.Shown = status
	next.Statuses = withStatus(t.Statuses, status)
	c.tasks.Put(t.Key, &next)
	c.publish(TaskUpdated{&next, &next.Shown})
	if !Terminal(t.State) {
		c.recoverFrom(now, t.Key.Framework, t.Info.Agent, t.Info.Resources, 0)
		c.forget(t.Key.Framework, t.Info.Agent)
	}
	c.completeTask(now, &next)
}

// withStatus keeps the last status of each state, oldest first.
func withStatus(have []Status, s Status) []Status {
	kept := make([]Status, 0, len(have)+1)
	for _, h := range have {
		if h.State != s.State {
			kept = append(kept, h)
		}
	}
	return append(kept, s)
}

// statusOf is the status of a state; zero if there is none.
func statusOf(have []Status, s mesos.TaskState) Status {
	for _, h := range have {
		if h.State == s {
			return h
		}
	}
	return Status{}
}

// addExecutor enters a custom executor into the books.
func (c *Cluster) addExecutor(key executorKey, info ExecutorInfo) {
	c.executors.Put(key, &Executor{Framework: key.framework, Agent: key.agent, Info: info})
	c.byAgent[key.agent].executors[key] = struct{}{}
	c.hold(key.framework, key.agent)
}

func (c *Cluster) removeExecutor(now core.Time, key executorKey) {
	e := c.executors.Get(key)
	if e == nil {
		return
	}
	c.executors.Delete(key)
	delete(c.byAgent[key.agent].executors, key)
	c.recoverFrom(now, key.framework, key.agent, e.Info.Resources, 0)
	c.forget(key.framework, key.agent)
}

// executorExited frees an executor and tells its framework.
func (c *Cluster) executorExited(now core.Time, in AgentExecutorExited) {
	a := c.agentOf(in.Link)
	if a == nil {
		return
	}
	key := executorKey{a.ID, in.Framework, in.Executor}
	if c.executors.Get(key) == nil {
		return
	}
	c.removeExecutor(now, key)
	c.tell(c.frameworks.Get(in.Framework), Failure{Agent: a.ID, Executor: in.Executor, Status: in.Status})
	c.buryIfEmpty(now, in.Framework)
	c.wantAllocation(now)
}

// hold counts one more thing that a framework has on an agent.
func (c *Cluster) hold(f ids.FrameworkID, a ids.AgentID) { c.byFrame[f].agents[a]++ }

// forget counts one less.
func (c *Cluster) forget(f ids.FrameworkID, a ids.AgentID) {
	b := c.byFrame[f]
	if b.agents[a]--; b.agents[a] <= 0 {
		delete(b.agents, a)
	}
}

// ifAware gives the state for partition-aware frameworks, TASK_LOST for all others.
func ifAware(f *Framework, s mesos.TaskState) mesos.TaskState {
	if f != nil && f.PartitionAware() {
		return s
	}
	return mesos.TaskState_TASK_LOST
}

func roleOf(r Resources) ids.Role {
	if role, ok := r.AllocatedTo(); ok {
		return role
	}
	return ids.AnyRole
}

func sortedTasks[V any](m map[TaskKey]V) []TaskKey {
	keys := make([]TaskKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b TaskKey) int {
		return cmp.Or(cmp.Compare(a.Framework, b.Framework), cmp.Compare(a.Task, b.Task))
	})
	return keys
}

func sortedExecutors[V any](m map[executorKey]V) []executorKey {
	keys := make([]executorKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b executorKey) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.framework, b.framework), cmp.Compare(a.executor, b.executor))
	})
	return keys
}
