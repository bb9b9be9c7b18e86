package sim

import (
	"slices"
	"time"
)

// site is a place in the network. What is at one site talks over loopback, which is never cut.
type site string

// network is the state of the ways between sites.
type network struct {
	cut   map[way]int // how many partitions cut the way at the moment
	conns []*conn
}

// way leads from one site to another.
type way struct{ from, to site }

// conn is a connection between two processes, as TCP gives it: what is sent arrives in order or not at
// all, and an end learns late, or never, that the other one is gone.
type conn struct {
	w    *World
	name string
	ends [2]connEnd
	torn bool // what is on its way is lost
	doom bool // it breaks when something is on its way next
	late bool // what was read from it before it was torn is still handled after
}

// connEnd is one end of a connection. By convention 0 is who dialled.
type connEnd struct {
	p       *process
	open    bool
	receive func(msg any)
	closed  func(why string) // the end was closed, and not by its own process
	silent  time.Duration    // for how long nothing had been heard when it was closed
	arrival time.Duration    // of the latest that is on its way here
	held    []any            // has come while the way was cut
	patient bool             // notices by itself, or never, that nothing comes
}

// goodbye ends one direction.
type goodbye struct{}

// dial connects a process to whatever target finds. done gets nil when nobody is there. accept is called
// first, and prepares the other end.
func (w *World) dial(from *process, name string, target func() (to *process, accept func(*conn)), done func(*conn)) {
	from.after(w.delay(false), func() {
		to, accept := target()
		if to != nil && (w.net.isCut(from.site, to.site) || w.net.isCut(to.site, from.site)) {
			from.after(w.between(time.Second, 5*time.Second), func() { done(nil) })
			return
		}
		if to == nil || to.dead {
			done(nil)
			return
		}
		c := &conn{w: w, name: name}
		c.ends[0] = connEnd{p: from, open: true}
		c.ends[1] = connEnd{p: to, open: true}
		from.owns(c)
		to.owns(c)
		w.net.add(c)
		accept(c)
		from.after(w.delay(from.site == to.site), func() {
			if c.ends[0].open {
				done(c)
			} else {
				done(nil)
			}
		})
	})
}

func (n *network) add(c *conn) {
	if len(n.conns) >= 256 {
		kept := slices.DeleteFunc(n.conns, func(c *conn) bool { return !c.ends[0].open && !c.ends[1].open })
		n.conns = kept
	}
	n.conns = append(n.conns, c)
}

func (n *network) isCut(from, to site) bool { return from != to && n.cut[way{from, to}] > 0 }

// delay is how long something is on its way.
func (w *World) delay(loopback bool) time.Duration {
	if loopback {
		return w.between(20*time.Microsecond, 200*time.Microsecond)
	}
	if w.chance(2) {
		return w.between(5*time.Millisecond, 300*time.Millisecond)
	}
	return w.between(100*time.Microsecond, 2*time.Millisecond)
}

// send sends a message from an end. One that is closed swallows it.
func (c *conn) send(from int, msg any) {
	if c.ends[from].open {
		c.forward(1-from, msg)
	}
}

// forward has a message arrive at an end, behind everything that was sent before.
func (c *conn) forward(to int, msg any) {
	e := &c.ends[to]
	at := max(c.w.now+c.w.delay(c.ends[0].p.site == c.ends[1].p.site), e.arrival)
	e.arrival = at
	c.w.schedule(nil, at-c.w.now, func() { c.arrive(to, msg) })
	if c.doom && !c.torn {
		c.tear()
	}
}

func (c *conn) arrive(to int, msg any) {
	e := &c.ends[to]
	if e.open && (len(e.held) > 0 || c.w.net.isCut(c.ends[1-to].p.site, e.p.site)) {
		e.held = append(e.held, msg)
		return
	}
	c.deliver(to, msg)
}

