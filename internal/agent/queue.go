package agent

import "sync"

// queue is a queue that never refuses. What is put in is bounded by what the loop itself asked for. ready
// holds a token whenever something may be inside; whoever takes it looks.
type queue[T any] struct {
	ready chan struct{}

	mu    sync.Mutex
	items []T
}

func newQueue[T any]() queue[T] { return queue[T]{ready: make(chan struct{}, 1)} }

func (q *queue[T]) put(items ...T) {
	q.mu.Lock()
	q.items = append(q.items, items...)
	q.mu.Unlock()
	q.ring()
}

func (q *queue[T]) ring() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take takes one item, and rings for whoever may take the next.
func (q *queue[T]) take() (item T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item, false
	}
	item = q.items[0]
	var none T
	q.items[0] = none
	q.items = q.items[1:]
	if len(q.items) > 0 {
		q.ring()
	} else {
		q.items = nil
	}
	return item, true
}

// takeAll takes everything.
func (q *queue[T]) takeAll() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.items
	q.items = nil
	return all
}
