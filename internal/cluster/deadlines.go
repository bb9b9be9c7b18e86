package cluster

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/meseta/meseta/internal/core"
)

// deadlines keeps at most one deadline per key and finds the earliest.
type deadlines[K cmp.Ordered] struct {
	heap deadlineHeap[K]
	at   map[K]time.Duration
}

type deadline[K cmp.Ordered] struct {
	at  time.Duration
	key K
}

func newDeadlines[K cmp.Ordered]() deadlines[K] {
	return deadlines[K]{at: make(map[K]time.Duration)}
}

// set gives a key a deadline, in place of the one it had.
func (d *deadlines[K]) set(k K, at time.Duration) {
	d.at[k] = at
	heap.Push(&d.heap, deadline[K]{at, k})
}

// has tells whether a key has a deadline.
func (d *deadlines[K]) has(k K) bool { _, ok := d.at[k]; return ok }

// clear takes a key's deadline away.
func (d *deadlines[K]) clear(k K) { delete(d.at, k) }

// next is the earliest deadline, core.Never if there is none.
func (d *deadlines[K]) next() time.Duration {
	d.dropStale()
	if len(d.heap) == 0 {
		return core.Never
	}
	return d.heap[0].at
}

// pop takes out a key whose deadline has come; keys of one moment come in order.
func (d *deadlines[K]) pop(now time.Duration) (K, bool) {
	d.dropStale()
	if len(d.heap) == 0 || d.heap[0].at > now {
		var none K
		return none, false
	}
	k := heap.Pop(&d.heap).(deadline[K]).key
	delete(d.at, k)
	return k, true
}

// dropStale removes what was cleared or replaced from the front of the heap.
func (d *deadlines[K]) dropStale() {
	for len(d.heap) > 0 {
		if at, ok := d.at[d.heap[0].key]; ok && at == d.heap[0].at {
			return
		}
		heap.Pop(&d.heap)
	}
}

type deadlineHeap[K cmp.Ordered] []deadline[K]

func (h deadlineHeap[K]) Len() int { return len(h) }
func (h deadlineHeap[K]) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].key, h[j].key)) < 0
}
func (h deadlineHeap[K]) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *deadlineHeap[K]) Push(x any)   { *h = append(*h, x.(deadline[K])) }
func (h *deadlineHeap[K]) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
