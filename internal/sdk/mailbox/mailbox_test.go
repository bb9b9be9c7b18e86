package mailbox_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/sdk/mailbox"
)

func TestOneIsOutAtATime(t *testing.T) {
	m := mailbox.New[string](mailbox.Limits{Items: 10, Bytes: 10})
	m.Put("a", 0)
	m.Put("b", 0)
	if got, ok := m.Take(); !ok || got != "a" {
		t.Fatalf("Take() = %q, %v; want a", got, ok)
	}
	if got, ok := m.Take(); ok {
		t.Fatalf("Take() = %q while a is out", got)
	}
	m.Returned()
	if got, ok := m.Take(); !ok || got != "b" {
		t.Fatalf("Take() = %q, %v; want b", got, ok)
	}
}

func TestFullAndDrained(t *testing.T) {
	for name, limits := range map[string]mailbox.Limits{
		"by number": {Items: 4, Bytes: 1 << 30},
		"by size":   {Items: 1 << 30, Bytes: 40},
	} {
		t.Run(name, func(t *testing.T) {
			m := mailbox.New[int](limits)
			for i := range 4 {
				if m.Full() {
					t.Fatalf("full with %d", i)
				}
				if m.Drained() != (i <= 2) {
					t.Fatalf("drained with %d: %v", i, m.Drained())
				}
				m.Put(i, 10)
			}
			if !m.Full() {
				t.Fatal("not full with 4")
			}
			m.Drop(func(i int) bool { return i < 2 })
			if m.Full() || !m.Drained() || m.Len() != 2 {
				t.Fatalf("after Drop: full %v, drained %v, %d waiting", m.Full(), m.Drained(), m.Len())
			}
			m.Clear()
			if _, ok := m.Take(); ok || !m.Drained() {
				t.Fatal("something waits after Clear")
			}
		})
	}
}

// TestLikeASlice compares a mailbox with the obvious slice.
func TestLikeASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := mailbox.New[int](mailbox.Limits{Items: 1000, Bytes: 1000})
		var model []int
		next, out := 0, false
		t.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				m.Put(next, next%7)
				model = append(model, next)
				next++
			},
			"take": func(t *rapid.T) {
				got, ok := m.Take()
				if want := !out && len(model) > 0; ok != want {
					t.Fatalf("Take() says %v, want %v", ok, want)
				}
				if ok {
					if got != model[0] {
						t.Fatalf("Take() = %d, want %d", got, model[0])
					}
					model, out = model[1:], true
				}
			},
			"returned": func(*rapid.T) { m.Returned(); out = false },
			"drop": func(*rapid.T) {
				odd := func(i int) bool { return i%2 == 1 }
				m.Drop(odd)
				model = slices.DeleteFunc(model, odd)
			},
			"": func(t *rapid.T) {
				if m.Len() != len(model) || m.Busy() != out {
					t.Fatalf("%d wait and busy is %v, want %d and %v", m.Len(), m.Busy(), len(model), out)
				}
			},
		})
	})
}
