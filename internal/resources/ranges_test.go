package resources

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func mustRanges(t *testing.T, ranges ...Range) Ranges {
	t.Helper()
	r, err := NewRanges(ranges...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRangesAreSortedAndJoined(t *testing.T) {
	for _, tt := range []struct {
		in   []Range
		want string
	}{
		{nil, "[]"},
		{[]Range{{5, 9}, {1, 2}}, "[1-2, 5-9]"},
		{[]Range{{3, 9}, {1, 2}}, "[1-9]"},
		{[]Range{{0, 0}, {1, 1}, {3, 3}}, "[0-1, 3-3]"},
		{[]Range{{math.MaxUint64, math.MaxUint64}, {0, math.MaxUint64 - 1}}, "[0-18446744073709551615]"},
	} {
		if got := mustRanges(t, tt.in...).String(); got != tt.want {
			t.Errorf("NewRanges(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestRangesRefused(t *testing.T) {
	for _, tt := range []struct {
		in   []Range
		want string
	}{
		{[]Range{{2, 1}}, "range 2-1 ends before it begins"},
		{[]Range{{1, 5}, {5, 9}}, "ranges 1-5 and 5-9 overlap"},
		{[]Range{{0, 3}, {0, 1}}, "ranges 0-1 and 0-3 overlap"},
		{make([]Range, MaxRanges+1), "10001 ranges are more than the 10000 that one resource may have"},
	} {
		if _, err := NewRanges(tt.in...); err == nil || err.Error() != tt.want {
			t.Errorf("got the error %v, want %q", err, tt.want)
		}
	}
}

func TestRangesMinus(t *testing.T) {
	for _, tt := range []struct {
		left, cut []Range
		want      string
	}{
		{[]Range{{1, 9}}, []Range{{4, 5}}, "[1-3, 6-9]"},
		{[]Range{{1, 9}}, []Range{{1, 5}}, "[6-9]"},
		{[]Range{{1, 9}}, []Range{{5, 9}}, "[1-4]"},
		{[]Range{{1, 9}}, []Range{{0, 100}}, "[]"},
		{[]Range{{1, 3}, {5, 7}, {9, 11}}, []Range{{3, 9}}, "[1-2, 10-11]"},
		{[]Range{{1, 3}, {5, 7}}, []Range{{4, 4}, {8, 8}}, "[1-3, 5-7]"},
		{[]Range{{0, math.MaxUint64}}, []Range{{math.MaxUint64, math.MaxUint64}}, "[0-18446744073709551614]"},
	} {
		got := mustRanges(t, tt.left...).Minus(mustRanges(t, tt.cut...))
		if got.String() != tt.want {
			t.Errorf("%v without %v = %s, want %s", tt.left, tt.cut, got, tt.want)
		}
	}
}

func TestRangesCount(t *testing.T) {
	for _, tt := range []struct {
		in   []Range
		want uint64
	}{
		{nil, 0},
		{[]Range{{31000, 32000}}, 1001},
		{[]Range{{1, 1}, {3, 4}}, 3},
		{[]Range{{0, math.MaxUint64}}, math.MaxUint64},
	} {
		if got := mustRanges(t, tt.in...).Count(); got != tt.want {
			t.Errorf("count of %v = %d, want %d", tt.in, got, tt.want)
		}
	}
}

// smallRanges draws ranges among the numbers 0 to 63, as bits and as Ranges.
func smallRanges(t *rapid.T, name string) (uint64, Ranges) {
	bits := rapid.Uint64().Draw(t, name)
	var list []Range
	for n := range uint64(64) {
		if bits&(1<<n) != 0 {
			list = append(list, Range{n, n})
		}
	}
	ranges, err := NewRanges(list...)
	if err != nil {
		t.Fatal(err)
	}
	return bits, ranges
}

func bitsOf(r Ranges) (bits uint64) {
	for one := range r.All() {
		for n := one.Begin; n <= one.End; n++ {
			bits |= 1 << n
		}
	}
	return bits
}

func TestRangesReckonAsSetsOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		abits, a := smallRanges(t, "a")
		bbits, b := smallRanges(t, "b")
		if got := bitsOf(a.Plus(b)); got != abits|bbits {
			t.Fatalf("%s + %s = %s", a, b, a.Plus(b))
		}
		if got := bitsOf(a.Minus(b)); got != abits&^bbits {
			t.Fatalf("%s - %s = %s", a, b, a.Minus(b))
		}
		if got := a.Contains(b); got != (bbits&^abits == 0) {
			t.Fatalf("%s contains %s: %v", a, b, got)
		}
		if !a.Plus(b).Contains(b) || !a.Contains(a.Minus(b)) {
			t.Fatalf("%s and %s do not contain their parts", a, b)
		}
		if got := a.Minus(b).Plus(b); !got.Equal(a.Plus(b)) {
			t.Fatalf("%s without and with %s = %s", a, b, got)
		}
	})
}
