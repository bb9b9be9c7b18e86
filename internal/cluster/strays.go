package cluster

import (
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// A stray is what an agent runs under the id of a task that lives on another agent: its scheduler launched
// that one anew while the first agent was away for too long. The stray is killed. Until its end was heard its
// resources are in use, and its framework has something on the agent; its scheduler hears nothing of it,
// for what it would hear it would take for news of the other one.

// addStray enters a stray that its agent reports, and has it killed.
func (c *Cluster) addStray(a *Agent, key TaskKey, r Resources) {
	b := c.byAgent[a.ID]
	if _, known := b.strays[key]; !known {
		c.adopt(key.Framework, a.ID, r)
		c.hold(key.Framework, a.ID)
		b.strays[key] = r
	}
	c.command(a, KillTask{Framework: key.Framework, Task: key.Task})
}

// isStray tells whether what an agent says of a task is about a stray.
func (c *Cluster) isStray(a *Agent, key TaskKey) bool {
	if _, ok := c.byAgent[a.ID].strays[key]; ok {
		return true
	}
	t := c.tasks.Get(key)
	return t != nil && t.Info.Agent != a.ID
}

// strayUpdate takes notice of a status of a stray in the scheduler's stead.
func (c *Cluster) strayUpdate(now core.Time, a *Agent, key TaskKey, in AgentUpdate) {
	c.command(a, AcknowledgeUpdate{key.Framework, key.Task, in.Status.UUID})
	if Terminal(in.Status.State) || Terminal(in.Latest) {
		c.dropStray(now, a.ID, key)
		c.buryIfEmpty(now, key.Framework)
		c.wantAllocation(now)
	}
}

func (c *Cluster) dropStray(now core.Time, agent ids.AgentID, key TaskKey) {
	b := c.byAgent[agent]
	if r, ok := b.strays[key]; ok {
		delete(b.strays, key)
		c.recoverFrom(now, key.Framework, agent, r, 0)
		c.forget(key.Framework, agent)
	}
}

func (c *Cluster) dropStrays(now core.Time, agent ids.AgentID) {
	for _, key := range sortedTasks(c.byAgent[agent].strays) {
		c.dropStray(now, agent, key)
	}
}
