package sim

import (
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// The promises that are checked after every step. Those about what schedulers are told are in truth.go,
// where it is seen; those about the end are in settle.go.

// checkBooks holds the master to "no piece of a resource is used twice". Only steps that hand something out
// can break it.
func (w *World) checkBooks(m *master, in cluster.Input, outs []cluster.Output) {
	if !handsOut(in, outs) {
		return
	}
	view := m.core.View()
	used := make(map[ids.AgentID]*amounts)
	for a := range view.Agents.All() {
		used[a.ID] = new(amounts)
	}
	add := func(a ids.AgentID, l cluster.Resources, what string) {
		sum := used[a]
		if sum == nil {
			w.fail("%s is in the books of agent %s, which is not", what, a)
			return
		}
		sum.add(amountsIn(l))
	}
	for o := range view.Offers.All() {
		add(o.Agent.ID, o.Resources, "an offer")
	}
	for t := range view.Tasks.All() {
		if !cluster.Terminal(t.State) {
			add(t.Info.Agent, t.Info.Resources, "a task")
		}
	}
	for e := range view.Executors.All() {
		add(e.Agent, e.Info.Resources, "an executor")
	}
	for a := range view.Agents.All() {
		if total := amountsIn(a.Info.Resources); used[a.ID].exceeds(total) {
			w.fail("the master's books have %s in use on agent %s, which has %s", used[a.ID], a.ID, total)
		}
	}
}

func handsOut(in cluster.Input, outs []cluster.Output) bool {
	switch in.(type) {
	case cluster.AgentSubscribe, cluster.Persisted:
		return true
	}
	for _, out := range outs {
		switch out := out.(type) {
		case cluster.ToAgent:
			if _, ok := out.Command.(cluster.RunTask); ok {
				return true
			}
		case cluster.Send:
			if _, ok := out.Event.(cluster.Offers); ok {
				return true
			}
		}
	}
	return false
}

// checkStale holds the master to "no message of a session that is over has an effect".
func (w *World) checkStale(m *master, in cluster.Input, outs []cluster.Output) {
	update, ok := in.(cluster.AgentUpdate)
	if !ok {
		return
	}
	if c := m.links[update.Link]; c != nil && m.latest[c.ends[0].p.site] == update.Link {
		return
	}
	for _, out := range outs {
		if send, ok := out.(cluster.Send); ok {
			if u, ok := send.Event.(cluster.Update); ok && u.Status.UUID == update.Status.UUID {
				w.fail("the master passes on a status from a link that is gone")
			}
		}
	}
}

// checkAgentStep holds an agent to what it promises about single outputs.
func (w *World) checkAgentStep(a *agent, in node.Input, outs []node.Output) {
	for _, out := range outs {
		switch out := out.(type) {
		case node.StartContainer:
			id := out.Sandbox.Container
			if a.host.started[id] {
				w.fail("%s starts container %s twice", a.name, id)
			}
			a.host.started[id] = true
		case node.ToMaster:
			if u, ok := out.Body.(node.Update); ok && u.Status.UUID != (node.UUID{}) && !w.truth.statuses[u.Status.UUID].sayable() {
				w.fail("%s shows %s of %s before it is durable", a.name, u.Status.State, u.Task)
			}
		case node.Persist:
			w.checkStaleRun(a, in, out)
		}
	}
}

func (w *World) checkStaleRun(a *agent, in node.Input, out node.Persist) {
	from, ok := in.(node.FromMaster)
	if !ok || from.Link == a.linkID && a.link != nil {
		return
	}
	run, ok := from.Body.(node.RunTask)
	if !ok {
		return
	}
	for _, r := range out.Records {
		if t, ok := r.(node.TaskRecord); ok && t.Task == run.Task.ID {
			w.fail("%s takes %s from a link that is gone", a.name, t.Task)
		}
	}
}

// checkMachine holds the machine to what it has: everything that runs fits into it.
func (w *World) checkMachine(h *host) {
	var sum amounts
	h.launched = live(h.launched)
	for _, c := range h.launched {
		if !c.live() {
			continue
		}
		framework := c.spec.Sandbox.Framework
		if c.spec.Task != "" {
			sum.add(w.truth.task(framework, c.spec.Task).needs)
			continue
		}
		sum.add(w.truth.executors[executorName{framework, c.spec.Sandbox.Executor}])
		if c.executor != nil {
			for id := range c.executor.tasks {
				sum.add(w.truth.task(framework, id).needs)
			}
		}
	}
	if total := amountsIn(h.total); sum.exceeds(total) {
		for _, c := range h.launched {
			w.logf(string(h.site), "runs %s of %s in container %s", c.what(), c.spec.Sandbox.Framework, short(c.id))
			if c.executor != nil {
				w.logf(string(h.site), "… with %v", sortedKeys(c.executor.tasks))
			}
		}
		w.fail("%s runs what needs %s, and has %s", h.site, sum, total)
	}
}

// agentBook is what an agent knows, read from the snapshot that it would write.
type agentBook struct {
	tasks      map[cluster.TaskKey]*agentTask
	executors  map[executorName]bool
	containers map[ids.ContainerID]bool // of what lives
	frameworks map[ids.FrameworkID]bool
}

type agentTask struct {
	container ids.ContainerID
	custom    bool
	terminal  bool
	owed      int // statuses without an acknowledgement
}

func readBook(a *agent) agentBook {
	b := agentBook{
		tasks:      make(map[cluster.TaskKey]*agentTask),
		executors:  make(map[executorName]bool),
		containers: make(map[ids.ContainerID]bool),
		frameworks: make(map[ids.FrameworkID]bool),
	}
	for _, r := range a.core.Snapshot() {
		switch r := r.(type) {
		case node.FrameworkRecord:
			b.frameworks[r.Framework.ID] = true
		case node.ExecutorRecord:
			b.executors[executorName{r.Framework, r.Executor}] = true
			b.containers[r.Container] = true
		case node.TaskRecord:
			b.tasks[cluster.TaskKey{Framework: r.Framework, Task: r.Task}] = &agentTask{container: r.Container, custom: r.Executor != ""}
		case node.StatusRecord:
			t := b.tasks[cluster.TaskKey{Framework: r.Framework, Task: r.Task}]
			t.terminal = node.IsTerminal(r.Status.State)
			if !r.Acknowledged {
				t.owed++
			}
		}
	}
	for _, t := range b.tasks {
		if !t.custom && !t.terminal {
			b.containers[t.container] = true
		}
	}
	return b
}

// checkKnown holds the agent to "every container that runs belongs to something that it knows", unless it
// is being ended.
func (w *World) checkKnown(a *agent) {
	book := readBook(a)
	for _, c := range a.host.launched {
		if c.live() && !c.killed && !book.containers[c.id] && a.host.containers[c.id] == c {
			w.fail("container %s (%s) runs on %s, which does not know it", c.id, c.what(), a.name)
		}
	}
}
