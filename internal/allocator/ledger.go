package allocator

import (
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Adopt says that a framework holds resources which were not given to it here:
// tasks of an agent that registers with a new master. The resources are
// allocated to the roles that they were offered to. The framework need not be
// known, it may come later.
func (a *Allocator) Adopt(framework ids.FrameworkID, agent ids.AgentID, held resources.List) error {
	ag := a.agents[agent]
	if ag == nil {
		return fmt.Errorf("agent %s is not known, so %s on it cannot be held", agent, held)
	}
	parts, err := byRole(held)
	if err != nil {
		return err
	}
	for _, part := range parts {
		a.hold(ag, a.member(a.framework(framework), part.role), part.list, part.list.Unallocated())
	}
	return nil
}

// Recover says that a framework no longer holds resources: an offer was
// declined or rescinded, a task has ended. The resources are allocated to the
// roles that they were offered to. If refuse is not 0, the framework does not
// want to be offered them, or part of them, for that long; [RefusalTime] gives
// it from what the framework says.
//
// It is an error if the framework does not hold them, and then nothing is
// recovered.
func (a *Allocator) Recover(now core.Time, framework ids.FrameworkID, agent ids.AgentID, held resources.List, refuse time.Duration) error {
	ag, fw := a.agents[agent], a.frameworks[framework]
	if ag == nil || fw == nil {
		return fmt.Errorf("%s on agent %s is not held by framework %s, for one of them is not known", held, agent, framework)
	}
	parts, err := byRole(held)
	if err != nil {
		return err
	}
	for _, part := range parts {
		m := fw.byRole[part.role]
		if m == nil || !ag.heldBy(m).Contains(part.list) {
			return fmt.Errorf("framework %s does not hold %s on agent %s", framework, part.list, agent)
		}
	}
	for _, part := range parts {
		m := fw.byRole[part.role]
		a.release(ag, m, part.list)
		if refuse > 0 && m.inLine() {
			a.refuse(m, ag, part.list.Unallocated(), now.Mono+refuse)
		}
		a.prune(m)
	}
	return nil
}

// hold writes l, which is allocated to m's role, to m's account. The same
// unallocated is free, which callers have at hand.
func (a *Allocator) hold(ag *agent, m *member, l, free resources.List) {
	at := slices.IndexFunc(ag.holdings, func(h holding) bool { return h.member == m })
	if at < 0 {
		at = len(ag.holdings)
		ag.holdings = append(ag.holdings, holding{member: m})
		m.agents++
	}
	ag.holdings[at].list = ag.holdings[at].list.Add(l)
	ag.held = ag.held.Add(free)
	a.reckonIdle(ag)
	a.tree.charge(m, l, +1)
}

// release takes l, which m holds, from m's account.
func (a *Allocator) release(ag *agent, m *member, l resources.List) {
	at := slices.IndexFunc(ag.holdings, func(h holding) bool { return h.member == m })
	ag.holdings[at].list = ag.holdings[at].list.Sub(l)
	if ag.holdings[at].list.IsEmpty() {
		ag.holdings = slices.Delete(ag.holdings, at, at+1)
		m.agents--
	}
	ag.held = ag.held.Sub(l.Unallocated())
	a.reckonIdle(ag)
	a.tree.charge(m, l, -1)
	a.change(ag)
}

// heldBy is what m holds of ag.
func (ag *agent) heldBy(m *member) resources.List {
	for _, h := range ag.holdings {
		if h.member == m {
			return h.list
		}
	}
	return resources.List{}
}

// rolePart is the part of a list that is allocated to one role.
type rolePart struct {
	role ids.Role
	list resources.List
}

// byRole splits l by the roles that it is allocated to; usually there is one.
func byRole(l resources.List) ([]rolePart, error) {
	if role, ok := l.AllocatedTo(); ok {
		return []rolePart{{role, l}}, nil
	}
	var parts []rolePart
	for r := range l.All() {
		role := r.Allocated()
		if role == "" {
			return nil, fmt.Errorf("%s is not allocated to a role, so nobody can hold it", r)
		}
		if slices.ContainsFunc(parts, func(p rolePart) bool { return p.role == role }) {
			continue
		}
		parts = append(parts, rolePart{role, l.Filter(func(r resources.Resource) bool { return r.Allocated() == role })})
	}
	return parts, nil
}
