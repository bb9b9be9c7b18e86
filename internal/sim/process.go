package sim

import (
	"time"

	"github.com/meseta/meseta/internal/core"
)

// process is what all processes have in common: one life. A process that comes back is a new one.
type process struct {
	w        *World
	name     string
	executor *executor // if it is one
	site     site

	dead bool
	born time.Duration
	skew time.Duration // of its machine's wall clock

	tickAt time.Duration // when the next Tick is due, in the world's time; core.Never if none is
	doom   int           // it dies before the doom-th output from here; 0 for no such plan
	fated  bool          // it dies while it writes next
	conns  []*conn       // it has an end of, perhaps a closed one
}

func (w *World) newProcess(name string, at site, skew time.Duration) process {
	return process{w: w, name: name, site: at, born: w.now, skew: skew, tickAt: core.Never}
}

// epoch is when the world begins, for people.
var epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// clock is the moment as the process sees it.
func (p *process) clock() core.Time {
	return core.Time{Mono: p.w.now - p.born, Wall: epoch.Add(p.w.now + p.skew)}
}

// after has something happen to the process a while later, if it lives then.
func (p *process) after(d time.Duration, do func()) { p.w.schedule(p, d, do) }

// soon is after with as little delay as a process needs to turn round.
func (p *process) soon(do func()) {
	p.after(p.w.between(10*time.Microsecond, 200*time.Microsecond), do)
}

// arm sees to a tick at a core's next deadline, which is on the process's own clock. It may come a little
// late, as in life.
func (p *process) arm(next time.Duration, tick func()) {
	if next == core.Never {
		p.tickAt = core.Never
		return
	}
	at := max(p.born+next, p.w.now)
	if at == p.tickAt {
		return
	}
	p.tickAt = at
	p.after(at-p.w.now+p.w.between(0, 500*time.Microsecond), func() {
		if p.tickAt == at {
			p.tickAt = core.Never
			tick()
		}
	})
}

// doomed counts an output and says whether the process dies before it.
func (p *process) doomed() bool {
	if p.doom == 0 {
		return false
	}
	p.doom--
	return p.doom == 0
}

// meetFate is for a process that has just begun to write: it may be fated to die before that is done.
func (p *process) meetFate(crash func()) {
	if p.fated {
		p.fated = false
		p.soon(crash)
	}
}

// die ends the process. Its machine says goodbye on its connections, unless it went down with it.
func (p *process) die(machineToo bool) {
	p.dead = true
	for _, c := range p.conns {
		c.orphan(p, machineToo)
	}
	p.conns = nil
}

// owns adds a connection.
func (p *process) owns(c *conn) {
	if len(p.conns) >= 32 && len(p.conns)&(len(p.conns)-1) == 0 { // now and then
		kept := p.conns[:0]
		for _, c := range p.conns {
			if c.ends[0].open || c.ends[1].open {
				kept = append(kept, c)
			}
		}
		p.conns = kept
	}
	p.conns = append(p.conns, c)
}

func (p *process) logf(format string, args ...any) { p.w.logf(p.name, format, args...) }
