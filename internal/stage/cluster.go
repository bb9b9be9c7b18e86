package stage

import (
	"time"

	"github.com/meseta/meseta/internal/sim/keep"
)

// MasterName is where the leading master is found.
const MasterName = "master:5050"

// Cluster is a master, which may be followed by others, and some agents.
type Cluster struct {
	World  *World
	Taps   Taps
	Agents []*Agent

	registry keep.Registry
	master   *master // nil while none leads
	nextLink uint64
}

// NewCluster begins a cluster without agents.
func NewCluster(w *World) *Cluster {
	c := &Cluster{World: w}
	w.serve(MasterName, c.routes())
	w.Do(c.elect)
	return c
}

// AddAgent adds an agent, and starts it.
func (c *Cluster) AddAgent(config AgentConfig) *Agent {
	config.Lord = c.lord
	config.Taps = &c.Taps
	a := NewAgent(c.World, config)
	c.Agents = append(c.Agents, a)
	return a
}

func (c *Cluster) lord() Lord {
	if c.master == nil {
		return nil
	}
	return c.master
}

// FailOver ends the master. The next one leads after a while.
func (c *Cluster) FailOver(after time.Duration) {
	c.World.Do(func() {
		if c.master == nil {
			return
		}
		c.World.Logf("master", "dies")
		c.master.die()
		c.master = nil
		c.World.Net.Shut(MasterName)
		c.World.after(after, c.elect)
	})
}

// elect makes the next leader.
func (c *Cluster) elect() {
	c.World.Net.Open(MasterName)
	c.master = newMaster(c)
}

// Close ends all that runs, and the world.
func (c *Cluster) Close() {
	for _, a := range c.Agents {
		a.Lose()
	}
	c.World.Do(func() {
		if c.master != nil {
			c.master.die()
		}
	})
	c.World.Net.Shut(MasterName)
	c.World.Close()
}

// Registered says whether every agent is known to the master.
func (c *Cluster) Registered() bool {
	for _, a := range c.Agents {
		if !a.Accepted() {
			return false
		}
	}
	return true
}
