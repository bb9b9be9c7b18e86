package cluster

import (
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// allocationClock says when the next round of offers is due.
type allocationClock struct {
	wanted bool
	due    time.Duration // of the round that is wanted
}

// wantAllocation asks for a round of offers: something became free, or somebody became able to take it. The
// round comes a little later, so that what becomes free together is offered together.
func (c *Cluster) wantAllocation(now core.Time) {
	if !c.allocation.wanted {
		c.allocation = allocationClock{wanted: true, due: now.Mono + c.config.AllocationPause}
	}
}

func (c *Cluster) nextAllocation() time.Duration {
	if c.allocation.wanted {
		return c.allocation.due
	}
	return c.alloc.NextDeadline()
}

func (c *Cluster) allocateIfDue(now core.Time) {
	if c.nextAllocation() > now.Mono {
		return
	}
	c.allocation.wanted = false
	var batch []*Offer // of one framework: they travel in one event
	send := func() {
		if len(batch) > 0 {
			c.tell(c.frameworks.Get(batch[0].Framework), Offers{batch})
			batch = nil
		}
	}
	for _, one := range c.alloc.Allocate(now) {
		o := &Offer{ID: c.newOfferID(), Framework: one.Framework, Agent: c.agents.Get(one.Agent), Role: one.Role,
			Resources: one.Resources, Reader: c.frameworks.Get(one.Framework).Info.Capabilities, Created: now}
		c.offers.Put(o.ID, o)
		c.byFrame[o.Framework].offers[o.ID] = struct{}{}
		c.byAgent[one.Agent].offers[o.ID] = struct{}{}
		if len(batch) > 0 && batch[0].Framework != o.Framework {
			send()
		}
		batch = append(batch, o)
	}
	send()
}

// dropOffer takes an offer out of the books; its resources remain allocated.
func (c *Cluster) dropOffer(o *Offer) {
	c.offers.Delete(o.ID)
	delete(c.byFrame[o.Framework].offers, o.ID)
	if b := c.byAgent[o.Agent.ID]; b != nil {
		delete(b.offers, o.ID)
	}
}

// recoverOffer gives an offer's resources back to the allocator.
func (c *Cluster) recoverOffer(now core.Time, o *Offer, refuse time.Duration) {
	c.recoverFrom(now, o.Framework, o.Agent.ID, o.Resources, refuse)
}

// recoverFrom gives resources back to the allocator. The framework does not want them for a while, if
// refuse is not zero.
func (c *Cluster) recoverFrom(now core.Time, f ids.FrameworkID, a ids.AgentID, l Resources, refuse time.Duration) {
	if l.IsEmpty() || c.agents.Get(a) == nil {
		return
	}
	if err := c.alloc.Recover(now, f, a, l, refuse); err != nil {
		c.notice(LevelError, "books do not agree", "error", err)
	}
}

// adopt tells the allocator of resources that a framework holds without having been offered them here.
func (c *Cluster) adopt(f ids.FrameworkID, a ids.AgentID, l Resources) {
	if err := c.alloc.Adopt(f, a, l); err != nil {
		c.notice(LevelError, "books do not agree", "error", err)
	}
}

// minRefusal is how long a framework that declined an offer does not get it again, however little it
// asked for: as rounds of offers are driven by events, it would get it at once, and for ever.
const minRefusal = time.Second

// decline takes offers back that the framework has no use for.
func (c *Cluster) decline(now core.Time, f *Framework, call Decline) {
	for _, id := range call.Offers {
		if o := c.offers.Get(id); o != nil && o.Framework == f.Info.ID {
			c.dropOffer(o)
			c.recoverOffer(now, o, max(call.Refuse, minRefusal))
		}
	}
	c.wantAllocation(now)
}

// takeBackOffers takes back what a framework without a stream, or with a new one, was offered.
func (c *Cluster) takeBackOffers(now core.Time, id ids.FrameworkID) {
	for _, offer := range sorted(c.byFrame[id].offers) {
		o := c.offers.Get(offer)
		c.dropOffer(o)
		c.recoverOffer(now, o, 0)
	}
	c.wantAllocation(now)
}

// takeBackAgentOffers rescinds what was offered of an agent.
func (c *Cluster) takeBackAgentOffers(now core.Time, a *Agent) {
	for _, offer := range sorted(c.byAgent[a.ID].offers) {
		o := c.offers.Get(offer)
		c.dropOffer(o)
		c.recoverOffer(now, o, 0)
		c.tell(c.frameworks.Get(o.Framework), Rescind{o.ID})
	}
}

func (c *Cluster) revive(now core.Time, f *Framework, call Revive) {
	c.alloc.Revive(f.Info.ID, call.Roles...)
	c.wantAllocation(now)
}

func (c *Cluster) suppress(now core.Time, f *Framework, call Suppress) {
	c.alloc.Suppress(f.Info.ID, call.Roles...)
}
