package detached

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// refusal is how long an offer that holds none of the tasks is not wanted again. Whatever begins to wait
// later removes it.
const refusal = 10 * time.Second

// offers puts tasks on offers, the oldest first. One that is too large does not stop those behind it.
func (c *Core) offers(all Offers) {
	for _, o := range all {
		launches, records := c.place(o)
		if len(launches) == 0 {
			c.emit(Decline{o.ID, refusal})
			continue
		}
		c.persist(func(now core.Time) { c.launch(now, o, launches) }, records...)
	}
}

// place finds the tasks that an offer holds, and notes the intent to launch them there.
func (c *Core) place(o Offer) (launches []Launch, records []Record) {
	rest := o.Resources
	rare := rest.Scalar(resources.GPUs) > 0 // kept for those who ask for them
	tooLarge := make(map[demand.Demand]bool)
	for _, id := range c.order {
		t := c.tasks[id]
		if !c.wantsOffer(t) || t.Role != o.Role || tooLarge[t.Demand] || rare && t.Demand.GPUs == 0 {
			continue
		}
		share, ok := t.Demand.Take(rest)
		if !ok {
			tooLarge[t.Demand] = true
			continue
		}
		rest = rest.Sub(share.Resources)
		next := *t
		next.Agent = o.Agent
		c.put(next)
		c.intents[id] = true
		launches = append(launches, Launch{id, t.Spec, share})
		records = append(records, KeepTask{next})
	}
	return launches, records
}

// rest is how long a task waits for offers of others when the agent that it was launched on is leaving. That
// agent's would come at once, and again and again.
const rest = time.Second

// wake lets tasks wait for offers that have rested.
func (c *Core) wake(now core.Time) {
	for _, id := range c.order {
		if due, rests := c.resting[id]; rests && due <= now.Mono {
			delete(c.resting, id)
			c.link.fresh = append(c.link.fresh, c.tasks[id].Role)
		}
	}
}

// intends tells whether the intent to launch a task is being made durable.
func (c *Core) intends(id ids.TaskID) bool { return c.intents[id] }

// launch carries out what was intended, but for the tasks that were killed meanwhile.
func (c *Core) launch(now core.Time, o Offer, intended []Launch) {
	var launches []Launch
	for _, l := range intended {
		t := c.tasks[l.Task]
		if t == nil || !c.intends(l.Task) {
			continue
		}
		delete(c.intents, l.Task)
		if t.Killed {
			c.remember(now, t, mesos.TaskState_TASK_KILLED, "Killed before it was launched")
			c.forget(t, nil)
			continue
		}
		launches = append(launches, l)
	}
	if len(launches) == 0 {
		c.emit(Decline{o.ID, 0})
		return
	}
	c.emit(Accept{o.ID, o.Agent, launches})
	if c.reconciliation.due == core.Never {
		c.reconciliation = backoff{due: now.Mono + firstReconciliation}
	}
}
