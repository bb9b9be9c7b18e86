package allocator

import (
	"fmt"
	"slices"

	"github.com/meseta/meseta/internal/resources"
)

// audit looks for anything in the books that contradicts anything else, and
// for things that should have been forgotten.
func (a *Allocator) audit() string {
	for _, check := range []func() string{a.auditAgents, a.auditMembers, a.auditTree, a.auditFilters} {
		if complaint := check(); complaint != "" {
			return complaint
		}
	}
	return ""
}

func (a *Allocator) auditAgents() string {
	if len(a.agents) != len(a.inOrder) || !slices.IsSortedFunc(a.inOrder, byArrival) {
		return "the agents are not in order"
	}
	var total amounts
	for _, ag := range a.inOrder {
		total.add(a.tree.count(ag.total), +1)
		var held resources.List
		for _, h := range ag.holdings {
			if role, ok := h.list.AllocatedTo(); !ok || role != h.member.role.path {
				return fmt.Sprintf("%s in %s holds %s", h.member.framework.id, h.member.role.path, h.list)
			}
			held = held.Add(h.list.Unallocated())
		}
		if !held.Equal(ag.held) {
			return fmt.Sprintf("%s is held of %s, but %s by somebody", ag.held, ag.id, held)
		}
		if over := !ag.total.Contains(exclusive(held)); !over && !exclusive(ag.idle).Add(exclusive(held)).Equal(exclusive(ag.total)) {
			return fmt.Sprintf("%s idle and %s held are not the total of %s: %s", ag.idle, held, ag.id, ag.total)
		}
	}
	for i, n := range total {
		if a.tree.total[i] != n {
			return fmt.Sprintf("the total is %v and should be %v", a.tree.total, total)
		}
	}
	return ""
}

func (a *Allocator) auditMembers() string {
	for id, fw := range a.frameworks {
		if !fw.known && len(fw.members) == 0 {
			return fmt.Sprintf("framework %s should have been forgotten", id)
		}
		for _, m := range fw.members {
			if fw.byRole[m.role.path] != m || a.tree.roles[m.role.path] != m.role {
				return fmt.Sprintf("framework %s has lost itself in %s", id, m.role.path)
			}
			if !m.subscribed && m.agents == 0 {
				return fmt.Sprintf("framework %s should have left %s", id, m.role.path)
			}
			if wanted := fw.active && m.subscribed && !m.suppressed; wanted != m.inLine() {
				return fmt.Sprintf("framework %s stands in the line of %s: %v", id, m.role.path, m.inLine())
			}
			if complaint := a.auditHeld(m); complaint != "" {
				return complaint
			}
		}
	}
	return ""
}

func (a *Allocator) auditHeld(m *member) string {
	var held amounts
	agents := 0
	for _, ag := range a.inOrder {
		if l := ag.heldBy(m); !l.IsEmpty() {
			held.add(a.tree.count(l), +1)
			agents++
		}
	}
	if agents != m.agents {
		return fmt.Sprintf("%s in %s holds something on %d agents, not %d", m.framework.id, m.role.path, agents, m.agents)
	}
	held.add(m.stand.held, -1)
	if slices.ContainsFunc(held, func(n int64) bool { return n != 0 }) {
		return fmt.Sprintf("%s in %s is charged %v wrongly", m.framework.id, m.role.path, held)
	}
	return ""
}

func (a *Allocator) auditTree() string {
	members, children := map[*role]int{}, map[*role]int{}
	for _, fw := range a.frameworks {
		for _, m := range fw.members {
			members[m.role]++
		}
	}
	for _, r := range a.tree.roles {
		children[r.parent]++
	}
	for path, r := range a.tree.roles {
		if r.memberCount != members[r] || r.children != children[r] || r.memberCount+r.children == 0 {
			return fmt.Sprintf("role %s has %d members and %d children, not %d and %d", path, members[r], children[r], r.memberCount, r.children)
		}
		if (r.own.at >= 0) != (len(r.members) > 0) || (r.stand.at >= 0) != (len(r.line) > 0) {
			return fmt.Sprintf("role %s stands in a line without reason, or not in one", path)
		}
		if complaint := a.auditLine(r.members) + a.auditLine(r.line); complaint != "" {
			return complaint
		}
	}
	return a.auditLine(a.tree.root.line)
}

func (a *Allocator) auditLine(l line) string {
	for i, c := range l {
		if c.at != i {
			return fmt.Sprintf("%s stands at %d and thinks at %d", c.name, i, c.at)
		}
		if a.tree.stale {
			continue
		}
		if share := c.held.dominant(a.tree.total) / c.weight; share != c.share {
			return fmt.Sprintf("%s has the share %g, not %g", c.name, share, c.share)
		}
		if i > 0 && before(l[i-1], c) >= 0 {
			return fmt.Sprintf("%s stands behind %s", c.name, l[i-1].name)
		}
	}
	return ""
}

func (a *Allocator) auditFilters() string {
	count := 0
	for _, fw := range a.frameworks {
		for _, m := range fw.members {
			for ag, filters := range m.filters {
				if !m.inLine() || len(filters) == 0 || a.agents[ag.id] != ag {
					return fmt.Sprintf("%s in %s has a filter on %s for nothing", fw.id, m.role.path, ag.id)
				}
				count += len(filters)
			}
		}
	}
	for i, f := range a.filters {
		if f.at != i || !slices.Contains(f.member.filters[f.agent], f) {
			return fmt.Sprintf("the filter at %d is not where it should be", i)
		}
	}
	if count != len(a.filters) {
		return fmt.Sprintf("%d filters expire, and %d apply", len(a.filters), count)
	}
	return ""
}
