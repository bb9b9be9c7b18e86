package stage

import (
	"errors"

	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
)

// Teardown removes every framework, as an operator does.
func (c *Cluster) Teardown() {
	c.World.Do(func() {
		if c.master == nil {
			return
		}
		for f := range c.master.core.View().Frameworks.All() {
			if !f.Gone() {
				c.World.Logf("operator", "tears %s down", f.Info.ID)
				_ = c.master.order(cluster.OrderTeardown{Framework: f.Info.ID}) // it is there
			}
		}
	})
}

// Kill kills a task, as an operator does. The error is the master's, if it does not.
func (c *Cluster) Kill(task ids.TaskID) (err error) {
	c.World.Do(func() {
		if c.master == nil {
			err = errors.New("no master leads")
			return
		}
		c.World.Logf("operator", "kills task %s", task)
		err = c.master.order(cluster.OrderKill{Task: task})
	})
	return err
}

func (m *master) order(o cluster.Order) (err error) {
	m.step(cluster.OperatorCall{Order: o}, func(a cluster.Answer) {
		if a.Code != cluster.Accepted {
			err = errors.New(a.Text)
		}
	})
	return err
}
