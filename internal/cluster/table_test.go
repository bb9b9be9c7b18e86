package cluster

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTableAgreesWithASlice does the same to a table and to a slice of its entries. What was frozen stays
// as it was.
func TestTableAgreesWithASlice(t *testing.T) {
	type entry struct{ key, value int }
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable[int, entry]()
		var model []entry
		type frozen struct {
			snapshot Snapshot[entry]
			model    []entry
		}
		var all []frozen
		at := func(key int) int { return slices.IndexFunc(model, func(e entry) bool { return e.key == key }) }
		list := func(seq func(func(*entry) bool)) (out []entry) {
			for e := range seq {
				out = append(out, *e)
			}
			return out
		}
		next, value := 0, 0
		t.Repeat(map[string]func(*rapid.T){
			"add some": func(t *rapid.T) {
				for range rapid.IntRange(1, pageSize).Draw(t, "n") {
					e := entry{next, value}
					table.Put(e.key, &e)
					model = append(model, e)
					next++
				}
			},
			"replace": func(t *rapid.T) {
				value++
				key := rapid.IntRange(0, max(next, 1)).Draw(t, "key")
				if i := at(key); i >= 0 {
					e := entry{key, value}
					table.Put(key, &e)
					model[i] = e
				}
			},
			"delete a stretch": func(t *rapid.T) {
				from := rapid.IntRange(0, max(next, 1)).Draw(t, "from")
				to := from + rapid.IntRange(1, 2*pageSize).Draw(t, "n")
				for key := from; key < to; key++ {
					table.Delete(key)
				}
				model = slices.DeleteFunc(slices.Clone(model), func(e entry) bool { return e.key >= from && e.key < to })
			},
			"come back": func(t *rapid.T) { // what was deleted is new, and stands at the end
				key := rapid.IntRange(0, max(next, 1)).Draw(t, "key")
				if at(key) < 0 && key < next {
					table.Put(key, &entry{key, value})
					model = append(model, entry{key, value})
				}
			},
			"freeze": func(t *rapid.T) {
				all = append(all, frozen{table.Snapshot(), slices.Clone(model)})
			},
			"": func(t *rapid.T) {
				if got := list(table.All()); !slices.Equal(got, model) {
					t.Fatalf("%d entries, want %d", len(got), len(model))
				}
				if table.Len() != len(model) {
					t.Fatalf("Len = %d, want %d", table.Len(), len(model))
				}
				for i := 0; i < len(model); i += 1 + len(model)/20 {
					if got := table.Get(model[i].key); got == nil || *got != model[i] {
						t.Fatalf("Get(%d) = %v, want %v", model[i].key, got, model[i])
					}
				}
				for i, p := range table.pages[:max(0, len(table.pages)-1)] {
					if p.live == 0 {
						t.Fatalf("page %d of %d is empty and still there", i, len(table.pages))
					}
				}
			},
		})
		for i, f := range all {
			if got := list(f.snapshot.All()); !slices.Equal(got, f.model) {
				t.Fatalf("snapshot %d has changed", i)
			}
		}
	})
}

// TestWhatStaysDoesNotKeepWhatWent is a service that runs for ever, in front of tasks that do not.
func TestWhatStaysDoesNotKeepWhatWent(t *testing.T) {
	table := NewTable[string, string]()
	table.Put("for ever", new("for ever"))
	for n := range 100 * pageSize {
		key := fmt.Sprint(n)
		table.Put(key, &key)
		table.Delete(key)
	}
	if n := len(table.pages); n > 2 {
		t.Errorf("%d pages for one entry", n)
	}
}
