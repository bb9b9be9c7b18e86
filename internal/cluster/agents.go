package cluster

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// agentBook is what the cluster keeps about an agent beside its published entry.
type agentBook struct {
	tasks     map[TaskKey]struct{}
	executors map[executorKey]struct{}
	offers    map[ids.OfferID]struct{}
	kills     map[TaskKey][]byte // asked for, of tasks that have not ended yet
	strays    map[TaskKey]Resources
	link      LinkID          // the latest it subscribed on
	pending   *AgentSubscribe // subscribed, but its record is not yet durable
}

// agentSubscribe lets an agent in: a new one, or one that comes back with what it runs.
//
//	no id or unknown id ──persist──▶ connected ◀──subscribe── disconnected ──timeout──▶ removed
//	                                     └───────link closed───────▲
func (c *Cluster) agentSubscribe(now core.Time, in AgentSubscribe) {
	if problem := agentProblem(&in); problem != "" {
		c.turnAway(in.Link, problem)
		return
	}
	if _, soon := c.absent.gone.marking[in.ID]; soon {
		c.dropLink(in.Link)
		return
	}
	if c.absent.gone.has(in.ID) {
		c.sendGone(in.Link)
		return
	}
	if in.ID == "" {
		in.ID = c.newAgentID()
	}
	b := c.byAgent[in.ID]
	if b != nil && in.Link < b.link { // it was held up on a connection that the agent has given up since
		c.dropLink(in.Link)
		return
	}
	if b != nil {
		b.link = in.Link
	}
	if old := c.agents.Get(in.ID); old != nil {
		c.reregister(now, old, in)
		return
	}
	if b != nil { // its record is on its way
		c.dropLink(b.pending.Link)
		b.pending = &in
		c.links[in.Link] = in.ID
		return
	}
	if n := len(c.byAgent); n >= maxAgents {
		c.turnAway(in.Link, fmt.Sprintf("the cluster has %d agents, which is as many as it takes", n))
		return
	}
	c.byAgent[in.ID] = &agentBook{
		tasks:     make(map[TaskKey]struct{}),
		executors: make(map[executorKey]struct{}),
		offers:    make(map[ids.OfferID]struct{}),
		kills:     make(map[TaskKey][]byte),
		strays:    make(map[TaskKey]Resources),
		link:      in.Link,
		pending:   &in,
	}
	c.links[in.Link] = in.ID
	c.persist(func(now core.Time) { c.admitPending(now, in.ID) }, AdmitAgent{in.ID, in.Info.Raw})
}

// turnAway sends an agent away that cannot be let in.
func (c *Cluster) turnAway(l LinkID, why string) {
	c.emit(ToAgent{l, Refuse{Reason: why, Final: true}})
	c.emit(CloseLink{l})
	c.notice(LevelWarn, "agent refused", "link", l, "reason", why)
}

func (c *Cluster) dropLink(l LinkID) {
	delete(c.links, l)
	c.emit(CloseLink{l})
}

func (c *Cluster) admitPending(now core.Time, id ids.AgentID) {
	b := c.byAgent[id]
	in := b.pending
	if c.links[in.Link] != id { // it left while its record was being written: what it runs is not known
		delete(c.byAgent, id)
		c.absent.expected.set(id, now.Mono+c.config.AgentTimeout)
		return
	}
	b.pending = nil
	a := &Agent{ID: id, Info: in.Info, Registered: now, Link: in.Link}
	message := c.absent.returned(id)
	c.agents.Put(id, a)
	c.publish(AgentAdded{a})
	c.alloc.SetAgent(id, in.Info.Resources)
	c.attachAgent(now, a, *in)
	c.announceTasks(now, a, message)
	c.notice(LevelInfo, "agent registered", "agent", id, "hostname", in.Info.Hostname, "resources", in.Info.Resources)
}

func (c *Cluster) reregister(now core.Time, old *Agent, in AgentSubscribe) {
	if old.Connected() {
		c.dropLink(old.Link)
		c.takeBackAgentOffers(now, old)
	}
	next := *old
	next.Info = in.Info
	next.Reregistered = now
	c.links[in.Link] = in.ID
	c.alloc.SetAgent(in.ID, in.Info.Resources)
	c.attachAgent(now, &next, in)
	c.notice(LevelInfo, "agent registered again", "agent", in.ID, "hostname", in.Info.Hostname, "tasks", len(in.Tasks))
}

