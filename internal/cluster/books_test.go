package cluster

import (
	"github.com/meseta/meseta/internal/ids"
)

// check holds the books of a core against each other.
func (w *wild) check() {
	w.checkFrameworks()
	w.checkAgents()
	w.checkTasks()
	w.checkOffers()
	w.checkHistory()
	w.checkMirror()
}

func (w *wild) checkFrameworks() {
	c := w.c
	if c.frameworks.Len() != len(c.byFrame) {
		w.t.Fatalf("%d frameworks, %d books of them", c.frameworks.Len(), len(c.byFrame))
	}
	for f := range c.frameworks.All() {
		id, b := f.Info.ID, c.byFrame[f.Info.ID]
		switch {
		case b == nil:
			w.t.Fatalf("framework %s has no book", id)
		case f.Connected() && c.streams[f.Stream] != id:
			w.t.Fatalf("framework %s: stream %s is said to be that of %q", id, f.Stream, c.streams[f.Stream])
		case f.Connected() && (w.streams[f.Stream] == nil || w.streams[f.Stream].over):
			w.t.Fatalf("framework %s: stream %s is not open", id, f.Stream)
		case b.pending != "" && c.streams[b.pending] != id:
			w.t.Fatalf("framework %s: pending stream %s is said to be that of %q", id, b.pending, c.streams[b.pending])
		case f.Connected() && c.failover.has(id):
			w.t.Fatalf("framework %s is connected and will time out", id)
		case !f.Connected() && !f.Gone() && !c.failover.has(id) && len(w.tickets) == 0:
			w.t.Fatalf("framework %s is disconnected, and for ever", id)
		case f.Gone() && (f.Connected() || b.pending != "" || len(b.offers) > 0 || c.failover.has(id)):
			w.t.Fatalf("framework %s is gone and lives: %+v %+v", id, f, b)
		case b.over && len(b.agents) == 0 || f.Gone() && !b.over && len(w.tickets) == 0:
			w.t.Fatalf("framework %s is gone, nothing of it is left, and it is not buried", id)
		case f.Gone() != c.gone.has(id):
			w.t.Fatalf("framework %s is gone: %t, its id: %t", id, f.Gone(), c.gone.has(id))
		}
	}
	for s, id := range c.streams {
		f, b := c.frameworks.Get(id), c.byFrame[id]
		if f == nil || f.Stream != s && b.pending != s {
			w.t.Fatalf("stream %s is said to be that of framework %s, which does not know it", s, id)
		}
	}
}

func (w *wild) checkAgents() {
	c, pending := w.c, 0
	for id, b := range c.byAgent {
		if b.pending != nil {
			pending++
		} else if c.agents.Get(id) == nil {
			w.t.Fatalf("agent %s has a book and is not there", id)
		}
		if c.absent.unreachable.Get(id) != nil && b.pending == nil || c.absent.expected.has(id) && b.pending == nil {
			w.t.Fatalf("agent %s is absent and there", id)
		}
	}
	if c.agents.Len()+pending != len(c.byAgent) {
		w.t.Fatalf("%d agents and %d on their way, %d books", c.agents.Len(), pending, len(c.byAgent))
	}
	for a := range c.agents.All() {
		for key := range c.byAgent[a.ID].kills {
			if t := c.tasks.Get(key); t == nil || t.Info.Agent != a.ID || Terminal(t.State) {
				w.t.Fatalf("agent %s is to kill %v, which does not live there", a.ID, key)
			}
		}
		switch {
		case a.Connected() && c.links[a.Link] != a.ID:
			w.t.Fatalf("agent %s: link %d is said to be that of %q", a.ID, a.Link, c.links[a.Link])
		case a.Connected() && (w.links[a.Link] == nil || w.links[a.Link].over):
			w.t.Fatalf("agent %s: link %d is not open", a.ID, a.Link)
		case a.Connected() == c.away.has(a.ID):
			w.t.Fatalf("agent %s is connected: %t, and will time out: %t", a.ID, a.Connected(), c.away.has(a.ID))
		}
	}
	for l, id := range c.links {
		a, b := c.agents.Get(id), c.byAgent[id]
		if (a == nil || a.Link != l) && (b == nil || b.pending == nil || b.pending.Link != l) {
			w.t.Fatalf("link %d is said to be that of agent %s, which does not know it", l, id)
		}
	}
}

