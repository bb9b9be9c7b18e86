package executorcore

import (
	"container/list"
	"iter"
)

// ordered is a map that remembers the order of its keys. Its zero value is empty.
type ordered[K comparable, V any] struct {
	index map[K]*list.Element
	list  list.List // of item[K, V]
}

type item[K comparable, V any] struct {
	key   K
	value V
}

// add adds a value at the end, unless its key is there.
func (o *ordered[K, V]) add(key K, value V) bool {
	if _, there := o.index[key]; there {
		return false
	}
	if o.index == nil {
		o.index = make(map[K]*list.Element)
	}
	o.index[key] = o.list.PushBack(item[K, V]{key, value})
	return true
}

// remove removes a key, if it is there.
func (o *ordered[K, V]) remove(key K) {
	if e, there := o.index[key]; there {
		o.list.Remove(e)
		delete(o.index, key)
	}
}

// len is the number of values.
func (o *ordered[K, V]) len() int { return len(o.index) }

// values are the values in the order in which they were added.
func (o *ordered[K, V]) values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for e := o.list.Front(); e != nil; e = e.Next() {
			if !yield(e.Value.(item[K, V]).value) {
				return
			}
		}
	}
}
