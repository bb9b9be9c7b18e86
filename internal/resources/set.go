package resources

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Set is a set of words. It is kept in order; the zero value is empty.
type Set struct {
	items []string
}

// NewSet makes a Set of the given words. It refuses a word that comes twice,
// and more than [MaxItems] of them.
func NewSet(items ...string) (Set, error) {
	if len(items) > MaxItems {
		return Set{}, fmt.Errorf("%d items are more than the %d that one set may have", len(items), MaxItems)
	}
	sorted := slices.Sorted(slices.Values(items))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return Set{}, fmt.Errorf("item %q comes twice in the set", sorted[i])
		}
	}
	return Set{items: sorted}, nil
}

// IsEmpty says whether s holds no word.
func (s Set) IsEmpty() bool { return len(s.items) == 0 }

// Len is the number of words in s.
func (s Set) Len() int { return len(s.items) }

// All yields the words in order.
func (s Set) All() iter.Seq[string] { return slices.Values(s.items) }

// Has says whether s holds item.
func (s Set) Has(item string) bool {
	_, found := slices.BinarySearch(s.items, item)
	return found
}

// Equal says whether s and t hold the same words.
func (s Set) Equal(t Set) bool { return slices.Equal(s.items, t.items) }

// Contains says whether s holds every word of t.
func (s Set) Contains(t Set) bool {
	for _, item := range t.items {
		if !s.Has(item) {
			return false
		}
	}
	return true
}

// Plus is the union of s and t.
func (s Set) Plus(t Set) Set {
	if s.IsEmpty() {
		return t
	}
	if t.IsEmpty() {
		return s
	}
	merged := slices.Concat(s.items, t.items)
	slices.Sort(merged)
	return Set{items: slices.Compact(merged)}
}

// Minus is s without the words of t.
func (s Set) Minus(t Set) Set {
	if s.IsEmpty() || t.IsEmpty() {
		return s
	}
	return Set{items: slices.DeleteFunc(slices.Clone(s.items), t.Has)}
}

// String prints s as "{a, b}".
func (s Set) String() string { return "{" + strings.Join(s.items, ", ") + "}" }