// attachAgent is the one door into being connected. What the agent reports and what the books say are
// made one: the agent is right about what runs.
func (c *Cluster) attachAgent(now core.Time, a *Agent, in AgentSubscribe) {
	a.Link = in.Link
	c.agents.Put(a.ID, a)
	c.away.clear(a.ID)
	c.command(a, Welcome{a.ID})
	c.adoptFrameworks(now, a, in.Frameworks)
	before := c.frameworksOn(a.ID)
	c.adoptExecutors(now, a, in.Executors)
	reported := c.adoptTasks(now, a, in.Tasks)
	c.dropUnreported(now, a, reported)
	for _, id := range before { // what ended them here may have been said on a link that broke
		c.buryIfEmpty(now, id)
	}
	for _, info := range in.Frameworks { // a gone one may have left nothing but history
		c.buryIfEmpty(now, info.ID)
	}
	c.killAgain(a)
	c.warnOfShortage(a)
	c.alloc.ActivateAgent(a.ID)
	c.wantAllocation(now)
}

// warnOfShortage says what more runs on an agent than it has, after it was started again with less. All of it
// goes on; nothing is offered of what is short until enough has ended.
func (c *Cluster) warnOfShortage(a *Agent) {
	var held Resources
	for o := range c.alloc.Held(a.ID) {
		held = held.Add(o.Resources.Unallocated())
	}
	if short := held.Sub(a.Info.Resources); !short.IsEmpty() {
		c.notice(LevelWarn, "more runs on the agent than it has", "agent", a.ID, "hostname", a.Info.Hostname, "short", short)
	}
}

// adoptFrameworks takes in frameworks that only the agent knows, as after a restart of the master, and
// has those ended that are gone: they are in the books until they have ended, since what runs of them is
// not free before.
func (c *Cluster) adoptFrameworks(now core.Time, a *Agent, infos []FrameworkInfo) {
	for _, info := range infos {
		f := c.frameworks.Get(info.ID)
		if f != nil && !f.Gone() {
			continue
		}
		if c.gone.has(info.ID) {
			if f == nil {
				c.admitGone(now, info)
			}
			if c.isOver(info.ID) {
				c.command(a, ShutdownFramework{info.ID})
			}
			continue
		}
		c.admitFramework(now, info)
		c.awaitReturn(now, &info)
		c.announce(c.frameworks.Get(info.ID))
		c.notice(LevelInfo, "framework recovered from an agent", "framework", info.ID, "agent", a.ID)
	}
}

// admitGone puts a framework back into the books that was removed before this master led.
func (c *Cluster) admitGone(now core.Time, info FrameworkInfo) {
	c.admitFramework(now, info)
	f := *c.frameworks.Get(info.ID)
	f.Removed = now
	c.frameworks.Put(info.ID, &f)
	c.byFrame[info.ID].over = true
}

func (c *Cluster) adoptExecutors(now core.Time, a *Agent, reported []AgentExecutor) {
	seen := make(map[executorKey]bool, len(reported))
	for _, e := range reported {
		key := executorKey{a.ID, e.Framework, e.Info.ID}
		seen[key] = true
		if c.executors.Get(key) == nil && c.byFrame[e.Framework] != nil {
			c.addExecutor(key, e.Info)
			c.adopt(key.framework, a.ID, e.Info.Resources)
		}
	}
	b := c.byAgent[a.ID]
	for _, key := range sortedExecutors(b.executors) {
		if !seen[key] {
			c.removeExecutor(now, key)
		}
	}
}

