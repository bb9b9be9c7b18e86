package cluster

import (
	"cmp"
	"iter"
	"slices"
)

// pageSize is the number of entries that are copied when a page changes after a snapshot.
const pageSize = 1024

// Table keeps immutable entries in the order of their creation and finds them by key. Replacing an
// entry leaves every snapshot as it was: snapshots share pages with the table, and a page that a
// snapshot holds is copied before its first change. A page without entries is dropped wherever it
// stands, so that one entry that stays for ever does not keep all that came and went behind it.
type Table[K comparable, V any] struct {
	pages []*page[V] // by number; all have entries, but for the last one, which may be empty
	next  int        // position of the next new entry, counted from the very first one
	at    map[K]int  // positions
	epoch uint64
}

type page[V any] struct {
	epoch  uint64 // of the table when the page was made; older means shared with a snapshot
	number int    // of its first position, in pages
	live   int
	slots  [pageSize]*V
}

// NewTable returns an empty table.
func NewTable[K comparable, V any]() *Table[K, V] {
	return &Table[K, V]{at: make(map[K]int)}
}

// Len is the number of entries.
func (t *Table[K, V]) Len() int { return len(t.at) }

// Get finds an entry, or nil.
func (t *Table[K, V]) Get(k K) *V {
	i, ok := t.at[k]
	if !ok {
		return nil
	}
	return t.pages[t.find(i/pageSize)].slots[i%pageSize]
}

// Put publishes an entry: at the end if the key is new, in the place of its former value otherwise.
// Neither side may change it from here on.
func (t *Table[K, V]) Put(k K, v *V) {
	i, known := t.at[k]
	if !known {
		i = t.next
		t.next++
		t.at[k] = i
		if i%pageSize == 0 {
			t.turn(i / pageSize)
		}
	}
	p := t.own(t.find(i / pageSize))
	if !known {
		p.live++
	}
	p.slots[i%pageSize] = v
}

// Delete removes an entry, if it is there.
func (t *Table[K, V]) Delete(k K) {
	i, ok := t.at[k]
	if !ok {
		return
	}
	delete(t.at, k)
	n := t.find(i / pageSize)
	p := t.own(n)
	p.slots[i%pageSize] = nil
	p.live--
	if p.live == 0 && n < len(t.pages)-1 {
		t.pages = slices.Delete(t.pages, n, n+1)
	}
}

// turn begins a page.
func (t *Table[K, V]) turn(number int) {
	if last := len(t.pages) - 1; last >= 0 && t.pages[last].live == 0 {
		t.pages = t.pages[:last]
	}
	t.pages = append(t.pages, &page[V]{epoch: t.epoch, number: number})
}

// find is where the page of a number stands. It is where it would be if none had been dropped, or
// before that.
func (t *Table[K, V]) find(number int) int {
	most := number - t.pages[0].number
	if most < len(t.pages) && t.pages[most].number == number {
		return most
	}
	n, _ := slices.BinarySearchFunc(t.pages, number, func(p *page[V], number int) int { return cmp.Compare(p.number, number) })
	return n
}

// own returns the page for writing.
func (t *Table[K, V]) own(n int) *page[V] {
	p := t.pages[n]
	if p.epoch != t.epoch {
		c := *p
		c.epoch = t.epoch
		p = &c
		t.pages[n] = p
	}
	return p
}

// All walks the entries in the order of their creation. The table must not change meanwhile.
func (t *Table[K, V]) All() iter.Seq[*V] { return all(t.pages) }

// Snapshot is a frozen view of a table; it may be read by anyone, at any time.
type Snapshot[V any] struct{ pages []*page[V] }

// Snapshot freezes the table as it is. Its cost is that of copying the page table.
func (t *Table[K, V]) Snapshot() Snapshot[V] {
	t.epoch++
	return Snapshot[V]{pages: slices.Clone(t.pages)}
}

// All walks the entries in the order of their creation.
func (s Snapshot[V]) All() iter.Seq[*V] { return all(s.pages) }

func all[V any](pages []*page[V]) iter.Seq[*V] {
	return func(yield func(*V) bool) {
		for _, p := range pages {
			for _, v := range p.slots {
				if v != nil && !yield(v) {
					return
				}
			}
		}
	}
}
