// Package allocator decides who is offered what.
//
// It keeps a ledger of every agent's resources and of who holds them, be it in
// an offer or in a task, and shares out what nobody holds: fairly, to whoever
// holds least. Fairness is weighted dominant-resource fairness, between the
// roles of a tree and then between the frameworks in a role. A holder's share
// is the largest fraction of any one resource of the cluster that it holds;
// who has the smallest share for its weight comes first, and among equals who
// was served longest ago.
//
// It is a core: no goroutine, lock or clock; equal calls give equal answers,
// in equal order. Sums are exact integers and a share is computed afresh from
// them, so that nothing drifts however long it runs.
//
// The ledger is keyed by agent, framework and role, and its entries are lists
// that keep reservations and allocations apart. Its invariant: what is held
// and what is idle on an agent never exceed the agent's total, unless the
// agent itself says that it has less than what already runs on it.
//
// It works by events, not by sweeps. A change on one agent puts that agent on
// a list, and a framework that wants offers again puts itself on one; the next
// [Allocator.Allocate] looks at what is on the lists. What is on neither was
// looked at before, and nothing about it has changed since.
//
// It launches, persists and validates nothing, and knows neither offers' ids
// nor tasks. Start reading at Allocate and [Allocator.part], which is the
// whole of what makes an agent's resources suitable for a framework;
// ledger.go holds the books, roles.go the tree, order.go the lines in it.
package allocator

import (
	"slices"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Options are what an operator may choose. The zero value is Mesos' default.
type Options struct {
	// MinOffer is what makes an offer worth sending: it has to cover one of
	// these. Nil stands for 0.01 cpus or 32 MiB of memory; an empty slice asks
	// for nothing.
	MinOffer []resources.Quantities

	// GPUsToAll offers agents that have gpus also to frameworks that do not
	// know what gpus are, and might fill such agents with other work.
	GPUsToAll bool
}

// Offer is what Allocate gives to a framework, which holds it from then on,
// whatever it makes of it, until it is recovered.
type Offer struct {
	Framework ids.FrameworkID
	Role      ids.Role
	Agent     ids.AgentID
	Resources resources.List // allocated to Role
}

// Allocator is the ledger and the rules. Nothing in it is safe for concurrent
// use.
type Allocator struct {
	options Options // immutable after New

	agents     map[ids.AgentID]*agent
	inOrder    []*agent // all agents in the order of their arrival
	frameworks map[ids.FrameworkID]*framework
	tree       tree
	filters    filterHeap

	changed []*agent  // agents that everybody has to look at
	woken   []*member // members that have to look at all agents
	grants  []grant   // room for shareOut

	arrivals uint64 // agents so far
	refusals uint64 // filters so far
}

// New makes an allocator that knows of no agent and no framework.
func New(options Options) *Allocator {
	if options.MinOffer == nil {
		options.MinOffer = []resources.Quantities{
			{{Name: resources.CPUs, Amount: 10 * resources.Milli}},
			{{Name: resources.Mem, Amount: 32 * resources.One}},
		}
	}
	return &Allocator{
		options:    options,
		agents:     map[ids.AgentID]*agent{},
		frameworks: map[ids.FrameworkID]*framework{},
		tree:       newTree(),
	}
}

// Allocate shares out what is idle, as far as anything about it has changed
// since the last call, and gives the offers to send, in the order in which
// they were decided: agent by agent, as they once arrived. Call it after any
// other call, as late as convenient: many changes at once cost less than one
// after the other.
func (a *Allocator) Allocate(now core.Time) []Offer {
	a.expire(now.Mono)
	a.tree.refresh()
	agents := a.changed
	if len(a.woken) > 0 {
		agents = a.inOrder
	} else {
		slices.SortFunc(agents, byArrival)
	}
	var offers []Offer
	for _, ag := range agents {
		offers = a.shareOut(offers, ag)
	}
	a.settle()
	return offers
}

// settle empties the lists: everything has been looked at.
func (a *Allocator) settle() {
	for _, ag := range a.changed {
		ag.changed = false
	}
	for _, m := range a.woken {
		m.woken = false
		m.role.woken = 0
	}
	clear(a.changed)
	clear(a.woken)
	a.changed, a.woken = a.changed[:0], a.woken[:0]
}

// NextDeadline is when the earliest filter expires, on the monotonic clock:
// then there may be offers without any other event. Without filters it is
// [core.Never].
func (a *Allocator) NextDeadline() time.Duration {
	if len(a.filters) == 0 {
		return core.Never
	}
	return a.filters[0].deadline
}

// grant is a part of an agent's idle resources for one member.
type grant struct {
	member *member
	part   resources.List // unallocated
}

// shareOut offers what is idle on ag, in the order of fairness, and appends the
// offers to those that were made before. Everybody gets all that suits him, so
// that usually the first in line takes everything, and the others what is
// reserved to them alone.
//
// If the agent has not changed, only woken members are asked: all others have
// seen it as it is and had no use for it.
//
// The books are kept after everybody was asked: the order must not change
// while it is being walked.
func (a *Allocator) shareOut(offers []Offer, ag *agent) []Offer {
	if !ag.active || !ag.worthOffering {
		return offers
	}
	rest, grants := ag.idle, a.grants[:0]
	for m := range a.tree.inOrder(!ag.changed) {
		part, verdict := a.part(m, ag, rest)
		if verdict != Suitable {
			continue
		}
		grants = append(grants, grant{m, part})
		if rest = rest.Sub(exclusive(part)); !a.worthOffering(rest) {
			break
		}
	}
	for _, g := range grants {
		given := g.part.Allocate(g.member.role.path)
		a.tree.serve(g.member)
		a.hold(ag, g.member, given, g.part)
		offers = append(offers, Offer{g.member.framework.id, g.member.role.path, ag.id, given})
	}
	clear(grants)
	a.grants = grants
	return offers
}

// part is the part of idle, on ag, that m may be offered, or why there is
// none. It is the whole chain of rules, cheapest first.
func (a *Allocator) part(m *member, ag *agent, idle resources.List) (resources.List, Verdict) {
	if ag.hasGPUs && !m.framework.can.GPUs && !a.options.GPUsToAll {
		return resources.List{}, NeedsGPUCapability
	}
	part := idle
	if !ag.plain {
		part = idle.Filter(m.mayHave)
	}
	// A quota will cut part down here: to what the limits of m's role and of
	// those above it leave, whose stands say how much they hold, and to what
	// is not needed for other roles' guarantees. It concerns unreserved
	// scalars only.
	if !a.worthOffering(part) {
		return resources.List{}, TooLittle
	}
	if m.refused(ag, part) {
		return resources.List{}, Refused
	}
	return part, Suitable
}

// mayHave says whether r may be offered to m: it is not reserved to others,
// and the framework has said that it understands such resources.
func (m *member) mayHave(r resources.Resource) bool {
	can := m.framework.can
	return r.AllocatableTo(m.role.path) &&
		(can.Revocable || !r.Revocable()) &&
		(can.Shared || !r.Shared()) &&
		(can.ReservationRefinement || r.Reservations() < 2)
}

// worthOffering says whether l covers one of the minimal offers, not counting
// what is shared: that is always there, and would be offered for ever.
func (a *Allocator) worthOffering(l resources.List) bool {
	if l = exclusive(l); l.IsEmpty() {
		return false
	}
	return len(a.options.MinOffer) == 0 || slices.ContainsFunc(a.options.MinOffer, l.Covers)
}

// exclusive is the part of l that only one can have at a time.
func exclusive(l resources.List) resources.List {
	return l.Filter(func(r resources.Resource) bool { return !r.Shared() })
}
