package cluster

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// An operator who knows that an agent will never come back says so (MARK_AGENT_GONE): its tasks need not be
// waited for. The word is final. Should the agent come back all the same, it is sent away and ends all that it
// runs; on its next start it is a new agent.

// reasonGone is what such an agent, and whoever had a task on it, is told.
const reasonGone = "Agent has been marked gone"

// goneAgents are those that may not come back, the oldest forgotten first.
type goneAgents struct {
	known   map[ids.AgentID]struct{}
	order   []ids.AgentID
	marking map[ids.AgentID]struct{} // it is being recorded; meanwhile they cannot register
}

func newGoneAgents() goneAgents {
	return goneAgents{known: make(map[ids.AgentID]struct{}), marking: make(map[ids.AgentID]struct{})}
}

func (g *goneAgents) has(id ids.AgentID) bool { _, ok := g.known[id]; return ok }

func (g *goneAgents) add(id ids.AgentID) {
	if g.has(id) {
		return
	}
	g.known[id] = struct{}{}
	if g.order = append(g.order, id); len(g.order) > maxUnreachable {
		delete(g.known, g.order[0])
		g.order = g.order[1:]
	}
}

// orderMarkGone has an agent declared gone. The answer counts once that is durable.
func (c *Cluster) orderMarkGone(now core.Time, o OrderMarkGone) {
	switch {
	case c.absent.gone.has(o.Agent):
		c.answer(Accepted, "")
	case c.byAgent[o.Agent] == nil && !c.absent.expected.has(o.Agent) && c.absent.unreachable.Get(o.Agent) == nil:
		c.answer(NotFound, fmt.Sprintf("Agent '%.256s' not found", o.Agent))
	default:
		c.absent.gone.marking[o.Agent] = struct{}{}
		c.persist(func(now core.Time) { c.markGone(now, o.Agent) }, MarkAgentGone{ID: o.Agent, Since: now.Wall})
		c.emit(Answer{Code: Accepted, After: c.lastTicket})
	}
}

// markGone takes an agent that is gone out of the books, wherever in them it is.
func (c *Cluster) markGone(now core.Time, id ids.AgentID) {
	c.absent.gone.add(id)
	delete(c.absent.gone.marking, id)
	c.absent.expected.clear(id)
	c.absent.unreachable.Delete(id)
	c.tellUnreachableGone(now, id)
	if a := c.agents.Get(id); a != nil {
		link := a.Link
		c.command(a, Refuse{Reason: reasonGone, Gone: true})
		c.takeBackAgentOffers(now, a)
		c.away.clear(id)
		c.clearAgent(now, a, fateGone, reasonGone)
		if link != 0 {
			c.dropLink(link)
		}
	}
	c.notice(LevelWarn, "agent marked gone", "agent", id)
}

// sendGone sends an agent away that is gone.
func (c *Cluster) sendGone(l LinkID) {
	c.emit(ToAgent{l, Refuse{Reason: reasonGone, Gone: true}})
	c.dropLink(l)
	c.notice(LevelWarn, "agent refused", "link", l, "reason", reasonGone)
}

// fateGone is what becomes of the tasks. Frameworks that have not said that they know of partitions hear what
// they know.
func fateGone(f *Framework) (mesos.TaskState, mesos.TaskStatus_Reason) {
	if f.PartitionAware() {
		return mesos.TaskState_TASK_GONE_BY_OPERATOR, mesos.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR
	}
	return mesos.TaskState_TASK_LOST, mesos.TaskStatus_REASON_AGENT_REMOVED
}

// tellUnreachableGone ends the waiting for the tasks of an agent that was given up before.
func (c *Cluster) tellUnreachableGone(now core.Time, id ids.AgentID) {
	for f := range c.frameworks.All() {
		for _, entry := range c.history.perFrame[f.Info.ID] {
			t := c.history.tasks.Get(entry)
			if t.Info.Agent != id || !t.Unreachable() {
				continue
			}
			state, reason := fateGone(f)
			s := Status{Task: t.Key.Task, State: state, Agent: id, Timestamp: now.Seconds(), Reason: reason, Message: reasonGone}
			next := *t
			next.State, next.Shown, next.Statuses = s.State, s, withStatus(t.Statuses, s)
			c.history.tasks.Put(entry, &next)
			c.tell(f, Update{s})
			c.publish(TaskUpdated{&next, &next.Shown})
		}
	}
}
