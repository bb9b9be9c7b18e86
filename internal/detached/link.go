package detached

import (
	"maps"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// linkState is how far the subscription is.
type linkState uint8

const (
	linkDown linkState = iota
	linkOpening
	linkUp
)

// link is the subscription, and what the master knows of our wishes.
//
// A framework is subscribed as long as it is known, for its tasks have to be acknowledged. Its roles are
// those of the tasks in the books: another subscription changes them, when one is missing. That takes back
// what it has been offered, so that no role goes while a task may be about to be launched in it.
type link struct {
	state   linkState
	known   bool              // the framework's id is durable
	roles   map[ids.Role]bool // subscribed to, or about to be
	revived map[ids.Role]bool // those of roles that offers are wanted for
	fresh   []ids.Role        // something has begun to wait in them: filters of before are to go
	due     time.Duration     // of the next try, after a refusal
	pause   time.Duration     // before the try after that
}

// connect makes the subscription what it ought to be.
func (c *Core) connect(now core.Time) {
	wanted := c.wantedRoles()
	switch l := &c.link; {
	case !l.known || l.state == linkOpening:
	case l.state == linkDown:
		if l.due == core.Never || l.due <= now.Mono {
			c.subscribe(wanted)
		}
	case !subset(wanted, l.roles):
		c.subscribe(wanted)
	default:
		c.wish(wanted)
	}
}

// wantedRoles are the roles in which tasks wait for offers.
func (c *Core) wantedRoles() map[ids.Role]bool {
	roles := make(map[ids.Role]bool)
	for _, t := range c.tasks {
		if c.wantsOffer(t) {
			roles[t.Role] = true
		}
	}
	return roles
}

// roles are those of all tasks in the books.
func (c *Core) roles() map[ids.Role]bool {
	roles := make(map[ids.Role]bool)
	for _, t := range c.tasks {
		roles[t.Role] = true
	}
	return roles
}

// wantsOffer tells whether a task is to be launched on the next offer that holds it.
func (c *Core) wantsOffer(t *Task) bool {
	_, rests := c.resting[t.ID]
	return !t.Launching() && !rests
}

func subset(part, whole map[ids.Role]bool) bool {
	for r := range part {
		if !whole[r] {
			return false
		}
	}
	return true
}

func (c *Core) subscribe(wanted map[ids.Role]bool) {
	l := &c.link
	l.state, l.due = linkOpening, core.Never
	l.roles, l.revived, l.fresh = c.roles(), wanted, nil
	if len(l.roles) == 0 {
		l.roles[ids.AnyRole] = true
	}
	suppressed := maps.Clone(l.roles)
	maps.DeleteFunc(suppressed, func(r ids.Role, _ bool) bool { return wanted[r] })
	c.emit(Subscribe{Framework: c.framework, Roles: sorted(l.roles), Suppressed: sorted(suppressed)})
}

// wish tells the master what offers are wanted for, where that has changed.
func (c *Core) wish(wanted map[ids.Role]bool) {
	l := &c.link
	revive, suppress := make(map[ids.Role]bool), make(map[ids.Role]bool)
	for r := range wanted {
		if !l.revived[r] || slices.Contains(l.fresh, r) {
			revive[r] = true
		}
	}
	for r := range l.revived {
		if !wanted[r] {
			suppress[r] = true
		}
	}
	l.revived, l.fresh = wanted, nil
	if len(suppress) > 0 {
		c.emit(Suppress(sorted(suppress)))
	}
	if len(revive) > 0 {
		c.emit(Revive(sorted(revive)))
	}
}

func sorted(roles map[ids.Role]bool) []ids.Role { return slices.Sorted(maps.Keys(roles)) }

// subscribed asks at once what became of the tasks that may be with an agent.
func (c *Core) subscribed(now core.Time) {
	c.link.state, c.link.pause = linkUp, 0
	c.reconciliation = backoff{due: now.Mono}
}

// Refused subscriptions are tried again after this long, at first and at most.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// closed ends the subscription. Without a reason somebody has torn the framework down.
func (c *Core) closed(now core.Time, in Closed) {
	if in.Reason == "" {
		c.tornDown(now)
		return
	}
	c.link.state = linkDown
	c.link.pause = min(max(2*c.link.pause, firstRetry), lastRetry)
	c.link.due = now.Mono + c.link.pause
	c.notice("the framework of the detached tasks is not let in", "framework", c.framework, "why", in.Reason, "next_try", c.link.pause)
}

// backoff spaces repetitions out.
type backoff struct {
	due   time.Duration // core.Never when there is nothing to repeat
	pause time.Duration // before the one after that
}

// Tasks of which nothing was heard are asked for again after this long, at first and at most.
const (
	firstReconciliation = time.Second
	lastReconciliation  = 30 * time.Second
)

// reconcileIfDue asks what became of the tasks that may be with an agent, and goes on asking: for a task of an
// agent that is expected back there is no answer yet, and the agent does not tell of what it does not have.
func (c *Core) reconcileIfDue(now core.Time) {
	b := &c.reconciliation
	if c.link.state != linkUp || b.due > now.Mono {
		return
	}
	var unsure Reconcile
	for _, id := range c.order {
		if t := c.tasks[id]; t.Launching() && !c.intends(id) {
			unsure = append(unsure, Placed{id, t.Agent})
		}
	}
	if len(unsure) == 0 {
		*b = backoff{due: core.Never}
		return
	}
	b.pause = min(max(2*b.pause, firstReconciliation), lastReconciliation)
	b.due = now.Mono + b.pause
	c.emit(unsure)
}
