package allocator

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// model is the allocator's deliberately dumb twin. It keeps nothing that can be
// worked out, asks everybody about every agent each time, and adds up all
// holdings for every comparison. It shares with the clever one only the
// arithmetic of package resources, and this text:
//
// Agent by agent, in the order of arrival: of what is idle, the framework that
// comes first gets all that it may have, if that is worth an offer and it has
// not refused that much; then the next, of what is left.
type model struct {
	agents     []*modelAgent
	frameworks map[ids.FrameworkID]*modelFramework
	weights    map[ids.Role]float64
	held       map[holder]resources.List // as allocated
	filters    []modelFilter
	turn       int
	served     map[string]int // by what modelLine calls a contender
}

type modelAgent struct {
	id     ids.AgentID
	total  resources.List
	active bool
}

type modelFramework struct {
	known, active bool
	can           Capabilities
	roles         map[ids.Role]bool // true: suppressed
}

type holder struct {
	agent     ids.AgentID
	framework ids.FrameworkID
	role      ids.Role
}

type modelFilter struct {
	holder
	refused  resources.List
	deadline time.Duration
}

func newModel() *model {
	return &model{
		frameworks: map[ids.FrameworkID]*modelFramework{},
		weights:    map[ids.Role]float64{},
		held:       map[holder]resources.List{},
		served:     map[string]int{},
	}
}

func (m *model) agent(id ids.AgentID) *modelAgent {
	for _, ag := range m.agents {
		if ag.id == id {
			return ag
		}
	}
	return nil
}

// idle is the total without what is held, of what only one can hold.
func (m *model) idle(ag *modelAgent) resources.List {
	idle := ag.total
	for _, h := range m.holders() {
		if h.agent == ag.id {
			idle = idle.Sub(unshared(m.held[h].Unallocated()))
		}
	}
	return idle
}

func unshared(l resources.List) resources.List {
	return l.Filter(func(r resources.Resource) bool { return !r.Shared() })
}

// holders gives those who hold something, in some fixed order.
func (m *model) holders() []holder {
	var all []holder
	for h := range m.held {
		all = append(all, h)
	}
	slices.SortFunc(all, func(g, h holder) int {
		return cmp.Or(cmp.Compare(g.agent, h.agent), cmp.Compare(g.framework, h.framework), cmp.Compare(g.role, h.role))
	})
	return all
}

func (m *model) hold(h holder, l resources.List) { m.held[h] = m.held[h].Add(l) }

func (m *model) release(h holder, l resources.List) {
	m.held[h] = m.held[h].Sub(l)
	if m.held[h].IsEmpty() {
		delete(m.held, h)
	}
}

func (m *model) wantsOffers(framework ids.FrameworkID, role ids.Role) bool {
	fw := m.frameworks[framework]
	if fw == nil || !fw.known || !fw.active {
		return false
	}
	suppressed, subscribed := fw.roles[role]
	return subscribed && !suppressed
}

// tidy forgets what frameworks lose with their place: filters, once they want
// no more offers, and their turn, once nothing is left of them.
func (m *model) tidy() {
	m.filters = slices.DeleteFunc(m.filters, func(f modelFilter) bool {
		return !m.wantsOffers(f.framework, f.role) || m.agent(f.agent) == nil
	})
	present := map[string]bool{}
	note := func(framework ids.FrameworkID, role ids.Role) {
		present["framework "+string(framework)+" in "+string(role)] = true
		for path := range role.Path() {
			present["own "+string(path)] = true
			present["role "+string(path)] = true
		}
	}
	for id, fw := range m.frameworks {
		for role := range fw.roles {
			note(id, role)
		}
	}
	for h := range m.held {
		note(h.framework, h.role)
	}
	for name := range m.served {
		if !present[name] {
			delete(m.served, name)
		}
	}
}

func (m *model) allocate(now time.Duration) []Offer {
	m.filters = slices.DeleteFunc(m.filters, func(f modelFilter) bool { return f.deadline <= now })
	var offers []Offer
	for _, ag := range m.agents {
		if !ag.active {
			continue
		}
		rest := m.idle(ag)
		var given []Offer
		for _, next := range m.everybody("") {
			part := rest.Filter(func(r resources.Resource) bool { return m.mayHave(next, r) })
			if m.frameworks[next.framework].can.GPUs || ag.total.Scalar(resources.GPUs) == 0 {
				if enough(part) && !m.refused(next, ag.id, part) {
					given = append(given, Offer{next.framework, next.role, ag.id, part.Allocate(next.role)})
					rest = rest.Sub(unshared(part))
				}
			}
		}
		for _, o := range given {
			m.hold(holder{ag.id, o.Framework, o.Role}, o.Resources)
			m.serve(o.Framework, o.Role)
		}
		offers = append(offers, given...)
	}
	return offers
}

