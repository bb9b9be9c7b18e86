package cluster

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/internal/core"
)

// removals hold back the giving up of agents that are away for too long. They leave the books one after the
// other, so that schedulers and the registry are not flooded, and not at all while so many are away at once
// that the master's own network is the likelier cause: a wrong guess costs the restart of all that runs there.
type removals struct {
	next   time.Duration // when another agent may be given up
	halted bool
}

// enoughToHalt is how many agents have to be away before their share counts: in a small cluster half of the
// agents are soon away, and little is lost if that is believed.
const enoughToHalt = 10

// nextRemoval is when the next agent is to be given up.
func (c *Cluster) nextRemoval() time.Duration {
	deadline := min(c.away.next(), c.absent.expected.next())
	if c.removals.halted || deadline == core.Never {
		return core.Never
	}
	return max(deadline, c.removals.next)
}

// expireAgents gives up agents whose time is over.
func (c *Cluster) expireAgents(now core.Time) {
	for c.mayRemove(now) {
		if id, ok := c.away.pop(now.Mono); ok {
			c.loseAgent(now, c.agents.Get(id))
		} else if id, ok := c.absent.expected.pop(now.Mono); ok {
			c.loseExpected(now, id)
		}
		c.removals.next = now.Mono + c.config.AgentRemovalPause
	}
}

// mayRemove tells whether an agent is to be given up now. It raises the alarm when one would be, and too many
// others are away as well.
func (c *Cluster) mayRemove(now core.Time) bool {
	r := &c.removals
	if r.halted && !c.manyAway() {
		r.halted = false
		c.notice(LevelInfo, "agents that are away for too long are removed again", "away", c.countAway())
	}
	if c.nextRemoval() > now.Mono {
		return false
	}
	if r.halted = c.manyAway() && c.countAway() > enoughToHalt; r.halted {
		c.notice(LevelError, "no agent is removed: so many are away at once that the network at the master looks broken; "+
			"if they are dead, a master with --agent-removal-limit=100% removes them",
			"away", c.countAway(), "known", c.countKnown(), "limit", fmt.Sprintf("%d%%", c.config.AgentRemovalLimit))
	}
	return !r.halted
}

// manyAway tells whether a larger share of the agents is away than may be.
func (c *Cluster) manyAway() bool {
	return c.countAway()*100 > c.config.AgentRemovalLimit*c.countKnown()
}

// countAway counts the agents that should be here and are not.
func (c *Cluster) countAway() int { return c.away.heap.Len() + c.absent.expected.heap.Len() }

func (c *Cluster) countKnown() int { return c.agents.Len() + c.absent.expected.heap.Len() }