func (c *Cluster) adoptTasks(now core.Time, a *Agent, reported []AgentTask) map[TaskKey]bool {
	seen := make(map[TaskKey]bool, len(reported))
	c.dropStrays(now, a.ID) // those that are left are reported again
	for _, r := range reported {
		key := TaskKey{r.Framework, r.Info.ID}
		r.Info.Agent = a.ID
		if r.Finished {
			c.adoptFinished(now, key, r)
			continue
		}
		seen[key] = true
		t := c.tasks.Get(key)
		switch {
		case c.byFrame[r.Framework] == nil:
		case t != nil && t.Info.Agent != a.ID: // launched again elsewhere after a failover
			if Terminal(r.State) {
				continue
			}
			c.addStray(a, key, r.Info.Resources)
			c.notice(LevelWarn, "task runs on two agents; the newcomer is killed", "framework", r.Framework,
				"task", r.Info.ID, "stays", t.Info.Agent, "killed", a.ID)
		case t == nil:
			c.addTask(&Task{Key: key, Info: r.Info, Role: roleOf(r.Info.Resources), State: r.State,
				Created: now, Statuses: r.Statuses, Shown: statusOf(r.Statuses, r.Told)})
			c.history.comeBack(key)
			if !Terminal(r.State) {
				c.adopt(r.Framework, a.ID, r.Info.Resources)
			}
		case Terminal(t.State): // it said so, even if it has forgotten
		case t.State != r.State:
			c.moveTask(now, t, r.State, nil)
		}
	}
	return seen
}

// adoptFinished takes in a task that is history on its agent. A task in the books may have its id and be
// another one, as ids may be used again: it is the same if its end is the last that was heard of it.
func (c *Cluster) adoptFinished(now core.Time, key TaskKey, r AgentTask) {
	end := statusOf(r.Statuses, r.State)
	if t := c.tasks.Get(key); t != nil {
		if t.Info.Agent == r.Info.Agent && Terminal(t.State) && t.Shown.UUID == end.UUID {
			c.completeTask(now, t)
		}
		return
	}
	c.history.recall(&Task{Key: key, Info: r.Info, Role: roleOf(r.Info.Resources), State: r.State, Created: now,
		Statuses: r.Statuses, Shown: end}, c.byFrame[key.Framework] != nil,
		c.config.CompletedTasks, c.config.CompletedFrameworks)
}

// dropUnreported ends the tasks of which the agent does not know: it never got them. One whose end was told
// is history.
func (c *Cluster) dropUnreported(now core.Time, a *Agent, reported map[TaskKey]bool) {
	for _, key := range sortedTasks(c.byAgent[a.ID].tasks) {
		t := c.tasks.Get(key)
		switch {
		case reported[key]:
			continue
		case Terminal(shownState(t)):
			c.completeTask(now, t)
			continue
		}
		f := c.frameworks.Get(key.Framework)
		c.loseTask(now, t, ifAware(f, mesos.TaskState_TASK_DROPPED), mesos.TaskStatus_REASON_RECONCILIATION,
			"Task is unknown to the agent")
	}
}

// linkClosed is the one door into being disconnected.
func (c *Cluster) linkClosed(now core.Time, in LinkClosed) {
	id, ok := c.links[in.Link]
	if !ok {
		return
	}
	delete(c.links, in.Link)
	if a := c.agents.Get(id); a != nil {
		c.notice(LevelWarn, "agent disconnected", "agent", id, "reason", in.Reason)
		c.disconnected(now, a, in.Silent)
	}
}

// disconnected lets the time run within which an agent may come back. It began with the last that was heard
// of the agent: behind a partition, which nobody closes a link for, it may have run out already.
func (c *Cluster) disconnected(now core.Time, a *Agent, silent time.Duration) {
	next := *a
	next.Link = 0
	c.agents.Put(a.ID, &next)
	c.alloc.DeactivateAgent(a.ID)
	c.takeBackAgentOffers(now, &next)
	c.away.set(a.ID, now.Mono+max(0, c.config.AgentTimeout-silent))
}

// agentUnregistered lets an agent go that says goodbye. Nothing of it runs any more.
func (c *Cluster) agentUnregistered(now core.Time, in AgentUnregistered) {
	a := c.agentOf(in.Link)
	if a == nil {
		return
	}
	c.takeBackAgentOffers(now, a)
	c.clearAgent(now, a, fateLost, fmt.Sprintf("Agent %s removed: the agent unregistered", a.Info.Hostname))
	c.dropLink(in.Link)
	c.persist(nil, RemoveAgent{a.ID})
	c.notice(LevelInfo, "agent left", "agent", a.ID, "hostname", a.Info.Hostname)
}

