package sim

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// How long it may take, once faults have stopped, until everything agrees; and, once everything was told to
// end, until nothing is left. Schedulers come back within seconds, agents are given up after 75 s,
// frameworks after 3 minutes, and whoever asks, asks every 20 seconds.
const (
	settleTime = 6 * time.Minute
	endTime    = 6 * time.Minute
	lookEvery  = 5 * time.Second
)

// settle waits until everything agrees.
func (w *World) settle(limit time.Duration, disagreements func() []string) (took time.Duration) {
	begin := w.now
	for {
		w.runUntil(w.now + lookEvery)
		if w.failure != nil {
			return 0
		}
		all := disagreements()
		if len(all) == 0 {
			return w.now - begin
		}
		if w.now-begin > limit {
			for _, one := range all[min(len(all), 1):] {
				w.logf("world", "%s", one)
			}
			w.fail("after %s of quiet: %s (and %d more)", limit, all[0], len(all)-1)
			return 0
		}
	}
}

// inquiry collects what does not agree.
type inquiry struct {
	w    *World
	view cluster.View
	all  []string
}

func (q *inquiry) object(format string, args ...any) {
	q.all = append(q.all, fmt.Sprintf(format, args...))
}

// disagreements lists what must not be so in a cluster without faults.
func (w *World) disagreements() []string {
	if w.master.dead {
		return []string{"no master leads"}
	}
	q := &inquiry{w: w, view: w.master.core.View()}
	agents := q.agents()
	frameworks := q.frameworks()
	for _, h := range w.hosts {
		if id, ok := agents[h]; ok {
			q.machine(h, id)
			q.books(h, id)
		}
	}
	q.offers(len(frameworks) > 0)
	for _, t := range w.tenants {
		if f := frameworks[t.id]; f != nil {
			q.beliefs(t)
		}
	}
	q.promises(frameworks)
	return q.all
}

// agents: each machine's agent is registered, and the master knows no other.
func (q *inquiry) agents() map[*host]ids.AgentID {
	found := make(map[*host]ids.AgentID)
	known := make(map[ids.AgentID]*cluster.Agent)
	for a := range q.view.Agents.All() {
		known[a.ID] = a
	}
	for _, h := range q.w.hosts {
		if h.agent == nil || h.agent.dead || !h.agent.serving {
			q.object("the agent of %s does not serve", h.site)
			continue
		}
		id := h.agent.core.Identity().Agent
		a := known[id]
		delete(known, id)
		if a == nil || !a.Connected() {
			q.object("the master does not have the agent of %s", h.site)
			continue
		}
		found[h] = id
	}
	for id := range known {
		q.object("the master has an agent %s that does not exist", id)
	}
	return found
}

// frameworks: each living tenant's is subscribed; of the others none stays.
func (q *inquiry) frameworks() map[ids.FrameworkID]*cluster.Framework {
	found := make(map[ids.FrameworkID]*cluster.Framework)
	known := make(map[ids.FrameworkID]*cluster.Framework)
	for f := range q.view.Frameworks.All() {
		known[f.Info.ID] = f
	}
	for _, t := range q.w.tenants {
		if t.ended {
			continue
		}
		f := known[t.id]
		delete(known, t.id)
		if t.id == "" || f == nil || !f.Connected() || f.Gone() || t.scheduler.dead || !t.scheduler.connected {
			q.object("the framework %q of %s is not subscribed", t.id, t.name)
			continue
		}
		found[t.id] = f
	}
	for id, f := range known {
		q.object("the framework %s is still there (gone: %v)", id, f.Gone())
	}
	return found
}

// machine: what runs is known to the agent, and what the agent takes for alive runs.
func (q *inquiry) machine(h *host, id ids.AgentID) {
	book := readBook(h.agent)
	for _, c := range live(h.launched) {
		if c.live() && !book.containers[c.id] {
			q.object("%s runs container %s (%s), which its agent does not know", h.site, c.id, c.what())
		}
	}
	for _, container := range sortedKeys(book.containers) {
		if c := h.containers[container]; c == nil || !c.live() {
			q.object("the agent of %s takes container %s for alive", h.site, container)
		}
	}
	for key, t := range book.tasks {
		if t.owed > 0 {
			q.object("%s owes %d statuses of %s", h.site, t.owed, key.Task)
		}
	}
}

// books: the master and the agent know the same tasks and executors.
func (q *inquiry) books(h *host, id ids.AgentID) {
	book := readBook(h.agent)
	mine := 0
	for t := range q.view.Tasks.All() {
		if t.Info.Agent != id {
			continue
		}
		if cluster.Terminal(t.State) {
			q.object("the master still has %s in %s", t.Key.Task, t.State)
			continue
		}
		mine++
		if of := book.tasks[t.Key]; of == nil || of.terminal {
			q.object("the master has %s in %s, its agent does not", t.Key.Task, t.State)
		}
	}
	for _, t := range book.tasks {
		if !t.terminal {
			mine--
		}
	}
	if mine != 0 {
		q.object("the master has %d tasks more on %s than its agent", mine, h.site)
	}
	mine = 0
	for e := range q.view.Executors.All() {
		if e.Agent == id {
			mine++
			if !book.executors[executorName{e.Framework, e.Info.ID}] {
				q.object("the master has executor %s of %s on %s, its agent does not", e.Info.ID, e.Framework, h.site)
			}
		}
	}
	if mine != len(book.executors) {
		q.object("the master has %d executors on %s, its agent %d", mine, h.site, len(book.executors))
	}
}

