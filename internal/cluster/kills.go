package cluster

import (
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// A scheduler's KILL was answered 202, so that it does not ask again. Until the task is known to have ended
// the master remembers the wish, and repeats it to an agent that comes back: the first one may have gone
// down with a link. A kill for a task that only an agent on its way can know waits for that agent.

// kill asks a task's agent to end it. What is unknown is answered for as reconciliation would.
func (c *Cluster) kill(now core.Time, f *Framework, call Kill) {
	key := TaskKey{f.Info.ID, call.Task}
	t := c.tasks.Get(key)
	if t == nil {
		if c.onItsWay(call.Agent) && len(c.early) < maxEarlyKills {
			c.early[key] = call.Policy
		}
		c.reconcileOne(now, f, ReconcileTask{call.Task, call.Agent})
		return
	}
	c.killTask(t, call.Policy)
}

// killTask asks a task's agent to end it, and remembers that.
func (c *Cluster) killTask(t *Task, policy []byte) {
	if !Terminal(t.State) {
		c.byAgent[t.Info.Agent].kills[t.Key] = policy
	}
	c.command(c.agents.Get(t.Info.Agent), KillTask{t.Key.Framework, t.Key.Task, policy})
}

// killAgain repeats to an agent that has come back what was asked for, or waited for it.
func (c *Cluster) killAgain(a *Agent) {
	b := c.byAgent[a.ID]
	for key := range b.tasks {
		if policy, ok := c.early[key]; ok {
			delete(c.early, key)
			b.kills[key] = policy
		}
	}
	if !c.onItsWay("") {
		clear(c.early) // nobody else will know those tasks
	}
	for _, key := range sortedTasks(b.kills) {
		c.command(a, KillTask{key.Framework, key.Task, b.kills[key]})
	}
}

// killed forgets a wish that has come true, or cannot any more.
func (c *Cluster) killed(a ids.AgentID, key TaskKey) {
	if b := c.byAgent[a]; b != nil {
		delete(b.kills, key)
	}
}
