package resources

import (
	"iter"
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// List is a bag of resources. What can be added is added: a List has at most
// one entry for any thing, and no empty one. Entries keep the order in which
// they first came, so that answers are the same every time.
//
// A List is immutable; the zero value is empty.
type List struct {
	items []Resource
}

// ListOf makes a List of the given resources.
func ListOf(items ...Resource) List {
	return List{}.addAll(items)
}

// IsEmpty says whether there is nothing in l.
func (l List) IsEmpty() bool { return len(l.items) == 0 }

// Len is the number of entries.
func (l List) Len() int { return len(l.items) }

// All yields the entries in order.
func (l List) All() iter.Seq[Resource] { return slices.Values(l.items) }

// Add is l and m together.
func (l List) Add(m List) List {
	if l.IsEmpty() {
		return m
	}
	if m.IsEmpty() {
		return l
	}
	return l.addAll(m.items)
}

func (l List) addAll(more []Resource) List {
	sum := make([]Resource, len(l.items), len(l.items)+len(more))
	copy(sum, l.items)
	for i := range more {
		r := &more[i]
		if r.IsEmpty() {
			continue
		}
		if at := index(sum, r, (*Resource).absorbs); at >= 0 {
			sum[at] = sum[at].plus(r)
		} else {
			sum = append(sum, *r)
		}
	}
	return List{items: sum}
}

// index finds the first of items that relates to r as asked, or gives -1.
// Resources go by pointer here: copying them would cost more than comparing.
func index(items []Resource, r *Resource, relates func(item, r *Resource) bool) int {
	for i := range items {
		if relates(&items[i], r) {
			return i
		}
	}
	return -1
}

// Sub is l without m. What m has and l has not makes no difference; use
// [List.Take] where that would be a mistake.
func (l List) Sub(m List) List {
	rest, _ := l.sub(m, false)
	return rest
}

// Take is l without m, if l contains m; otherwise it is l, and false.
func (l List) Take(m List) (List, bool) {
	return l.sub(m, true)
}

func (l List) sub(m List, strictly bool) (List, bool) {
	if m.IsEmpty() {
		return l, true
	}
	var room [6]Resource // usually enough; and often nothing is left that would need memory
	rest := append(room[:0], l.items...)
	for at := range m.items {
		r := &m.items[at]
		i := index(rest, r, (*Resource).matches)
		if strictly && (i < 0 || !rest[i].covers(r)) {
			return l, false
		}
		if i < 0 {
			continue
		}
		if left, some := rest[i].minus(r); some {
			rest[i] = left
		} else {
			rest = slices.Delete(rest, i, i+1)
		}
	}
	return List{items: append([]Resource(nil), rest...)}, true
}

// Contains says whether all of m is in l.
func (l List) Contains(m List) bool {
	if l.twice() || m.twice() {
		_, ok := l.Take(m)
		return ok
	}
	for i := range m.items {
		r := &m.items[i]
		if at := index(l.items, r, (*Resource).matches); at < 0 || !l.items[at].covers(r) {
			return false
		}
	}
	return true
}

// twice says whether l may have equal entries, which only whole things are: to
// compare such lists, entries have to be crossed off.
func (l List) twice() bool {
	for i := range l.items {
		if l.items[i].whole() {
			return true
		}
	}
	return false
}

// Equal says whether l and m hold the same, in whatever order.
func (l List) Equal(m List) bool {
	return len(l.items) == len(m.items) && l.Contains(m) && m.Contains(l)
}

// Filter is the part of l that keep is true for.
func (l List) Filter(keep func(Resource) bool) List {
	refused := slices.IndexFunc(l.items, func(r Resource) bool { return !keep(r) })
	if refused < 0 {
		return l
	}
	kept := slices.Clone(l.items[:refused])
	for _, r := range l.items[refused+1:] {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return List{items: kept}
}

// Reserved is the part of l that is reserved to role itself, not to a role
// above or below it.
func (l List) Reserved(role ids.Role) List {
	return l.Filter(func(r Resource) bool {
		reserved, ok := r.ReservedTo()
		return ok && reserved == role
	})
}

// Unreserved is the part of l that is reserved to nobody.
func (l List) Unreserved() List {
	return l.Filter(func(r Resource) bool { return !r.Reserved() })
}

// AllocatableTo is the part of l that role may have.
func (l List) AllocatableTo(role ids.Role) List {
	return l.Filter(func(r Resource) bool { return r.AllocatableTo(role) })
}

// Allocate is l in the hands of role.
func (l List) Allocate(role ids.Role) List {
	if l.IsEmpty() {
		return l
	}
	given := slices.Clone(l.items)
	mixed := false
	for i := range given {
		mixed = mixed || given[i].allocated != l.items[0].allocated
		given[i].allocated = role
	}
	if mixed { // what several roles had may now be one thing
		return ListOf(given...)
	}
	return List{items: given}
}

// Unallocated is l in nobody's hands.
func (l List) Unallocated() List {
	if !slices.ContainsFunc(l.items, func(r Resource) bool { return r.allocated != "" }) {
		return l
	}
	return l.Allocate("")
}

// AllocatedTo gives the role that has all of l. It is false when l is empty,
// when some of it is in nobody's hands, and when several roles share it.
func (l List) AllocatedTo() (ids.Role, bool) {
	if l.IsEmpty() || l.items[0].allocated == "" {
		return "", false
	}
	role := l.items[0].allocated
	for _, r := range l.items[1:] {
		if r.allocated != role {
			return "", false
		}
	}
	return role, true
}

// Scalar is the sum of all scalars of that name. A shared resource counts
// once, however many hold it.
func (l List) Scalar(name string) Scalar {
	var sum Scalar
	for _, r := range l.items {
		if r.name == name && r.kind == KindScalar {
			sum = sum.Plus(r.scalar)
		}
	}
	return sum
}

// Ranges is the union of all ranges of that name.
func (l List) Ranges(name string) Ranges {
	var sum Ranges
	for _, r := range l.items {
		if r.name == name && r.kind == KindRanges {
			sum = sum.Plus(r.Ranges())
		}
	}
	return sum
}

// Set is the union of all sets of that name.
func (l List) Set(name string) Set {
	var sum Set
	for _, r := range l.items {
		if r.name == name && r.kind == KindSet {
			sum = sum.Plus(r.Set())
		}
	}
	return sum
}

// Names yields each name in l once, in order of first appearance, with the
// kind that the first resource of that name has.
func (l List) Names() iter.Seq2[string, Kind] {
	return func(yield func(string, Kind) bool) {
		for i, r := range l.items {
			named := func(s Resource) bool { return s.name == r.name }
			if !slices.ContainsFunc(l.items[:i], named) && !yield(r.name, r.kind) {
				return
			}
		}
	}
}