// offers: what is not in use is offered, if there is anybody to offer it to.
func (q *inquiry) offers(somebody bool) {
	if !somebody {
		return
	}
	used := make(map[ids.AgentID]*amounts)
	for a := range q.view.Agents.All() {
		used[a.ID] = new(amounts)
	}
	for o := range q.view.Offers.All() {
		used[o.Agent.ID].add(amountsIn(o.Resources))
	}
	for t := range q.view.Tasks.All() {
		if !cluster.Terminal(t.State) {
			used[t.Info.Agent].add(amountsIn(t.Info.Resources))
		}
	}
	for e := range q.view.Executors.All() {
		used[e.Agent].add(amountsIn(e.Info.Resources))
	}
	for a := range q.view.Agents.All() {
		total, sum := amountsIn(a.Info.Resources), used[a.ID]
		if left := total.cpus - sum.cpus; left >= 10 && total.mem > sum.mem {
			q.object("%s cpus of agent %s are not offered to anybody", left, a.ID)
		}
	}
}

// beliefs: the scheduler takes those tasks for alive that the master has, and none of them that it has
// asked to be killed.
func (q *inquiry) beliefs(t *tenant) {
	s := t.scheduler
	alive := make(map[ids.TaskID]bool)
	for task := range q.view.Tasks.All() {
		if task.Key.Framework == t.id && !cluster.Terminal(task.State) {
			alive[task.Key.Task] = true
			if b := s.tasks[task.Key.Task]; b == nil || !b.alive() {
				q.object("%s does not know that %s is %s", t.name, task.Key.Task, task.State)
			}
		}
	}
	for _, id := range sortedKeys(s.tasks) {
		b := s.tasks[id]
		if b.alive() && !alive[id] {
			q.object("%s takes %s for %s, the master does not have it", t.name, id, b.state)
		}
		if b.alive() && b.killed && !q.w.hangs(t.id, b.executor) {
			q.object("%s has asked for the end of %s, which is %s", t.name, id, b.state)
		}
	}
}

// hangs says whether an executor hangs somewhere, any of the framework if it is not known which: what it was
// given ends with it, and nobody ends it.
func (w *World) hangs(f ids.FrameworkID, executor *mesos.ExecutorID) bool {
	for _, h := range w.hosts {
		for _, c := range h.launched {
			if c.live() && c.executor != nil && c.executor.hung && c.executor.framework == f &&
				(executor == nil || string(c.spec.Sandbox.Executor) == executor.GetValue()) {
				return true
			}
		}
	}
	return false
}

// promises: every end, and every status that an executor was given a receipt for, has been told.
func (q *inquiry) promises(frameworks map[ids.FrameworkID]*cluster.Framework) {
	for _, fact := range q.w.truth.order {
		if frameworks[fact.key.Framework] == nil {
			continue
		}
		for _, s := range fact.statuses {
			if s.told || s.void {
				continue
			}
			if s.receipt || node.IsTerminal(s.state) {
				q.object("nobody was told that %s is %s", fact.key.Task, s.state)
			}
		}
		if fact.running && fact.ended {
			q.object("%s runs after its end was recorded", fact.key.Task)
		}
	}
}

// leftovers lists what must not be there once every framework was torn down.
func (w *World) leftovers() []string {
	if w.master.dead {
		return []string{"no master leads"}
	}
	q := &inquiry{w: w, view: w.master.core.View()}
	for f := range q.view.Frameworks.All() {
		q.object("the framework %s is left (gone: %v)", f.Info.ID, f.Gone())
	}
	for t := range q.view.Tasks.All() {
		q.object("the task %s is left in %s", t.Key.Task, t.State)
	}
	for e := range q.view.Executors.All() {
		q.object("the executor %s of %s is left", e.Info.ID, e.Framework)
	}
	for o := range q.view.Offers.All() {
		q.object("the offer %s to %s is left", o.ID, o.Framework)
	}
	for _, h := range w.hosts {
		for _, c := range live(h.launched) {
			q.object("%s still runs container %s (%s)", h.site, c.id, c.what())
		}
		book := readBook(h.agent)
		for key, t := range book.tasks { // but for its history
			if !t.terminal || t.owed > 0 {
				q.object("%s still has the task %s", h.site, key.Task)
			}
		}
		for name := range book.executors {
			q.object("%s still has the executor %s of %s", h.site, name.executor, name.framework)
		}
		if len(h.containers) > 0 {
			q.object("the supervisor of %s still has %d containers", h.site, len(h.containers))
		}
	}
	return q.all
}
