package allocator

import (
	"cmp"
	"iter"
	"slices"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// agent is what one agent has, and who holds it.
type agent struct {
	id      ids.AgentID
	arrival uint64
	active  bool
	changed bool // it is on the list of those to look at

	total    resources.List
	capacity amounts // the scalars of total
	holdings []holding
	held     resources.List // all holdings together, in nobody's hands
	idle     resources.List // what of total is not held; what is shared always is

	// worked out from idle and total
	worthOffering bool
	plain         bool // anybody may have all that is idle
	hasGPUs       bool
}

// holding is what one member holds of an agent, in offers and tasks.
type holding struct {
	member *member
	list   resources.List // allocated to the member's role
}

func byArrival(ag, other *agent) int { return cmp.Compare(ag.arrival, other.arrival) }

// SetAgent adds an agent, which is active then, or changes what a known one
// has in total. An agent may come to have less than is held of it; until
// enough was recovered, nothing more of it is offered.
func (a *Allocator) SetAgent(id ids.AgentID, total resources.List) {
	ag := a.agents[id]
	if ag == nil {
		a.arrivals++
		ag = &agent{id: id, arrival: a.arrivals, active: true}
		a.agents[id] = ag
		a.inOrder = append(a.inOrder, ag)
	}
	a.tree.capacity(ag.capacity, -1)
	ag.total = offerOrder(total.Unallocated())
	ag.capacity = slices.Clone(a.tree.count(ag.total))
	ag.hasGPUs = ag.total.Scalar(resources.GPUs) > 0
	a.tree.capacity(ag.capacity, +1)
	a.reckonIdle(ag)
	a.change(ag)
}

// offerOrder puts l into the order in which Mesos lists an offer's resources:
// ranges, sets and whatever is special first, ordinary scalars last.
func offerOrder(l resources.List) resources.List {
	ordinary := func(r resources.Resource) bool {
		return r.Kind() == resources.KindScalar && !r.Reserved() && !r.Revocable()
	}
	special := l.Filter(func(r resources.Resource) bool { return !ordinary(r) })
	return special.Add(l.Filter(ordinary))
}

// RemoveAgent forgets an agent, and all that is held of it.
func (a *Allocator) RemoveAgent(id ids.AgentID) {
	ag := a.agents[id]
	if ag == nil {
		return
	}
	delete(a.agents, id)
	at, _ := slices.BinarySearchFunc(a.inOrder, ag, byArrival)
	a.inOrder = slices.Delete(a.inOrder, at, at+1)
	ag.active = false // it may still be on the list of those to look at
	a.dropAgentFilters(ag)
	a.tree.capacity(ag.capacity, -1)
	for _, h := range ag.holdings {
		a.tree.charge(h.member, h.list, -1)
		h.member.agents--
		a.prune(h.member)
	}
}

// ActivateAgent lets an agent's idle resources be offered.
func (a *Allocator) ActivateAgent(id ids.AgentID) {
	if ag := a.agents[id]; ag != nil && !ag.active {
		ag.active = true
		a.change(ag)
	}
}

// DeactivateAgent keeps an agent's idle resources from being offered. What is
// held stays held.
func (a *Allocator) DeactivateAgent(id ids.AgentID) {
	if ag := a.agents[id]; ag != nil {
		ag.active = false
	}
}

// ForgetRefusals removes all filters on an agent. An agent whose attributes
// have changed may suit frameworks that did not want it before.
func (a *Allocator) ForgetRefusals(id ids.AgentID) {
	if ag := a.agents[id]; ag != nil {
		a.dropAgentFilters(ag)
		a.change(ag)
	}
}

// Idle is what nobody holds of an agent.
func (a *Allocator) Idle(id ids.AgentID) resources.List {
	if ag := a.agents[id]; ag != nil {
		return ag.idle
	}
	return resources.List{}
}

// Held yields what is held of an agent and by whom, in the order in which the
// holders first came.
func (a *Allocator) Held(id ids.AgentID) iter.Seq[Offer] {
	return func(yield func(Offer) bool) {
		ag := a.agents[id]
		if ag == nil {
			return
		}
		for _, h := range ag.holdings {
			if !yield(Offer{h.member.framework.id, h.member.role.path, id, h.list}) {
				return
			}
		}
	}
}

// change puts ag on the list of those to look at.
func (a *Allocator) change(ag *agent) {
	if !ag.changed {
		ag.changed = true
		a.changed = append(a.changed, ag)
	}
}

// reckonIdle works out afresh what is idle. It is reckoned from the total and
// not from what was idle before, so that it comes out right also when more was
// held than there is, and keeps the total's order.
func (a *Allocator) reckonIdle(ag *agent) {
	ag.idle = ag.total
	if !ag.held.IsEmpty() {
		ag.idle = ag.total.Sub(exclusive(ag.held))
	}
	ag.worthOffering = a.worthOffering(ag.idle)
	ag.plain = true
	for r := range ag.idle.All() {
		ag.plain = ag.plain && r.Plain()
	}
}
