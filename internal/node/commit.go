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
//     Config.AcknowledgementDelay at most: a crash then repeats a few updates.
//   - In a crowd each record waits for others, see [Node.company].
//
// A record is safe in two steps. Once it is written it outlives this process, once it is durable it outlives
// the machine. Durable takes a sync, which is the dearest thing that an agent does; written is enough for
// whatever the end of the machine would make void.
type commits struct {
	gathered []Record
	weight   int           // bytes that gathered, roughly
	awaited  safety        // what somebody needs of what gathered
	due      time.Duration // when what gathered leaves

	issued  Ticket              // of the last Persist that left
	asked   [durable + 1]Ticket // of the last Persist that had to become this safe
	reached [durable + 1]Ticket
	waiting [durable + 1][]waiter // in the order of their tickets

	broken string // why the log takes no more
}

// safety is what a record survives.
type safety uint8

const (
	fleeting safety = iota
	written         // the end of this process
	durable         // the end of the machine
)

// mark is a ticket and how safe it has to be before something may follow.
type mark struct {
	ticket Ticket
	safety safety
}

// waiter is something that happens when a mark is reached.
type waiter struct {
	ticket Ticket
	then   func()
}

// record has a record made durable, from the end of this Step on or a moment later in a crowd.
func (n *Node) record(r Record) { n.recordAs(r, durable) }

// recordAs has a record made as safe as it needs to be.
func (n *Node) recordAs(r Record, s safety) {
	n.gather(r, n.company())
	n.commits.awaited = max(n.commits.awaited, s)
}

// recordLazily has a record written some time soon.
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

// mark is the one that covers everything recorded so far that has to be as safe.
func (c *commits) mark(s safety) mark {
	if c.awaited >= s {
		return mark{c.issued + 1, s}
	}
	return mark{c.asked[s], s}
}

// has reports whether a mark is reached.
func (c *commits) has(m mark) bool { return m.ticket <= c.reached[m.safety] }

// settled reports whether everything that somebody waits for is safe.
func (c *commits) settled() bool {
	return c.awaited == fleeting && c.has(c.mark(written)) && c.has(c.mark(durable))
}

// next is when what gathered is due.
func (c *commits) next() time.Duration {
	if len(c.gathered) == 0 {
		return core.Never
	}
	return c.due
}

// after calls then once everything recorded so far in this Step, and before it, is safe: at once if it is.
// What then does must look at the state again, since much may have happened in between. After a failure of
// the log it is never called.
func (n *Node) after(s safety, then func()) {
	c := &n.commits
	m := c.mark(s)
	switch {
	case c.has(m):
		then()
	case c.broken == "":
		c.waiting[s] = append(c.waiting[s], waiter{m.ticket, then})
	}
}

// sealCommit ends a Step: what gathered leaves if it is due.
func (n *Node) sealCommit() {
	c := &n.commits
	if n.now.Mono < c.next() {
		return
	}
	c.issued++
	for s := written; s <= c.awaited; s++ {
		c.asked[s] = c.issued
	}
	n.emit(Persist{Ticket: c.issued, Records: c.gathered, Sync: c.awaited == durable})
	c.gathered, c.weight, c.awaited = nil, 0, fleeting
}

// safe hears how far the log has come.
func (n *Node) safe(upTo Ticket, s safety) {
	c := &n.commits
	if upTo > c.issued {
		return
	}
	for ; s > fleeting; s-- { // what is durable is written
		c.reached[s] = max(c.reached[s], upTo)
		for len(c.waiting[s]) > 0 && c.waiting[s][0].ticket <= upTo {
			w := c.waiting[s][0]
			c.waiting[s][0] = waiter{}
			c.waiting[s] = c.waiting[s][1:]
			w.then()
		}
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
	c.gathered, c.weight, c.awaited = nil, 0, fleeting
	clear(c.waiting[:])
	n.emit(Notice{What: NoticeBroken, Detail: c.broken})
	n.refuseUnrecorded()
}
