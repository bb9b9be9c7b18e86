package allocator

import (
	"cmp"
	"slices"

	"github.com/meseta/meseta/internal/resources"
)

// amounts are sums of scalars, by the number that the tree gives to each name.
// They are integers, and only ever added to and subtracted from.
type amounts []int64

// add adds sign × the scalars of delta.
func (v *amounts) add(delta amounts, sign int64) {
	if missing := len(delta) - len(*v); missing > 0 {
		*v = append(*v, make(amounts, missing)...)
	}
	for i, n := range delta {
		(*v)[i] += sign * n
	}
}

// dominant is the largest fraction that v is of any amount in total.
func (v amounts) dominant(total amounts) float64 {
	share := 0.0
	for i, n := range v {
		if total[i] > 0 {
			share = max(share, float64(n)/float64(total[i]))
		}
	}
	return share
}

// contender is one that stands in a line: a framework among those of its role,
// a role among its siblings, or a role's own frameworks, all together, among
// the roles below it.
type contender struct {
	role   *role
	member *member // nil unless it is a framework
	name   string  // the last word among equals
	weight float64
	held   amounts
	share  float64 // of held in the cluster, divided by weight
	served uint64  // when it was last given something; the later, the larger
	at     int     // its place in the line, or -1 while it is in none
}

// before compares by who is to be served first.
func before(c, d *contender) int {
	return cmp.Or(cmp.Compare(c.share, d.share), cmp.Compare(c.served, d.served), cmp.Compare(c.name, d.name))
}

// line is contenders in the order in which they are to be served.
//
// The naive way, sorting whenever somebody is to be served, costs a sort for
// each agent. But serving one changes the place of one, in each line on the
// way up, and usually by a few steps: he is moved, and the line stays sorted.
type line []*contender

// enter puts c into its place.
func (l *line) enter(c *contender) {
	c.at = len(*l)
	*l = append(*l, c)
	l.move(c)
}

// leave takes c out.
func (l *line) leave(c *contender) {
	*l = slices.Delete(*l, c.at, c.at+1)
	for i := c.at; i < len(*l); i++ {
		(*l)[i].at = i
	}
	c.at = -1
}

// move brings c, whose share or turn has changed, to its place.
func (l line) move(c *contender) {
	for c.at > 0 && before(c, l[c.at-1]) < 0 {
		l.swap(c.at, c.at-1)
	}
	for c.at+1 < len(l) && before(l[c.at+1], c) < 0 {
		l.swap(c.at, c.at+1)
	}
}

func (l line) swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].at, l[j].at = i, j
}

// sort brings everybody to his place.
func (l line) sort() {
	slices.SortFunc(l, before)
	for i, c := range l {
		c.at = i
	}
}

// countable says whether r counts towards anybody's share. What is shared is
// in nobody's hands alone.
func countable(r resources.Resource) bool {
	return r.Kind() == resources.KindScalar && !r.Shared()
}
