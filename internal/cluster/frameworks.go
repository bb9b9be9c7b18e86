package cluster

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/allocator"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// frameworkBook is what the cluster keeps about a framework beside its published entry.
type frameworkBook struct {
	tasks   map[TaskKey]struct{}
	offers  map[ids.OfferID]struct{}
	agents  map[ids.AgentID]int // how many live tasks and executors it has on each
	pending StreamID            // subscribed, but the framework's record is not yet durable
	over    bool                // it is gone, durably: what it has left may be ended
	known   bool                // it was published
}

// subscribe lets a scheduler in: a new framework, or one that comes back.
//
//	unknown id or none ──persist──▶ connected ◀──subscribe── disconnected
//	                                    │  ▲                      ▲ │
//	                                    │  └──subscribe again     │ │ failover timeout
//	                           teardown │       stream closed ────┘ │
//	                                    ▼                           ▼
//	                                  gone (until no agent runs anything of it, then history)
func (c *Cluster) subscribe(now core.Time, in Subscribe) {
	info := in.Framework
	if problem := subscribeProblem(&in); problem != "" {
		c.refuse(in.Stream, problem)
		return
	}
	if info.ID != "" && c.gone.has(info.ID) {
		c.refuse(in.Stream, "Framework has been removed")
		return
	}
	if info.ID == "" {
		info.ID = c.newFrameworkID()
	}
	if f := c.frameworks.Get(info.ID); f != nil {
		if f.Info.Principal != info.Principal {
			c.refuse(in.Stream, "Changing framework's principal is not allowed.")
			return
		}
		c.resubscribe(now, f, in.Stream, info, in.Suppressed)
		return
	}
	if n := c.frameworks.Len(); n >= maxFrameworks {
		c.refuse(in.Stream, fmt.Sprintf("The cluster has %d frameworks, which is as many as it takes", n))
		return
	}
	c.admitFramework(now, info)
	c.tellAllocator(&info, in.Suppressed)
	c.pend(info.ID, in.Stream)
	c.persist(func(now core.Time) { c.attachPending(now, info.ID) },
		AdmitFramework{info})
}

// recover takes in what a former leader remembered.
func (c *Cluster) recover(now core.Time, in Recovered) {
	for _, id := range in.Removed {
		c.gone.add(id)
	}
	for _, info := range in.Frameworks {
		c.admitFramework(now, info)
		c.announce(c.frameworks.Get(info.ID))
		c.awaitReturn(now, &info)
	}
	for _, id := range in.Agents {
		c.absent.expected.set(id, now.Mono+c.config.AgentReturn)
	}
	for _, u := range in.Unreachable {
		c.absent.addUnreachable(u)
	}
	for _, id := range in.Gone {
		c.absent.gone.add(id)
	}
}

// awaitReturn gives a framework of a former leader the time to come back. It did not leave by itself, so
// it gets as long as an agent does even if its failover timeout is shorter: the usual one is zero.
func (c *Cluster) awaitReturn(now core.Time, info *FrameworkInfo) {
	c.failover.set(info.ID, now.Mono+max(info.FailoverTimeout, c.config.AgentTimeout))
}

func (c *Cluster) refuse(s StreamID, why string) {
	c.emit(Send{s, Error{why}})
	c.emit(CloseStream{s})
}

// admitFramework puts a framework into the books, disconnected.
func (c *Cluster) admitFramework(now core.Time, info FrameworkInfo) {
	c.frameworks.Put(info.ID, &Framework{Info: info, Registered: now, Disconnected: now})
	c.byFrame[info.ID] = &frameworkBook{
		tasks:  make(map[TaskKey]struct{}),
		offers: make(map[ids.OfferID]struct{}),
		agents: make(map[ids.AgentID]int),
	}
	c.tellAllocator(&info, nil)
}

// tellAllocator gives the allocator what it needs of a framework.
func (c *Cluster) tellAllocator(info *FrameworkInfo, suppressed []ids.Role) {
	can := info.Capabilities
	c.alloc.SetFramework(allocator.Framework{ID: info.ID, Roles: info.EffectiveRoles(), Suppressed: suppressed,
		Capabilities: allocator.Capabilities{
			GPUs:                  can.Has(mesos.FrameworkInfo_Capability_GPU_RESOURCES),
			Revocable:             can.Has(mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES),
			Shared:                can.Has(mesos.FrameworkInfo_Capability_SHARED_RESOURCES),
			ReservationRefinement: can.Has(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT),
		}})
}

