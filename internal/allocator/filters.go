package allocator

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/resources"
)

// How long a framework that declines does not want to see what it declined.
const (
	DefaultRefusal = 5 * time.Second
	maxRefusal     = 365 * 24 * time.Hour
)

// maxFilters bounds the filters of one framework, for one role, on one agent:
// beyond, the one that expires first is dropped. Refusing ever different parts
// of an agent must not make the master grow.
const maxFilters = 64

// RefusalTime gives the time for [Allocator.Recover] from the refuse_seconds
// of a call, or nil if there was none: 5 s by default, also if the value makes
// no sense, and a year at most. 0 asks for no filter.
func RefusalTime(refuseSeconds *float64) time.Duration {
	switch {
	case refuseSeconds == nil || *refuseSeconds < 0 || math.IsNaN(*refuseSeconds):
		return DefaultRefusal
	case *refuseSeconds >= maxRefusal.Seconds():
		return maxRefusal
	}
	return time.Duration(*refuseSeconds * float64(time.Second))
}

// filter keeps an agent from being offered to a member, as long as it has
// nothing that the member did not refuse.
type filter struct {
	member   *member
	agent    *agent
	refused  resources.List
	deadline time.Duration
	number   uint64 // decides between equal deadlines
	at       int    // its place in the heap
}

// refuse adds a filter, unless it would make no difference, and removes those
// that make none beside it.
func (a *Allocator) refuse(m *member, ag *agent, refused resources.List, deadline time.Duration) {
	filters := m.filters[ag]
	if slices.ContainsFunc(filters, func(f *filter) bool {
		return f.deadline >= deadline && f.refused.Contains(refused)
	}) {
		return
	}
	for _, f := range slices.Clone(filters) {
		if f.deadline <= deadline && refused.Contains(f.refused) {
			a.drop(f)
		}
	}
	if filters = m.filters[ag]; len(filters) == maxFilters {
		a.drop(slices.MinFunc(filters, compareFilters))
	}
	a.refusals++
	f := &filter{member: m, agent: ag, refused: refused, deadline: deadline, number: a.refusals}
	heap.Push(&a.filters, f)
	if m.filters == nil {
		m.filters = map[*agent][]*filter{}
	}
	m.filters[ag] = append(m.filters[ag], f)
}

// drop removes a filter.
func (a *Allocator) drop(f *filter) {
	heap.Remove(&a.filters, f.at)
	left := slices.DeleteFunc(f.member.filters[f.agent], func(g *filter) bool { return g == f })
	if len(left) == 0 {
		delete(f.member.filters, f.agent)
	} else {
		f.member.filters[f.agent] = left
	}
}

// refused says whether a filter keeps l on ag from m.
func (m *member) refused(ag *agent, l resources.List) bool {
	for _, f := range m.filters[ag] {
		if f.refused.Contains(l) {
			return true
		}
	}
	return false
}

// expire removes the filters whose time has come. Their agents are to be
// looked at.
func (a *Allocator) expire(now time.Duration) {
	for len(a.filters) > 0 && a.filters[0].deadline <= now {
		f := a.filters[0]
		a.drop(f)
		a.change(f.agent)
	}
}

// dropFilters removes all filters of a member. The order of a map does not
// show: filters leave the heap by their place in it, and the order in which
// the rest expires is theirs alone.
func (a *Allocator) dropFilters(m *member) {
	for _, filters := range m.filters {
		a.removeFromHeap(filters)
	}
	m.filters = nil
}

// dropAgentFilters removes all filters on an agent.
func (a *Allocator) dropAgentFilters(ag *agent) {
	for _, fw := range a.frameworks {
		for _, m := range fw.members {
			a.removeFromHeap(m.filters[ag])
			delete(m.filters, ag)
		}
	}
}

func (a *Allocator) removeFromHeap(filters []*filter) {
	for _, f := range filters {
		heap.Remove(&a.filters, f.at)
	}
}

// filterHeap is all filters, the one that expires first at the front.
type filterHeap []*filter

func compareFilters(f, g *filter) int {
	return cmp.Or(cmp.Compare(f.deadline, g.deadline), cmp.Compare(f.number, g.number))
}

// Len is part of heap.Interface.
func (h filterHeap) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h filterHeap) Less(i, j int) bool { return compareFilters(h[i], h[j]) < 0 }

// Swap is part of heap.Interface.
func (h filterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push is part of heap.Interface.
func (h *filterHeap) Push(f any) {
	f.(*filter).at = len(*h)
	*h = append(*h, f.(*filter))
}

// Pop is part of heap.Interface.
func (h *filterHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}
