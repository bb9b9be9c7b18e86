// Package mailbox keeps the callbacks that a driver still has to make. Its one rule is the SDK's promise
// to authors: callbacks are made one at a time, in the order in which things happened.
//
// A Mailbox is part of a pure core: it has no lock and starts nothing. It knows how much it holds and
// refuses nothing; its owner asks Full and stops the source, and starts it again when Drained.
package mailbox

// Mailbox is a first-in, first-out queue of callbacks of which at most one is out.
type Mailbox[T any] struct {
	limits Limits

	items []entry[T] // items[head:] are waiting
	head  int
	bytes int  // sum of the waiting entries' sizes
	out   bool // one has been taken and has not returned
}

type entry[T any] struct {
	item T
	size int
}

// Limits say when a Mailbox counts as full.
type Limits struct {
	Items int // waiting callbacks
	Bytes int // their encoded size
}

// New makes an empty Mailbox.
func New[T any](limits Limits) *Mailbox[T] {
	return &Mailbox[T]{limits: limits}
}

// Put adds a callback, whose event took size bytes on the wire.
func (m *Mailbox[T]) Put(item T, size int) {
	m.items = append(m.items, entry[T]{item, size})
	m.bytes += size
}

// Take gives the next callback to make, unless one is out already or none waits.
func (m *Mailbox[T]) Take() (item T, ok bool) {
	if m.out || m.Len() == 0 {
		return item, false
	}
	e := m.items[m.head]
	m.items[m.head] = entry[T]{} // for the garbage collector
	m.head++
	m.bytes -= e.size
	m.out = true
	m.compact()
	return e.item, true
}

// Returned says that the callback which was out has returned.
func (m *Mailbox[T]) Returned() { m.out = false }

// Busy says whether a callback is out.
func (m *Mailbox[T]) Busy() bool { return m.out }

// Len is the number of waiting callbacks.
func (m *Mailbox[T]) Len() int { return len(m.items) - m.head }

// Full says that no more should be put in. It counts waiting callbacks only.
func (m *Mailbox[T]) Full() bool {
	return m.Len() >= m.limits.Items || m.bytes >= m.limits.Bytes
}

// Drained says that at most half of what makes it full is waiting. The gap between Full and Drained keeps
// its owner from stopping and starting the source with each callback.
func (m *Mailbox[T]) Drained() bool {
	return m.Len() <= m.limits.Items/2 && m.bytes <= m.limits.Bytes/2
}

// Drop removes the waiting callbacks that match.
func (m *Mailbox[T]) Drop(match func(T) bool) {
	kept := m.items[:0]
	m.bytes = 0
	for _, e := range m.items[m.head:] {
		if !match(e.item) {
			kept = append(kept, e)
			m.bytes += e.size
		}
	}
	clear(m.items[len(kept):])
	m.items, m.head = kept, 0
}

// Clear removes all waiting callbacks.
func (m *Mailbox[T]) Clear() {
	m.items, m.head, m.bytes = nil, 0, 0
}

// compact moves the waiting entries to the front once the taken ones outnumber them, so that each entry is
// moved at most once for each one taken.
func (m *Mailbox[T]) compact() {
	if m.head < len(m.items)-m.head {
		return
	}
	n := copy(m.items, m.items[m.head:])
	clear(m.items[n:])
	m.items, m.head = m.items[:n], 0
}
