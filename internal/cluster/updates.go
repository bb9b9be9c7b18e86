package cluster

import "github.com/meseta/meseta/internal/core"

// agentUpdate takes a status in and passes it on. The agent repeats it until the framework's
// acknowledgement has come back to it, so nothing is kept here for a framework that is away.
func (c *Cluster) agentUpdate(now core.Time, in AgentUpdate) {
	a := c.agentOf(in.Link)
	if a == nil {
		return
	}
	key := TaskKey{in.Framework, in.Status.Task}
	f := c.frameworks.Get(in.Framework)
	if t := c.tasks.Get(key); t != nil && t.Info.Agent == a.ID {
		state := in.Latest
		if Terminal(t.State) {
			state = t.State
		}
		if in.Status.UUID != t.Shown.UUID || state != t.State {
			c.moveTask(now, t, state, &in.Status)
		}
	}
	if f == nil || f.Gone() { // nobody will ever acknowledge it
		c.command(a, AcknowledgeUpdate{in.Framework, in.Status.Task, in.Status.UUID})
		c.buryIfEmpty(now, in.Framework)
		return
	}
	c.tell(f, Update{in.Status})
}

// acknowledge passes an acknowledgement on, also of a task that the books do not know: the agent may.
func (c *Cluster) acknowledge(now core.Time, f *Framework, call Acknowledge) {
	t := c.tasks.Get(TaskKey{f.Info.ID, call.Task})
	c.command(c.agents.Get(call.Agent), AcknowledgeUpdate{f.Info.ID, call.Task, call.UUID})
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
