package cluster

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/core"
	"pgregory.net/rapid"
)

// TestDeadlinesComeInOrder does the same to deadlines and to a map.
func TestDeadlinesComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, model, now := newDeadlines[string](), map[string]time.Duration{}, time.Duration(0)
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		earliest := func() (string, time.Duration) {
			first, at := "", core.Never
			for k, v := range model {
				if cmp.Or(cmp.Compare(v, at), cmp.Compare(k, first)) < 0 {
					first, at = k, v
				}
			}
			return first, at
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, at := key.Draw(t, "key"), now+time.Duration(rapid.IntRange(0, 9).Draw(t, "in"))
				d.set(k, at)
				model[k] = at
			},
			"clear": func(t *rapid.T) {
				k := key.Draw(t, "key")
				d.clear(k)
				delete(model, k)
			},
			"wait": func(t *rapid.T) {
				now += time.Duration(rapid.IntRange(0, 5).Draw(t, "for"))
				var got, want []string
				for k, ok := d.pop(now); ok; k, ok = d.pop(now) {
					got = append(got, k)
				}
				for k, at := earliest(); at <= now; k, at = earliest() {
					want = append(want, k)
					delete(model, k)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("at %d came %v, want %v", now, got, want)
				}
			},
			"": func(t *rapid.T) {
				if _, at := earliest(); d.next() != at {
					t.Fatalf("next = %v, want %v", d.next(), at)
				}
				for _, k := range []string{"a", "b", "c", "d", "e"} {
					if _, ok := model[k]; d.has(k) != ok {
						t.Fatalf("has(%s) = %t", k, !ok)
					}
				}
				if len(d.heap.line) != len(model) || len(d.heap.at) != len(model) {
					t.Fatalf("%d deadlines are kept, want %d", len(d.heap.line), len(model))
				}
			},
		})
	})
}
