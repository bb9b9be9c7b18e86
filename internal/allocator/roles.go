package allocator

import (
	"fmt"
	"iter"
	"math"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// tree is the roles that anybody is in, with the lines in which they and their
// frameworks stand:
//
//	root:     ops, eng                in the order of their shares
//	eng:      eng/b, its own, eng/a   its own frameworks stand there as one
//	eng, own: f7, f2                  the frameworks of that very role
//
// Only who may be offered something stands in a line, so that walking the
// lines never meets a role in which there is nobody to serve. Roles whose
// frameworks have all gone, and hold nothing more, are forgotten.
type tree struct {
	root    *role
	roles   map[ids.Role]*role
	weights map[ids.Role]float64 // as set; roles come and go, their weights stay
	numbers map[string]int       // resource names to places in amounts
	total   amounts              // of all agents
	stale   bool                 // total has changed, and all shares with it
	turn    uint64
	counted amounts // room for count
}

// role is a node of the tree.
type role struct {
	path     ids.Role
	parent   *role // nil for the root
	children int   // roles right below, in line or not

	stand contender // among its siblings, for its whole subtree
	own   contender // among the roles below it, for its own frameworks
	line  line      // own, and the stands of the roles below

	members     line // frameworks of this very role
	memberCount int  // including those that are not in line
	woken       int  // members that are
}

func newTree() tree {
	return tree{
		root:    &role{},
		roles:   map[ids.Role]*role{},
		weights: map[ids.Role]float64{},
		numbers: map[string]int{},
	}
}

// at finds the role of that path, or makes it and those above it.
func (t *tree) at(path ids.Role) *role {
	if r := t.roles[path]; r != nil {
		return r
	}
	parent := t.root
	if above, ok := path.Parent(); ok {
		parent = t.at(above)
	}
	weight, set := t.weights[path]
	if !set {
		weight = 1
	}
	r := &role{path: path, parent: parent}
	r.stand = contender{role: r, name: string(path), weight: weight, at: -1}
	r.own = contender{role: r, weight: 1, at: -1}
	parent.children++
	t.roles[path] = r
	return r
}

// prune forgets r, and those above it, if nobody is in them any more.
func (t *tree) prune(r *role) {
	for r != t.root && r.memberCount == 0 && r.children == 0 {
		delete(t.roles, r.path)
		r.parent.children--
		r = r.parent
	}
}

// enter puts m into the line of its role, and the roles above it into theirs
// if they were not.
func (t *tree) enter(m *member) {
	r := m.role
	t.weigh(&m.stand)
	r.members.enter(&m.stand)
	if r.own.at >= 0 {
		return
	}
	t.weigh(&r.own)
	r.line.enter(&r.own)
	for ; r != t.root && r.stand.at < 0; r = r.parent {
		t.weigh(&r.stand)
		r.parent.line.enter(&r.stand)
	}
}

// leave is the reverse of enter.
func (t *tree) leave(m *member) {
	r := m.role
	r.members.leave(&m.stand)
	if len(r.members) > 0 {
		return
	}
	r.line.leave(&r.own)
	for ; r != t.root && len(r.line) == 0; r = r.parent {
		r.parent.line.leave(&r.stand)
	}
}

// inOrder yields the members in the order in which they are to be served: from
// the topmost line down, each line from the front.
func (t *tree) inOrder(wokenOnly bool) iter.Seq[*member] {
	return func(yield func(*member) bool) { t.root.each(wokenOnly, yield) }
}

func (r *role) each(wokenOnly bool, yield func(*member) bool) bool {
	for _, c := range r.line {
		if c.role != r {
			if !c.role.each(wokenOnly, yield) {
				return false
			}
			continue
		}
		if wokenOnly && r.woken == 0 {
			continue
		}
		for _, s := range r.members {
			if (!wokenOnly || s.member.woken) && !yield(s.member) {
				return false
			}
		}
	}
	return true
}

// count gives the scalars in l as amounts, which are good until the next count.
func (t *tree) count(l resources.List) amounts {
	sum := t.counted[:0]
	for r := range l.All() {
		if !countable(r) {
			continue
		}
		number, known := t.numbers[r.Name()]
		if !known {
			number = len(t.numbers)
			t.numbers[r.Name()] = number
			t.total = append(t.total, 0)
		}
		for len(sum) <= number {
			sum = append(sum, 0)
		}
		sum[number] += int64(r.Scalar())
	}
	t.counted = sum
	return sum
}

// charge says that m holds l more, or less if sign is -1.
func (t *tree) charge(m *member, l resources.List, sign int64) {
	delta := t.count(l)
	for c := range m.standing() {
		c.held.add(delta, sign)
	}
	t.restand(m)
}

// serve says that it is m's turn, and that of the roles above it. What m is
// given then is charged, which brings everybody to his place.
func (t *tree) serve(m *member) {
	t.turn++
	for c := range m.standing() {
		c.served = t.turn
	}
}

// standing yields the contenders through which m stands in lines, upwards, and
// the lines.
func (m *member) standing() iter.Seq2[*contender, line] {
	return func(yield func(*contender, line) bool) {
		r := m.role
		if !yield(&m.stand, r.members) || !yield(&r.own, r.line) {
			return
		}
		for ; r.parent != nil; r = r.parent {
			if !yield(&r.stand, r.parent.line) {
				return
			}
		}
	}
}

// restand brings m, and the roles above it, to their places. While all shares
// are out of date anyway that can wait.
func (t *tree) restand(m *member) {
	if t.stale {
		return
	}
	for c, line := range m.standing() {
		t.weigh(c)
		if c.at >= 0 {
			line.move(c)
		}
	}
}

func (t *tree) weigh(c *contender) {
	c.share = c.held.dominant(t.total) / c.weight
}

// capacity says that the cluster has so much more, or less if sign is -1.
func (t *tree) capacity(delta amounts, sign int64) {
	t.total.add(delta, sign)
	t.stale = true
}

// refresh brings all lines up to date, if the cluster has grown or shrunk.
func (t *tree) refresh() {
	if t.stale {
		t.stale = false
		t.refreshLines(t.root)
	}
}

func (t *tree) refreshLines(r *role) {
	for _, c := range r.line {
		t.weigh(c)
		if c.role != r {
			t.refreshLines(c.role)
		}
	}
	r.line.sort()
	for _, c := range r.members {
		t.weigh(c)
	}
	r.members.sort()
}

// SetWeight says how much more than a role of weight 1 a role may have before
// it counts as having as much.
func (a *Allocator) SetWeight(path ids.Role, weight float64) error {
	if !(weight > 0) || math.IsInf(weight, 1) {
		return fmt.Errorf("the weight %g of role '%s' is not a positive number", weight, path)
	}
	a.tree.weights[path] = weight
	if weight == 1 {
		delete(a.tree.weights, path)
	}
	if r := a.tree.roles[path]; r != nil {
		r.stand.weight = weight
		a.tree.stale = true
	}
	return nil
}

// Share is the share of the cluster that a role and those below it hold: the
// largest fraction of any resource, not divided by its weight.
func (a *Allocator) Share(path ids.Role) float64 {
	r := a.tree.roles[path]
	if r == nil {
		return 0
	}
	return r.stand.held.dominant(a.tree.total)
}
