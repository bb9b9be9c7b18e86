package cluster

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/meseta/meseta/internal/core"
)

// deadlines keeps at most one deadline per key and finds the earliest. It holds nothing of keys whose
// deadline was cleared: a framework that comes and goes may name one that is years away each time.
type deadlines[K cmp.Ordered] struct {
	heap deadlineHeap[K]
}

type deadline[K cmp.Ordered] struct {
	at  time.Duration
	key K
}

func newDeadlines[K cmp.Ordered]() deadlines[K] {
	return deadlines[K]{deadlineHeap[K]{at: make(map[K]int)}}
}

// set gives a key a deadline, in place of the one it had.
func (d *deadlines[K]) set(k K, at time.Duration) {
	d.clear(k)
	heap.Push(&d.heap, deadline[K]{at, k})
}

// has tells whether a key has a deadline.
func (d *deadlines[K]) has(k K) bool { _, ok := d.heap.at[k]; return ok }

// clear takes a key's deadline away.
func (d *deadlines[K]) clear(k K) {
	if i, ok := d.heap.at[k]; ok {
		heap.Remove(&d.heap, i)
	}
}

// next is the earliest deadline, core.Never if there is none.
func (d *deadlines[K]) next() time.Duration {
	if d.heap.Len() == 0 {
		return core.Never
	}
	return d.heap.line[0].at
}

// pop takes out a key whose deadline has come; keys of one moment come in order.
func (d *deadlines[K]) pop(now time.Duration) (K, bool) {
	if d.next() > now {
		var none K
		return none, false
	}
	return heap.Pop(&d.heap).(deadline[K]).key, true
}

// deadlineHeap is deadlines, the earliest at the front, and where each stands.
type deadlineHeap[K cmp.Ordered] struct {
	line []deadline[K]
	at   map[K]int
}

func (h *deadlineHeap[K]) Len() int { return len(h.line) }
func (h *deadlineHeap[K]) Less(i, j int) bool {
	a, b := h.line[i], h.line[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) < 0
}
func (h *deadlineHeap[K]) Swap(i, j int) {
	h.line[i], h.line[j] = h.line[j], h.line[i]
	h.at[h.line[i].key], h.at[h.line[j].key] = i, j
}
func (h *deadlineHeap[K]) Push(x any) {
	d := x.(deadline[K])
	h.at[d.key] = len(h.line)
	h.line = append(h.line, d)
}
func (h *deadlineHeap[K]) Pop() any {
	last := h.line[len(h.line)-1]
	h.line = h.line[:len(h.line)-1]
	delete(h.at, last.key)
	return last
}
