// Package agenda keeps what will happen, in the order in which it will: the heart of anything that runs on
// virtual time.
package agenda

import "time"

// Agenda is what will happen. Its zero value is empty.
type Agenda[T any] struct {
	heap []event[T]
	seq  uint64
}

// event holds values, which spares an allocation for each.
type event[T any] struct {
	at   time.Duration
	seq  uint64 // what happens at the same moment happens in the order in which it was arranged
	what T
}

// Empty says that nothing will happen.
func (a *Agenda[T]) Empty() bool { return len(a.heap) == 0 }

// Next is the moment of what happens next. The agenda must not be empty.
func (a *Agenda[T]) Next() time.Duration { return a.heap[0].at }

func (a *Agenda[T]) before(i, j int) bool {
	h := a.heap
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}

// Put arranges for something to happen.
func (a *Agenda[T]) Put(at time.Duration, what T) {
	a.seq++
	a.heap = append(a.heap, event[T]{at, a.seq, what})
	h := a.heap
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a.before(i, parent) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

// Take takes out what happens next. The agenda must not be empty.
func (a *Agenda[T]) Take() (at time.Duration, what T) {
	h := a.heap
	first, last := h[0], len(h)-1
	h[0] = h[last]
	h[last] = event[T]{}
	h = h[:last]
	a.heap = h
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && a.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first.at, first.what
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
