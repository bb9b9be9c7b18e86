package agenda_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/sim/agenda"
)

// The dumb twin is a stable sort.
func TestWhatIsEarlierComesFirstAndEqualsInTheirOrder(t *testing.T) {
	type entry struct {
		at time.Duration
		n  int
	}
	rapid.Check(t, func(t *rapid.T) {
		var a agenda.Agenda[int]
		var want []entry
		for n, at := range rapid.SliceOf(rapid.IntRange(0, 5)).Draw(t, "moments") {
			a.Put(time.Duration(at), n)
			want = append(want, entry{time.Duration(at), n})
		}
		slices.SortStableFunc(want, func(x, y entry) int { return int(x.at - y.at) })
		for _, w := range want {
			if a.Next() != w.at {
				t.Fatalf("next is at %d, want %d", a.Next(), w.at)
			}
			if at, n := a.Take(); at != w.at || n != w.n {
				t.Fatalf("%d at %d, want %d at %d", n, at, w.n, w.at)
			}
		}
		if !a.Empty() {
			t.Fatal("something is left")
		}
	})
}
