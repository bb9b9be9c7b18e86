package cluster

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
)

// agentUpdate takes a status in and passes it on. The agent repeats it until the framework's
// acknowledgement has come back to it, so nothing is kept here for a framework that is away.
func (c *Cluster) agentUpdate(now core.Time, in AgentUpdate) {
	a := c.agentOf(in.Link)
	if a == nil {
		return
	}
	key := TaskKey{in.Framework, in.Status.Task}
	if c.isStray(a, key) {
		c.strayUpdate(now, a, key, in)
		return
	}
	f := c.frameworks.Get(in.Framework)
	if t := c.tasks.Get(key); t != nil {
		if state := latest(t, &in); in.Status.UUID != t.Shown.UUID || state != t.State {
			c.moveTask(now, t, state, &in.Status)
		}
	}
	if c.isOver(in.Framework) { // nobody will ever acknowledge it
		c.command(a, AcknowledgeUpdate{in.Framework, in.Status.Task, in.Status.UUID})
		c.buryIfEmpty(now, in.Framework)
		return
	}
	c.tell(f, Update{in.Status})
}

// latest is the state of a task after an update of it. An end is final.
func latest(t *Task, in *AgentUpdate) mesos.TaskState {
	switch {
	case Terminal(t.State):
		return t.State
	case Terminal(in.Status.State):
		return in.Status.State
	}
	return in.Latest
}

// acknowledge passes an acknowledgement on, also of a task that the books do not know: the agent may. If the
// agent is away it is lost, and the task stays in the books until the agent has repeated its end.
func (c *Cluster) acknowledge(now core.Time, f *Framework, call Acknowledge) {
	a := c.agents.Get(call.Agent)
	if a == nil || !a.Connected() {
		return
	}
	c.command(a, AcknowledgeUpdate{f.Info.ID, call.Task, call.UUID})
	t := c.tasks.Get(TaskKey{f.Info.ID, call.Task})
	if t != nil && t.Info.Agent == call.Agent && t.Shown.UUID == call.UUID && Terminal(t.Shown.State) {
		c.completeTask(now, t)
	}
}

// agentMessage passes an executor's message on, if its framework is there to hear it.
func (c *Cluster) agentMessage(in AgentMessage) {
	if a := c.agentOf(in.Link); a != nil {
		c.tell(c.frameworks.Get(in.Framework), ExecutorMessage{a.ID, in.Executor, in.Data})
	}
}
