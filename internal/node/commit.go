package node

import (
	"time"

	"github.com/meseta/meseta/internal/core"
)

// commits knows which records are on their way to the disk and what waits for them.
//
// During a Step records gather; at its end they leave as one Persist. Records that nobody waits for
// (acknowledgements) stay until others leave, or for Config.AcknowledgementDelay at most: a crash then
// repeats a few updates, and a commit of their own for each would double the work of the disk.
type commits struct {
	gathered []Record
	urgent   bool          // somebody waits for what gathered
	lazyDue  time.Duration // when what gathered leaves anyhow; 0 when nothing waits

	issued  Ticket // of the last Persist that left
	durable Ticket
	waiting []waiter // in the order of their tickets

	broken string // why the log takes no more
}

// waiter is something that happens when a ticket is durable.
type waiter struct {
	ticket Ticket
	then   func()
}

// record has a record persisted at the end of this Step.
func (n *Node) record(r Record) {
	n.recordLazily(r)
	n.commits.urgent = true
}

// recordLazily has a record persisted some time soon.
func (n *Node) recordLazily(r Record) {
	c := &n.commits
	if c.broken != "" {
		return
	}
	c.gathered = append(c.gathered, r)
	if c.lazyDue == 0 {
		c.lazyDue = n.now.Mono + n.config.AcknowledgementDelay
	}
}

// ticket is the one that covers everything recorded urgently so far.
func (c *commits) ticket() Ticket {
	if c.urgent {
		return c.issued + 1
	}
	return c.issued
}

// settled reports whether everything that somebody waits for is durable.
func (c *commits) settled() bool { return !c.urgent && c.durable == c.issued }

func (c *commits) lazyDeadline() time.Duration {
	if c.lazyDue == 0 {
		return core.Never
	}
	return c.lazyDue
}

// afterCommit calls then once everything recorded so far in this Step, and before it, is durable: at once
// if it is. What then does must look at the state again, since much may have happened in between. After a
// failure of the log it is never called.
func (n *Node) afterCommit(then func()) {
	c := &n.commits
	ticket := c.ticket()
	switch {
	case ticket <= c.durable:
		then()
	case c.broken == "":
		c.waiting = append(c.waiting, waiter{ticket, then})
	}
}

// sealCommit ends a Step: what gathered leaves if somebody waits for it or it is old enough.
func (n *Node) sealCommit() {
	c := &n.commits
	if len(c.gathered) == 0 || !c.urgent && n.now.Mono < c.lazyDue {
		return
	}
	c.issued++
	n.emit(Persist{Ticket: c.issued, Records: c.gathered})
	c.gathered, c.urgent, c.lazyDue = nil, false, 0
}

func (n *Node) persisted(in Persisted) {
	c := &n.commits
	if in.Ticket <= c.durable || in.Ticket > c.issued {
		return
	}
	c.durable = in.Ticket
	for len(c.waiting) > 0 && c.waiting[0].ticket <= c.durable {
		w := c.waiting[0]
		c.waiting[0] = waiter{}
		c.waiting = c.waiting[1:]
		w.then()
	}
}

// persistFailed makes the agent refuse new work. What runs goes on; what is not durable stays unsaid.
func (n *Node) persistFailed(in PersistFailed) {
	c := &n.commits
	if c.broken != "" {
		return
	}
	c.broken = in.Cause
	if c.broken == "" {
		c.broken = "unknown cause"
	}
	c.gathered, c.waiting, c.urgent, c.lazyDue = nil, nil, false, 0
	n.emit(Notice{What: NoticeBroken, Detail: c.broken})
	n.refuseUnrecorded()
}
