package cluster

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// absent are agents that are not in the books and of which something is known all the same. What runs on
// them is not known; nothing is said of their tasks that the agent itself could prove wrong.
//
//	(former leader) ──▶ expected ──AgentReturn passed──▶ unreachable ──subscribe──▶ (the books)
//	                        └──────────subscribe──▶ (the books) ──timeout──▲
type absent struct {
	expected    deadlines[ids.AgentID] // agents of a former leader, which have not subscribed here yet
	unreachable *Table[ids.AgentID, UnreachableAgent]
	gone        goneAgents
}

// UnreachableAgent is an agent that was given up and may come back.
type UnreachableAgent struct {
	ID    ids.AgentID
	Since time.Time
}

func newAbsent() absent {
	return absent{expected: newDeadlines[ids.AgentID](), unreachable: NewTable[ids.AgentID, UnreachableAgent](), gone: newGoneAgents()}
}

// addUnreachable remembers an agent, and forgets the oldest if there are too many.
func (ab *absent) addUnreachable(u UnreachableAgent) {
	ab.unreachable.Delete(u.ID)
	ab.unreachable.Put(u.ID, &u)
	if ab.unreachable.Len() <= maxUnreachable {
		return
	}
	for oldest := range ab.unreachable.All() {
		ab.unreachable.Delete(oldest.ID)
		return
	}
}

// returned forgets that an agent was absent, and gives the words in which its tasks are announced.
func (ab *absent) returned(id ids.AgentID) string {
	ab.expected.clear(id)
	if ab.unreachable.Get(id) == nil {
		return "Unknown agent reregistered"
	}
	ab.unreachable.Delete(id)
	return "Unreachable agent re-reregistered"
}

// loseExpected gives up an agent that a former leader knew and that did not come back.
func (c *Cluster) loseExpected(now core.Time, id ids.AgentID) {
	c.absent.addUnreachable(UnreachableAgent{id, now.Wall})
	c.persist(nil, LoseAgent{ID: id, Since: now.Wall})
	for f := range c.frameworks.All() {
		c.tell(f, Failure{Agent: id})
	}
	c.notice(LevelWarn, "agent removed", "agent", id, "why", "did not come back")
}

// onItsWay tells whether an agent is expected to say soon what it runs; any agent, if none is named.
func (c *Cluster) onItsWay(id ids.AgentID) bool {
	if id == "" {
		return c.absent.expected.heap.Len() > 0
	}
	b := c.byAgent[id]
	return c.absent.expected.has(id) || b != nil && b.pending != nil
}

// announceTasks tells schedulers of the tasks that came back with an agent: they may have been told that
// these are lost, or not know what became of them.
func (c *Cluster) announceTasks(now core.Time, a *Agent, message string) {
	for _, key := range sortedTasks(c.byAgent[a.ID].tasks) {
		if t := c.tasks.Get(key); !Terminal(t.State) {
			c.tell(c.frameworks.Get(key.Framework), Update{Status{Task: key.Task, State: shownState(t), Agent: a.ID,
				Timestamp: now.Seconds(), Reason: mesos.TaskStatus_REASON_AGENT_REREGISTERED, Message: message, Like: t.Shown.Raw}})
		}
	}
}
