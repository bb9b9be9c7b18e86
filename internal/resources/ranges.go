package resources

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
)

// Range is the whole numbers from Begin to End, both included.
type Range struct {
	Begin, End uint64
}

// Ranges is a set of whole numbers, such as the ports of an agent. It is kept
// as ranges that are in order and do not touch; the zero value is empty.
type Ranges struct {
	list []Range
}

// NewRanges makes Ranges of the given ones, in any order. It refuses ranges
// that end before they begin, that overlap, and more than [MaxRanges] of them.
func NewRanges(ranges ...Range) (Ranges, error) {
	if err := checkRanges(ranges); err != nil {
		return Ranges{}, err
	}
	sorted := sortedRanges(ranges)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Begin <= sorted[i-1].End {
			return Ranges{}, fmt.Errorf("ranges %s and %s overlap", sorted[i-1], sorted[i])
		}
	}
	return Ranges{list: coalesce(sorted)}, nil
}

// unionOf is NewRanges for ranges that may overlap.
func unionOf(ranges []Range) (Ranges, error) {
	if err := checkRanges(ranges); err != nil {
		return Ranges{}, err
	}
	return Ranges{list: coalesce(sortedRanges(ranges))}, nil
}

func checkRanges(ranges []Range) error {
	if len(ranges) > MaxRanges {
		return fmt.Errorf("%d ranges are more than the %d that one resource may have", len(ranges), MaxRanges)
	}
	for _, r := range ranges {
		if r.Begin > r.End {
			return fmt.Errorf("range %s ends before it begins", r)
		}
	}
	return nil
}

func sortedRanges(ranges []Range) []Range {
	return slices.SortedFunc(slices.Values(ranges), func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End))
	})
}

// coalesce joins neighbours that overlap or touch, in place.
func coalesce(sorted []Range) []Range {
	joined := sorted[:0]
	for _, r := range sorted {
		if n := len(joined); n > 0 && (r.Begin == 0 || r.Begin-1 <= joined[n-1].End) {
			joined[n-1].End = max(joined[n-1].End, r.End)
		} else {
			joined = append(joined, r)
		}
	}
	return joined
}

// IsEmpty says whether r holds no number.
func (r Ranges) IsEmpty() bool { return len(r.list) == 0 }

// Len is the number of ranges.
func (r Ranges) Len() int { return len(r.list) }

// All yields the ranges in order.
func (r Ranges) All() iter.Seq[Range] { return slices.Values(r.list) }

// Count is the number of numbers in r. All 2^64 of them count as one less.
func (r Ranges) Count() uint64 {
	var n uint64
	for _, one := range r.list {
		size := one.End - one.Begin + 1
		if size == 0 {
			return math.MaxUint64
		}
		n += size
	}
	return n
}

// Equal says whether r and s hold the same numbers.
func (r Ranges) Equal(s Ranges) bool { return slices.Equal(r.list, s.list) }

// Contains says whether r holds every number of s.
func (r Ranges) Contains(s Ranges) bool {
	i := 0
	for _, want := range s.list {
		for i < len(r.list) && r.list[i].End < want.Begin {
			i++
		}
		if i == len(r.list) || want.Begin < r.list[i].Begin || r.list[i].End < want.End {
			return false
		}
	}
	return true
}

// Plus is the union of r and s.
func (r Ranges) Plus(s Ranges) Ranges {
	if r.IsEmpty() {
		return s
	}
	if s.IsEmpty() {
		return r
	}
	merged := make([]Range, 0, len(r.list)+len(s.list))
	a, b := r.list, s.list
	for len(a) > 0 && len(b) > 0 {
		if a[0].Begin <= b[0].Begin {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	merged = append(append(merged, a...), b...)
	return Ranges{list: coalesce(merged)}
}

// Minus is r without the numbers of s.
func (r Ranges) Minus(s Ranges) Ranges {
	if r.IsEmpty() || s.IsEmpty() {
		return r
	}
	rest := make([]Range, 0, len(r.list)+1)
	cuts := s.list
	for _, left := range r.list {
		for len(cuts) > 0 && cuts[0].End < left.Begin {
			cuts = cuts[1:]
		}
		rest = appendWithout(rest, left, cuts)
	}
	return Ranges{list: rest}
}

// appendWithout appends what the sorted cuts, of which none lies wholly below
// left, leave of it.
func appendWithout(rest []Range, left Range, cuts []Range) []Range {
	for _, cut := range cuts {
		if cut.Begin > left.End {
			break
		}
		if cut.Begin > left.Begin {
			rest = append(rest, Range{left.Begin, cut.Begin - 1})
		}
		if cut.End >= left.End {
			return rest
		}
		left.Begin = cut.End + 1
	}
	return append(rest, left)
}

// String prints r as "[31000-32000, 33000-33005]".
func (r Ranges) String() string { return string(r.append(nil)) }

func (r Ranges) append(b []byte) []byte {
	b = append(b, '[')
	for i, one := range r.list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = one.append(b)
	}
	return append(b, ']')
}

// String prints r as "31000-32000".
func (r Range) String() string { return string(r.append(nil)) }

func (r Range) append(b []byte) []byte {
	b = strconv.AppendUint(b, r.Begin, 10)
	b = append(b, '-')
	return strconv.AppendUint(b, r.End, 10)
}