// loseAgent gives an agent up that was away for too long. Its tasks may live on behind a partition:
// partition-aware frameworks are told so.
func (c *Cluster) loseAgent(now core.Time, a *Agent) {
	c.clearAgent(now, a, fateUnreachable, "health check timed out")
	c.absent.addUnreachable(UnreachableAgent{a.ID, now.Wall})
	c.persist(nil, LoseAgent{ID: a.ID, Since: now.Wall})
	c.notice(LevelWarn, "agent removed", "agent", a.ID, "hostname", a.Info.Hostname, "why", "away for too long")
}

// fate is what becomes of a framework's tasks on an agent that is removed.
type fate func(*Framework) (mesos.TaskState, mesos.TaskStatus_Reason)

func fateLost(*Framework) (mesos.TaskState, mesos.TaskStatus_Reason) {
	return mesos.TaskState_TASK_LOST, mesos.TaskStatus_REASON_AGENT_REMOVED
}

func fateUnreachable(f *Framework) (mesos.TaskState, mesos.TaskStatus_Reason) {
	return ifAware(f, mesos.TaskState_TASK_UNREACHABLE), mesos.TaskStatus_REASON_AGENT_REMOVED
}

// clearAgent takes an agent and everything on it out of the books and tells the frameworks.
func (c *Cluster) clearAgent(now core.Time, a *Agent, end fate, why string) {
	b, touched := c.byAgent[a.ID], c.frameworksOn(a.ID)
	for _, key := range sortedTasks(b.tasks) {
		t, f := c.tasks.Get(key), c.frameworks.Get(key.Framework)
		if Terminal(shownState(t)) {
			c.completeTask(now, t)
			continue
		}
		state, reason := end(f)
		c.loseTask(now, t, state, reason, why)
	}
	for _, key := range sortedExecutors(b.executors) {
		c.removeExecutor(now, key)
	}
	c.dropStrays(now, a.ID)
	for f := range c.frameworks.All() {
		c.tell(f, Failure{Agent: a.ID})
	}
	for _, id := range touched {
		c.buryIfEmpty(now, id)
	}
	c.agents.Delete(a.ID)
	delete(c.byAgent, a.ID)
	c.alloc.RemoveAgent(a.ID)
	c.publish(AgentRemoved{a.ID})
}

// frameworksOn are the frameworks that have something in the books of an agent.
func (c *Cluster) frameworksOn(id ids.AgentID) []ids.FrameworkID {
	b, on := c.byAgent[id], make(map[ids.FrameworkID]struct{})
	for key := range b.tasks {
		on[key.Framework] = struct{}{}
	}
	for key := range b.executors {
		on[key.framework] = struct{}{}
	}
	for key := range b.strays {
		on[key.Framework] = struct{}{}
	}
	return sorted(on)
}

// agentOf finds the agent at the other end of a link that still counts.
func (c *Cluster) agentOf(l LinkID) *Agent {
	id, ok := c.links[l]
	if !ok {
		return nil
	}
	return c.agents.Get(id)
}

// frameworkGone frees whatever the books still hold of a framework on an agent that was told to end it.
func (c *Cluster) frameworkGone(now core.Time, in AgentFrameworkGone) {
	a := c.agentOf(in.Link)
	if a == nil || !c.isOver(in.Framework) {
		return
	}
	b := c.byAgent[a.ID]
	for _, key := range sortedTasks(b.tasks) {
		if t := c.tasks.Get(key); key.Framework == in.Framework {
			if !Terminal(t.State) {
				t = c.moveTask(now, t, mesos.TaskState_TASK_KILLED, nil)
			}
			c.completeTask(now, t)
		}
	}
	for _, key := range sortedExecutors(b.executors) {
		if key.framework == in.Framework {
			c.removeExecutor(now, key)
		}
	}
	for _, key := range sortedTasks(b.strays) {
		if key.Framework == in.Framework {
			c.dropStray(now, a.ID, key)
		}
	}
	c.buryIfEmpty(now, in.Framework)
	c.wantAllocation(now)
}
