package master

import "sync"

// inbox is a queue that its owner empties as a whole. Putting something in never blocks.
type inbox[T any] struct {
	mu     sync.Mutex
	queue  []T           // guarded by mu
	signal chan struct{} // holds one token when the queue may not be empty
}

func newInbox[T any]() inbox[T] { return inbox[T]{signal: make(chan struct{}, 1)} }

// put puts something in and returns how much waits now.
func (b *inbox[T]) put(what T) int {
	b.mu.Lock()
	b.queue = append(b.queue, what)
	waiting := len(b.queue)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
	return waiting
}

// take empties the queue.
func (b *inbox[T]) take() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.queue
	b.queue = nil
	return all
}
