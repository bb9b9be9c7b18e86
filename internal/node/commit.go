package node

import (
	"time"

	"github.com/meseta/meseta/internal/core"
)

// commits knows which records are on their way to the disk and what waits for them.
//
// During a Step records gather; at its end they leave as one Persist, unless they wait for company:
//
//   - Records that nobody waits for (acknowledgements) stay until others leave, or for
//     Config.AcknowledgementDelay at most: a crash then repeats a few updates, and a commit of their own for
//     each would double the work of the disk.
//   - In a crowd each record waits for others, see [Node.company].
type commits struct {
	gathered []Record
	weight   int           // bytes that gathered, roughly
	urgent   bool          // somebody waits for what gathered
	due      time.Duration // when what gathered leaves

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

// record has a record persisted at the end of this Step, or a moment later in a crowd.
func (n *Node) record(r Record) {
	n.gather(r, n.company())
	n.commits.urgent = true
}

// recordLazily has a record persisted some time soon.
func (n *Node) recordLazily(r Record) { n.gather(r, n.config.AcknowledgementDelay) }

func (n *Node) gather(r Record, patience time.Duration) {
	c := &n.commits
	if c.broken != "" {
		return
	}
	if c.weight += weightOf(r); c.weight > companyWeight {
		patience = 0
	}
	if due := n.now.Mono + patience; len(c.gathered) == 0 || due < c.due {
		c.due = due
	}
	c.gathered = append(c.gathered, r)
}

const (
	fewAtOnce   = 16                     // is no crowd: nothing waits
	companyEach = 100 * time.Microsecond // a tenth of what starting a program costs a small machine
	companyMost = 10 * time.Millisecond

	companyWeight = 256 << 10 // bytes are company enough: what waits costs memory
)

// weightOf is what a record adds to the log.
func weightOf(r Record) int {
	switch r := r.(type) {
	case FrameworkRecord:
		return len(r.Framework.Info)
	case ExecutorRecord:
		return len(r.Info)
	case TaskRecord:
		return len(r.Info)
	case StatusRecord:
		return r.Status.size()
	}
	return 0
}

// company is how long a record waits for others when many executors start, or many statuses are on their way,
// at the same time. They queue for the processor anyhow; what is saved is not only syncs: what becomes durable
// together is sent together, and master and scheduler handle it together. One after the other, the hand-overs
// between the processes cost as much as the tasks.
func (n *Node) company() time.Duration {
	if n.crowd <= fewAtOnce {
		return 0
	}
	return min(time.Duration(n.crowd)*companyEach, companyMost)
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

// next is when what gathered is due.
func (c *commits) next() time.Duration {
	if len(c.gathered) == 0 {
		return core.Never
	}
	return c.due
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

// sealCommit ends a Step: what gathered leaves if it is due.
func (n *Node) sealCommit() {
	c := &n.commits
	if n.now.Mono < c.next() {
		return
	}
	c.issued++
	n.emit(Persist{Ticket: c.issued, Records: c.gathered})
	c.gathered, c.weight, c.urgent = nil, 0, false
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
	c.gathered, c.weight, c.waiting, c.urgent = nil, 0, nil, false
	n.emit(Notice{What: NoticeBroken, Detail: c.broken})
	n.refuseUnrecorded()
}