// pend remembers which stream waits for the framework's record; a later subscription takes its place.
func (c *Cluster) pend(id ids.FrameworkID, s StreamID) {
	b := c.byFrame[id]
	if b.pending != "" {
		delete(c.streams, b.pending)
		c.refuse(b.pending, "Framework failed over")
	}
	b.pending = s
	c.streams[s] = id
}

func (c *Cluster) attachPending(now core.Time, id ids.FrameworkID) {
	f, b := c.frameworks.Get(id), c.byFrame[id]
	if f == nil || b == nil || f.Gone() {
		return
	}
	if b.pending == "" { // the scheduler left while its record was being written
		if !f.Connected() && !c.failover.has(id) {
			c.failover.set(id, now.Mono+f.Info.FailoverTimeout)
		}
		return
	}
	s := b.pending
	b.pending = ""
	c.attach(now, f, s)
}

// resubscribe lets a scheduler take a known framework over. What changed of the framework is made durable
// first; where nothing did, the registry is asked all the same whether this master still leads.
func (c *Cluster) resubscribe(now core.Time, f *Framework, s StreamID, info FrameworkInfo, suppressed []ids.Role) {
	info.User, info.Principal, info.Checkpoint = f.Info.User, f.Info.Principal, f.Info.Checkpoint
	next := *f
	next.Info = info
	c.frameworks.Put(info.ID, &next)
	c.tellAllocator(&info, suppressed)
	c.pend(info.ID, s)
	c.persist(func(now core.Time) { c.attachPending(now, info.ID) }, AdmitFramework{info})
}

// attach is the one door into being connected.
func (c *Cluster) attach(now core.Time, f *Framework, s StreamID) {
	next := *f
	if f.Connected() {
		delete(c.streams, f.Stream)
		c.refuse(f.Stream, "Framework failed over")
	}
	if f.Connected() || f.Reregistered != (core.Time{}) || f.Disconnected.Mono > f.Registered.Mono {
		next.Reregistered = now
	}
	c.takeBackOffers(now, f.Info.ID)
	next.Stream = s
	c.frameworks.Put(f.Info.ID, &next)
	c.streams[s] = f.Info.ID
	c.announce(&next)
	c.failover.clear(f.Info.ID)
	c.emit(Send{s, Subscribed{f.Info.ID}})
	for _, a := range c.agentsOf(f.Info.ID) {
		c.command(c.agents.Get(a), UpdateFramework{&next})
	}
	c.alloc.ActivateFramework(f.Info.ID)
	c.wantAllocation(now)
	c.notice(LevelInfo, "framework subscribed", "framework", f.Info.ID, "name", f.Info.Name)
}

// announce publishes a framework, as a new one the first time.
func (c *Cluster) announce(f *Framework) {
	b := c.byFrame[f.Info.ID]
	if b.known {
		c.publish(FrameworkUpdated{f})
		return
	}
	b.known = true
	c.publish(FrameworkAdded{f})
}

// agentsOf lists the agents that may have anything of a framework, be it only the last word of a task.
func (c *Cluster) agentsOf(id ids.FrameworkID) []ids.AgentID {
	b := c.byFrame[id]
	all := make(map[ids.AgentID]struct{}, len(b.agents))
	for a := range b.agents {
		all[a] = struct{}{}
	}
	for key := range b.tasks {
		all[c.tasks.Get(key).Info.Agent] = struct{}{}
	}
	return sorted(all)
}

// streamClosed is the one door into being disconnected.
func (c *Cluster) streamClosed(now core.Time, in StreamClosed) {
	id, ok := c.streams[in.Stream]
	if !ok {
		return
	}
	delete(c.streams, in.Stream)
	f, b := c.frameworks.Get(id), c.byFrame[id]
	if b.pending == in.Stream {
		b.pending = ""
		return
	}
	next := *f
	next.Stream = ""
	next.Disconnected = now
	c.frameworks.Put(id, &next)
	c.alloc.DeactivateFramework(id)
	c.takeBackOffers(now, id)
	c.failover.set(id, now.Mono+f.Info.FailoverTimeout)
	c.notice(LevelInfo, "framework disconnected", "framework", id, "failover_timeout", f.Info.FailoverTimeout)
}

