package resources

import (
	"fmt"
	"testing"

	"github.com/meseta/meseta/internal/ids"
	"pgregory.net/rapid"
)

// plain draws resources as an agent without anything special has them.
func plain(t *rapid.T) Resource {
	return rapid.Custom(func(t *rapid.T) Resource {
		spec := value(t)
		return draw(t, spec)
	}).Draw(t, "plain")
}

// any draws resources with everything that keeps them apart.
func anything(t *rapid.T) Resource {
	return rapid.Custom(func(t *rapid.T) Resource {
		spec := value(t)
		spec.Allocated = rapid.SampledFrom([]ids.Role{"", "*", "dev"}).Draw(t, "allocated")
		spec.Provider = rapid.SampledFrom([]string{"", "", "p"}).Draw(t, "provider")
		spec.Revocable = rapid.Bool().Draw(t, "revocable")
		for i := range rapid.IntRange(0, 2).Draw(t, "reservations") {
			role := [...]ids.Role{"dev", "dev/a"}[i]
			principal := rapid.SampledFrom([]string{"", "ops"}).Draw(t, "principal")
			spec.Reservations = append(spec.Reservations, Reservation{Kind: Dynamic, Role: role, Principal: principal})
		}
		if spec.Name == Disk && rapid.Bool().Draw(t, "volume") {
			id := rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "id")
			spec.Disk = &DiskInfo{Persistence: &Persistence{ID: id}, Volume: &Volume{ContainerPath: "data"}}
			spec.Shared = rapid.Bool().Draw(t, "shared")
		}
		return draw(t, spec)
	}).Draw(t, "anything")
}

func value(t *rapid.T) Spec {
	amount := Scalar(rapid.Int64Range(0, 5000).Draw(t, "amount"))
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		return Spec{Name: CPUs, Scalar: amount}
	case 1:
		return Spec{Name: Mem, Scalar: amount}
	case 2:
		return Spec{Name: Disk, Scalar: amount}
	case 3:
		_, ranges := smallRanges(t, "ports")
		return Spec{Name: Ports, Kind: KindRanges, Ranges: ranges}
	}
	set, err := NewSet(rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID).Draw(t, "set")...)
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Name: "keys", Kind: KindSet, Set: set}
}

func draw(t *rapid.T, spec Spec) Resource {
	r, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func list(t *rapid.T, name string, one func(*rapid.T) Resource) List {
	return rapid.Custom(func(t *rapid.T) List {
		var items []Resource
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			items = append(items, one(t))
		}
		return ListOf(items...)
	}).Draw(t, name)
}

// disjoint is b without the ports and keys that a has: numbers and words are
// there once, so that adding them again and taking them away is not nothing.
func disjoint(a, b List) List {
	return b.Filter(func(r Resource) bool { return r.Kind() == KindScalar }).
		Add(b.Sub(a).Filter(func(r Resource) bool { return r.Kind() != KindScalar }))
}

func TestListLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := list(t, "a", anything), list(t, "b", anything), list(t, "c", anything)
		law := func(name string, holds bool) {
			if !holds {
				t.Fatalf("%s does not hold for\na = %s\nb = %s\nc = %s", name, a, b, c)
			}
		}
		law("a+b = b+a", a.Add(b).Equal(b.Add(a)))
		law("(a+b)+c = a+(b+c)", a.Add(b).Add(c).Equal(a.Add(b.Add(c))))
		law("a+b contains a and b", a.Add(b).Contains(a) && a.Add(b).Contains(b))
		law("a contains a-b", a.Contains(a.Sub(b)))
		law("a-a = 0", a.Sub(a).IsEmpty())
		law("what contains a+b contains a", !c.Contains(a.Add(b)) || c.Contains(a))
		law("a contains b and b contains a only if equal", (a.Contains(b) && b.Contains(a)) == a.Equal(b))
		rest, ok := a.Take(b)
		law("a can give b if it contains it", ok == a.Contains(b))
		law("what a gave and what is left is a", !ok || rest.Add(b).Equal(a))
		if d := disjoint(a, b); true {
			rest, ok := a.Add(d).Take(d)
			law("a+b-b = a", ok && rest.Equal(a))
		}
	})
}

func TestPlainListsSurvivePrintingAndParsing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := list(t, "l", plain)
		text := l.String()
		if l.IsEmpty() {
			text = ""
		}
		back, err := Parse(text)
		if err != nil || !back.Equal(l) || back.String() != l.String() {
			t.Fatalf("%s became %s (%v)", l, back, err)
		}
	})
}

func TestSpecsTakeResourcesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anything(t)
		again, err := New(r.Spec())
		if err != nil || !again.Equal(r) || fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("%s became %s (%v)", r, again, err)
		}
	})
}