func (m *model) mayHave(h holder, r resources.Resource) bool {
	can := m.frameworks[h.framework].can
	reserved, ok := r.ReservedTo()
	if ok && h.role != reserved && !strings.HasPrefix(string(h.role), string(reserved)+"/") {
		return false
	}
	return (can.Revocable || !r.Revocable()) && (can.Shared || !r.Shared()) &&
		(can.ReservationRefinement || r.Reservations() < 2)
}

func enough(l resources.List) bool {
	l = unshared(l)
	return l.Scalar(resources.CPUs) >= 10 || l.Scalar(resources.Mem) >= 32000
}

func (m *model) refused(h holder, agent ids.AgentID, l resources.List) bool {
	for _, f := range m.filters {
		if f.holder == (holder{agent, h.framework, h.role}) && f.refused.Contains(l) {
			return true
		}
	}
	return false
}

func (m *model) serve(framework ids.FrameworkID, role ids.Role) {
	m.turn++
	m.served["framework "+string(framework)+" in "+string(role)] = m.turn
	m.served["own "+string(role)] = m.turn
	for path := range role.Path() {
		m.served["role "+string(path)] = m.turn
	}
}

// modelLine is one who is to be compared with others, and what he stands for.
type modelLine struct {
	name    string // to remember his turn by
	last    string // the last word among equals
	share   float64
	members []holder
}

// everybody gives those who want offers in a role and below it, in the order in
// which they are to be served.
func (m *model) everybody(role ids.Role) []holder {
	var line []modelLine
	if own := m.own(role); len(own) > 0 {
		share := m.share(func(r ids.Role, _ ids.FrameworkID) bool { return r == role })
		line = append(line, modelLine{"own " + string(role), "", share, own})
	}
	for _, below := range m.below(role) {
		if members := m.everybody(below); len(members) > 0 {
			share := m.share(func(r ids.Role, _ ids.FrameworkID) bool { return r.Within(below) })
			if weight, ok := m.weights[below]; ok {
				share /= weight
			}
			line = append(line, modelLine{"role " + string(below), string(below), share, members})
		}
	}
	return m.serveInOrder(line)
}

// own gives those who want offers in this very role, in order.
func (m *model) own(role ids.Role) []holder {
	var line []modelLine
	for id := range m.frameworks {
		if m.wantsOffers(id, role) {
			share := m.share(func(r ids.Role, framework ids.FrameworkID) bool { return r == role && framework == id })
			line = append(line, modelLine{
				"framework " + string(id) + " in " + string(role), string(id), share, []holder{{"", id, role}},
			})
		}
	}
	return m.serveInOrder(line)
}

func (m *model) serveInOrder(line []modelLine) (members []holder) {
	slices.SortFunc(line, func(a, b modelLine) int {
		return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(m.served[a.name], m.served[b.name]), cmp.Compare(a.last, b.last))
	})
	for _, l := range line {
		members = append(members, l.members...)
	}
	return members
}

// below gives the roles right below one, of which anything is known.
func (m *model) below(role ids.Role) []ids.Role {
	set := map[ids.Role]bool{}
	for _, fw := range m.frameworks {
		for r := range fw.roles {
			for path := range r.Path() {
				if parent, _ := path.Parent(); parent == role {
					set[path] = true
				}
			}
		}
	}
	var roles []ids.Role
	for r := range set {
		roles = append(roles, r)
	}
	return roles
}

// share is the dominant share of those for whom counts is true.
func (m *model) share(counts func(ids.Role, ids.FrameworkID) bool) float64 {
	total, held := map[string]resources.Scalar{}, map[string]resources.Scalar{}
	for _, ag := range m.agents {
		sum(total, ag.total)
	}
	for h, l := range m.held {
		if counts(h.role, h.framework) {
			sum(held, l)
		}
	}
	share := 0.0
	for name, amount := range held {
		if total[name] > 0 {
			share = math.Max(share, float64(amount)/float64(total[name]))
		}
	}
	return share
}

func sum(into map[string]resources.Scalar, l resources.List) {
	for r := range l.All() {
		if r.Kind() == resources.KindScalar && !r.Shared() {
			into[r.Name()] += r.Scalar()
		}
	}
}

// deadline is when the first filter expires that is not made pointless by
// another one.
func (m *model) deadline() time.Duration {
	first := time.Duration(math.MaxInt64)
	for i, f := range m.filters {
		pointless := false
		for j, g := range m.filters {
			pointless = pointless || i != j && f.within(g) && (j < i || !g.within(f))
		}
		if !pointless {
			first = min(first, f.deadline)
		}
	}
	return first
}

// within says whether g keeps everything from its holder that f does, as long.
func (f modelFilter) within(g modelFilter) bool {
	return f.holder == g.holder && f.deadline <= g.deadline && g.refused.Contains(f.refused)
}