func (w *wild) checkTasks() {
	c := w.c
	type place struct {
		framework ids.FrameworkID
		agent     ids.AgentID
	}
	held, ofFrameworks, ofAgents := map[place]int{}, 0, 0
	for t := range c.tasks.All() {
		f, a := c.byFrame[t.Key.Framework], c.byAgent[t.Info.Agent]
		if f == nil || a == nil {
			w.t.Fatalf("task %v is on agent %q: one of them is not there", t.Key, t.Info.Agent)
		}
		if _, ok := f.tasks[t.Key]; !ok {
			w.t.Fatalf("task %v is not in its framework's book", t.Key)
		}
		if _, ok := a.tasks[t.Key]; !ok {
			w.t.Fatalf("task %v is not in the book of agent %s", t.Key, t.Info.Agent)
		}
		if !Terminal(t.State) {
			held[place{t.Key.Framework, t.Info.Agent}]++
		}
	}
	for e := range c.executors.All() {
		if _, ok := c.byAgent[e.Agent].executors[executorKey{e.Agent, e.Framework, e.Info.ID}]; !ok {
			w.t.Fatalf("executor %s of %s is not in the book of agent %s", e.Info.ID, e.Framework, e.Agent)
		}
		held[place{e.Framework, e.Agent}]++
	}
	executors := 0
	for id, b := range c.byAgent {
		ofAgents += len(b.tasks)
		executors += len(b.executors)
		for key := range b.strays {
			held[place{key.Framework, id}]++
		}
	}
	for id, b := range c.byFrame {
		ofFrameworks += len(b.tasks)
		for a, n := range b.agents {
			if held[place{id, a}] != n {
				w.t.Fatalf("framework %s has %d things on agent %s, its book says %d", id, held[place{id, a}], a, n)
			}
			delete(held, place{id, a})
		}
	}
	if len(held) > 0 || ofFrameworks != c.tasks.Len() || ofAgents != c.tasks.Len() || executors != c.executors.Len() {
		w.t.Fatalf("%d tasks and %d executors; frameworks count %d tasks, agents %d and %d; beyond what frameworks count: %v",
			c.tasks.Len(), c.executors.Len(), ofFrameworks, ofAgents, executors, held)
	}
}

func (w *wild) checkOffers() {
	c, listed := w.c, 0
	for o := range c.offers.All() {
		f, a := c.frameworks.Get(o.Framework), c.agents.Get(o.Agent.ID)
		if f == nil || !f.Connected() || a == nil || !a.Connected() {
			w.t.Fatalf("%s is an offer of agent %s to framework %s: one of them is not there", o.ID, o.Agent.ID, o.Framework)
		}
		_, known := c.byFrame[o.Framework].offers[o.ID]
		if _, ok := c.byAgent[o.Agent.ID].offers[o.ID]; !ok || !known {
			w.t.Fatalf("offer %s is not in the books of both", o.ID)
		}
	}
	for _, b := range c.byFrame {
		listed += len(b.offers)
	}
	for _, b := range c.byAgent {
		listed += len(b.offers)
	}
	if listed != 2*c.offers.Len() {
		w.t.Fatalf("%d offers are in %d places of the books", c.offers.Len(), listed)
	}
}

func (w *wild) checkHistory() {
	h := &w.c.history
	if n := h.frameworks.Len(); n > w.c.config.CompletedFrameworks {
		w.t.Fatalf("%d frameworks in the history", n)
	}
	of := map[ids.FrameworkID]int{}
	for t := range h.tasks.All() {
		if of[t.Key.Framework]++; of[t.Key.Framework] > w.c.config.CompletedTasks {
			w.t.Fatalf("%d tasks of framework %s in the history", of[t.Key.Framework], t.Key.Framework)
		}
	}
	for key, entry := range h.ended {
		if t := h.tasks.Get(entry); t == nil || t.Key != key {
			w.t.Fatalf("the last task %v in the history is another one", key)
		}
	}
	if n := len(h.perFrame); n > 2*w.c.config.CompletedFrameworks+len(w.c.byFrame) {
		w.t.Fatalf("the history has tasks of %d frameworks", n)
	}
}