func (c *conn) deliver(to int, msg any) {
	e := &c.ends[to]
	switch {
	case e.p.dead:
	case e.open && msg == goodbye{}:
		c.shut(to, "the peer closed it")
	case e.open && !c.torn:
		e.receive(msg)
	case c.late && e.open && msg != goodbye{}: // it was read, and waits until the end is known to be closed
		c.w.schedule(nil, c.w.between(0, 60*time.Millisecond), func() { c.deliver(to, msg) })
	case c.late && msg != goodbye{}:
		c.w.count(FaultLateMessage)
		e.receive(msg)
	}
}

// release lets an end have what waited for it.
func (c *conn) release(to int) {
	e := &c.ends[to]
	c.w.schedule(nil, c.w.between(0, time.Second), func() {
		if c.w.net.isCut(c.ends[1-to].p.site, e.p.site) {
			return
		}
		held := e.held
		e.held = nil
		for _, msg := range held {
			c.deliver(to, msg)
		}
		if c.torn || !c.ends[1-to].open {
			c.shut(to, "connection reset")
		}
	})
}

// close closes an end by its own process's wish, behind what it sent.
func (c *conn) close(end int) {
	if c.ends[end].open {
		c.ends[end].open = false
		c.forward(1-end, goodbye{})
	}
}

// shut closes an end and tells its process.
func (c *conn) shut(end int, why string) {
	e := &c.ends[end]
	if !e.open {
		return
	}
	e.open = false
	if !e.p.dead && e.closed != nil {
		e.closed(why)
	}
}

// loses has an end give up after some time of silence, if it is still silent then.
func (c *conn) loses(end int, patience time.Duration, still func() bool) {
	c.w.schedule(nil, patience, func() {
		if still() {
			c.ends[end].silent = patience
			c.shut(end, "nothing was heard")
		}
	})
}

// tear breaks the connection. What is on its way is lost; each end learns of it a little later, or, where
// the way is cut, when its patience ends.
func (c *conn) tear() {
	c.torn = true
	for i := range c.ends {
		if c.ends[i].open && !c.w.net.isCut(c.ends[1-i].p.site, c.ends[i].p.site) {
			c.w.schedule(nil, c.w.between(0, 50*time.Millisecond), func() { c.shut(i, "connection reset") })
		}
	}
}

// orphan is the end of the process at one end. If the machine went down with it, the other end hears
// nothing, and finds out when it next gets an answer from the machine.
func (c *conn) orphan(p *process, machineToo bool) {
	for i := range c.ends {
		if c.ends[i].p != p || !c.ends[i].open {
			continue
		}
		if !machineToo {
			c.close(i)
			continue
		}
		c.ends[i].open = false
		c.torn = true
		c.loses(1-i, c.w.between(time.Second, 80*time.Second), func() bool { return true })
	}
}

// partition cuts ways.
func (w *World) partition(ways []way) {
	for _, one := range ways {
		w.net.cut[one]++
	}
	for _, c := range w.net.conns {
		for i := range c.ends {
			in, out := way{c.ends[1-i].p.site, c.ends[i].p.site}, way{c.ends[i].p.site, c.ends[1-i].p.site}
			if c.ends[i].open && !c.ends[i].patient && (slices.Contains(ways, in) || slices.Contains(ways, out)) {
				c.loses(i, w.between(10*time.Second, 80*time.Second), func() bool {
					return w.net.cut[in] > 0 || w.net.cut[out] > 0
				})
			}
		}
	}
}

// heal opens ways again. What waited goes on; an end whose other end has given up meanwhile is told.
func (w *World) heal(ways []way) {
	for _, one := range ways {
		w.net.cut[one]--
	}
	for _, c := range w.net.conns {
		for i := range c.ends {
			in, out := way{c.ends[1-i].p.site, c.ends[i].p.site}, way{c.ends[i].p.site, c.ends[1-i].p.site}
			if c.ends[i].open && (slices.Contains(ways, in) || slices.Contains(ways, out)) {
				c.release(i)
			}
		}
	}
}
