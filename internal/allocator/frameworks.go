package allocator

import (
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// Framework is what a framework says about itself when it subscribes.
type Framework struct {
	ID           ids.FrameworkID
	Roles        []ids.Role
	Suppressed   []ids.Role // those of Roles for which it wants no offers
	Capabilities Capabilities
}

// Capabilities are what a framework has said that it understands.
type Capabilities struct {
	GPUs                  bool // GPU_RESOURCES: agents that have gpus
	Revocable             bool // REVOCABLE_RESOURCES
	Shared                bool // SHARED_RESOURCES
	ReservationRefinement bool // RESERVATION_REFINEMENT: reservations on top of each other
}

// framework is a framework that is subscribed, or still holds something.
type framework struct {
	id      ids.FrameworkID
	known   bool // it was set and not removed; otherwise it is here for what it holds
	active  bool
	can     Capabilities
	members []*member // in the order of their first mention
	byRole  map[ids.Role]*member
}

// member is a framework in one role: what stands in line.
type member struct {
	framework  *framework
	role       *role
	subscribed bool // otherwise it is here for what it holds
	suppressed bool
	woken      bool // it wants to be asked about all agents
	agents     int  // on how many it holds something
	stand      contender
	filters    map[*agent][]*filter // only while it is in line
}

// SetFramework adds a framework, which is inactive then, or changes what a
// known one says about itself. It is as if it revived the roles that it no
// longer suppresses.
func (a *Allocator) SetFramework(f Framework) {
	fw := a.framework(f.ID)
	fw.known = true
	changed := fw.can != f.Capabilities
	fw.can = f.Capabilities
	for _, m := range fw.members {
		m.subscribed = false
	}
	for _, path := range f.Roles {
		a.member(fw, path).subscribed = true
	}
	suppressed := setOf(f.Suppressed)
	for _, m := range slices.Clone(fw.members) {
		m.suppressed = m.subscribed && suppressed[m.role.path]
		a.place(m)
		if changed && m.inLine() {
			a.wake(m)
		}
		a.prune(m)
	}
}

// RemoveFramework ends a framework: it is offered nothing more. What it holds
// it holds until that is recovered, for a task that is told to end still runs.
func (a *Allocator) RemoveFramework(id ids.FrameworkID) {
	fw := a.frameworks[id]
	if fw == nil {
		return
	}
	fw.known, fw.active = false, false
	for _, m := range slices.Clone(fw.members) {
		m.subscribed, m.suppressed = false, false
		a.place(m)
		a.prune(m)
	}
	a.pruneFramework(fw)
}

// ActivateFramework lets a framework, once set, be offered resources.
func (a *Allocator) ActivateFramework(id ids.FrameworkID) { a.setActive(id, true) }

// DeactivateFramework keeps a framework, as one that is disconnected, from
// being offered anything, and forgets its filters. What it holds it holds.
func (a *Allocator) DeactivateFramework(id ids.FrameworkID) { a.setActive(id, false) }

func (a *Allocator) setActive(id ids.FrameworkID, active bool) {
	fw := a.frameworks[id]
	if fw == nil || !fw.known {
		return
	}
	fw.active = active
	for _, m := range fw.members {
		a.place(m)
	}
}

// Suppress stops offers to a framework for the given roles, or all of its
// roles if none is given.
func (a *Allocator) Suppress(id ids.FrameworkID, roles ...ids.Role) {
	for _, m := range a.chosen(id, roles) {
		m.suppressed = true
		a.place(m)
	}
}

// Revive starts offers to a framework again, for the given roles or all of its
// roles if none is given, and removes its filters for them.
func (a *Allocator) Revive(id ids.FrameworkID, roles ...ids.Role) {
	for _, m := range a.chosen(id, roles) {
		m.suppressed = false
		a.place(m)
		if m.inLine() {
			a.dropFilters(m)
			a.wake(m)
		}
	}
}

// chosen is the subscribed members of a framework for roles, or for all of
// its roles.
func (a *Allocator) chosen(id ids.FrameworkID, roles []ids.Role) []*member {
	fw := a.frameworks[id]
	if fw == nil {
		return nil
	}
	wanted := setOf(roles)
	var chosen []*member
	for _, m := range fw.members {
		if m.subscribed && (len(roles) == 0 || wanted[m.role.path]) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

func setOf(roles []ids.Role) map[ids.Role]bool {
	set := make(map[ids.Role]bool, len(roles))
	for _, path := range roles {
		set[path] = true
	}
	return set
}

func (m *member) inLine() bool { return m.stand.at >= 0 }

// place puts m into line, or takes it out, as it should be.
func (a *Allocator) place(m *member) {
	wanted := m.framework.active && m.subscribed && !m.suppressed
	switch {
	case wanted && !m.inLine():
		a.tree.enter(m)
		a.wake(m)
	case !wanted && m.inLine():
		a.tree.leave(m)
		a.dropFilters(m)
	}
}

// wake has m asked about all agents.
func (a *Allocator) wake(m *member) {
	if !m.woken {
		m.woken = true
		m.role.woken++
		a.woken = append(a.woken, m)
	}
}

// framework finds a framework, or makes it.
func (a *Allocator) framework(id ids.FrameworkID) *framework {
	fw := a.frameworks[id]
	if fw == nil {
		fw = &framework{id: id, byRole: map[ids.Role]*member{}}
		a.frameworks[id] = fw
	}
	return fw
}

// member finds the member of a role that a framework is, or makes it.
func (a *Allocator) member(fw *framework, path ids.Role) *member {
	if m := fw.byRole[path]; m != nil {
		return m
	}
	r := a.tree.at(path)
	m := &member{framework: fw, role: r}
	m.stand = contender{role: r, member: m, name: string(fw.id), weight: 1, at: -1}
	r.memberCount++
	fw.members = append(fw.members, m)
	fw.byRole[path] = m
	return m
}

// prune forgets m if nothing is left of it, and then its role and framework.
func (a *Allocator) prune(m *member) {
	if m.subscribed || m.agents > 0 {
		return
	}
	fw := m.framework
	at := slices.Index(fw.members, m)
	fw.members = slices.Delete(fw.members, at, at+1)
	delete(fw.byRole, m.role.path)
	m.role.memberCount--
	a.tree.prune(m.role)
	a.pruneFramework(fw)
}

func (a *Allocator) pruneFramework(fw *framework) {
	if !fw.known && len(fw.members) == 0 {
		delete(a.frameworks, fw.id)
	}
}