func (c *Cluster) expireFrameworks(now core.Time) {
	for {
		id, ok := c.failover.pop(now.Mono)
		if !ok {
			return
		}
		c.removeFramework(now, c.frameworks.Get(id), "failover timeout passed")
	}
}

// removeFramework is the one door into being gone. The framework's tasks keep their resources until
// the agents say that nothing of it is left. The agents are told when its removal is durable: the next
// master would let it come back otherwise, and what it had would be gone without a word.
func (c *Cluster) removeFramework(now core.Time, f *Framework, why string) {
	id := f.Info.ID
	c.takeBackOffers(now, id)
	c.alloc.DeactivateFramework(id)
	c.gone.add(id)
	c.persist(func(now core.Time) { c.endFramework(now, id) }, RemoveFramework{ID: id, At: now.Wall})
	if f.Connected() {
		delete(c.streams, f.Stream)
		c.emit(CloseStream{f.Stream})
	}
	if b := c.byFrame[id]; b.pending != "" {
		delete(c.streams, b.pending)
		c.emit(CloseStream{b.pending})
		b.pending = ""
	}
	c.failover.clear(id)
	next := *f
	next.Stream = ""
	next.Removed = now
	c.frameworks.Put(id, &next)
	c.publish(FrameworkRemoved{&next})
	c.notice(LevelInfo, "framework removed", "framework", id, "name", f.Info.Name, "why", why)
}

// endFramework has everything ended that a framework has left, now that it is gone for good.
func (c *Cluster) endFramework(now core.Time, id ids.FrameworkID) {
	c.byFrame[id].over = true
	for _, a := range c.agentsOf(id) {
		c.command(c.agents.Get(a), ShutdownFramework{id})
	}
	c.buryIfEmpty(now, id)
}

// isOver tells whether nobody will ever hear or acknowledge what is said to a framework.
func (c *Cluster) isOver(id ids.FrameworkID) bool {
	b := c.byFrame[id]
	return b == nil || b.over
}

// buryIfEmpty makes history of a framework that is gone once nothing of it is left.
func (c *Cluster) buryIfEmpty(now core.Time, id ids.FrameworkID) {
	f, b := c.frameworks.Get(id), c.byFrame[id]
	if f == nil || !b.over || len(b.agents) > 0 {
		return
	}
	for _, key := range sortedTasks(b.tasks) { // ended, but never acknowledged
		c.completeTask(now, c.tasks.Get(key))
	}
	c.frameworks.Delete(id)
	delete(c.byFrame, id)
	c.alloc.RemoveFramework(id)
	c.history.addFramework(f, c.config.CompletedFrameworks)
}

// schedulerCall answers a call and, if it is one that counts, does what it asks for.
func (c *Cluster) schedulerCall(now core.Time, in SchedulerCall) {
	f := c.frameworks.Get(in.Framework)
	switch {
	case f == nil || f.Gone():
		c.answer(BadRequest, "Framework cannot be found")
		return
	case !f.Connected():
		c.answer(Forbidden, "Framework is not subscribed")
		return
	case in.Stream == "":
		c.answer(BadRequest, "All non-subscribe calls should include the 'Mesos-Stream-Id' header")
		return
	case in.Stream != f.Stream:
		c.answer(BadRequest, fmt.Sprintf("The stream ID '%s' included in this request didn't match "+
			"the stream ID currently associated with framework ID %s", in.Stream, in.Framework))
		return
	}
	if problem := callProblem(in.Call); problem != "" {
		c.answer(BadRequest, problem)
		return
	}
	c.answer(Accepted, "")
	switch call := in.Call.(type) {
	case Teardown:
		c.removeFramework(now, f, "torn down")
	case Accept:
		c.accept(now, f, call)
	case Decline:
		c.decline(now, f, call)
	case Revive:
		c.revive(now, f, call)
	case Suppress:
		c.suppress(now, f, call)
	case Kill:
		c.kill(now, f, call)
	case Shutdown:
		c.command(c.agents.Get(call.Agent), ShutdownExecutor{f.Info.ID, call.Executor})
	case Acknowledge:
		c.acknowledge(now, f, call)
	case Reconcile:
		c.reconcile(now, f, call)
	case Message:
		c.command(c.agents.Get(call.Agent), FrameworkMessage{f.Info.ID, call.Executor, call.Data})
	case RequestResources:
	}
}
