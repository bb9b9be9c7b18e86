package allocator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// add adds an active framework in the given roles.
func (a *Allocator) add(id ids.FrameworkID, can Capabilities, roles ...ids.Role) {
	a.SetFramework(Framework{ID: id, Roles: roles, Capabilities: can})
	a.ActivateFramework(id)
}

func at(d time.Duration) core.Time { return core.Time{}.Add(d) }

func TestRefusalTime(t *testing.T) {
	for _, tt := range []struct {
		seconds *float64
		want    time.Duration
	}{
		{nil, 5 * time.Second},
		{new(0.0), 0},
		{new(1.0), time.Second},
		{new(0.25), 250 * time.Millisecond},
		{new(-1.0), 5 * time.Second},
		{new(math.NaN()), 5 * time.Second},
		{new(math.Inf(1)), 365 * 24 * time.Hour},
		{new(math.Inf(-1)), 5 * time.Second},
		{new(1e300), 365 * 24 * time.Hour},
	} {
		if got := RefusalTime(tt.seconds); got != tt.want {
			t.Errorf("RefusalTime(%v) = %s, want %s", tt.seconds, got, tt.want)
		}
	}
}

func TestTheSmallestOfferIsAnOption(t *testing.T) {
	disk := []resources.Quantities{{{Name: resources.Disk, Amount: 10 * resources.One}}}
	for _, tt := range []struct {
		min   []resources.Quantities
		total string
		want  string
	}{
		{nil, "disk:100", "nothing"},
		{nil, "mem:32", "f as dev on a: mem:32"},
		{[]resources.Quantities{}, "disk:0.001", "f as dev on a: disk:0.001"},
		{[]resources.Quantities{}, "volume:10", "nothing"},
		{disk, "disk:10", "f as dev on a: disk:10"},
		{disk, "cpus:100", "nothing"},
		{disk, "volume:10;cpus:1", "nothing"},
	} {
		total, err := parse(tt.total)
		if err != nil {
			t.Fatal(err)
		}
		a := New(Options{MinOffer: tt.min})
		a.SetAgent("a", total)
		a.add("f", Capabilities{Shared: true}, "dev")
		if got := show(a.Allocate(at(0))); len(got) != 1 || got[0] != tt.want {
			t.Errorf("with %v at least, %s gives %q, want %q", tt.min, tt.total, got, tt.want)
		}
	}
}

func TestAgentsWithGPUsAreForAllIfTheOperatorSaysSo(t *testing.T) {
	a := New(Options{GPUsToAll: true})
	a.SetAgent("a", resources.MustParse("cpus:1;gpus:1"))
	a.add("f", Capabilities{}, "*")
	if got := a.Allocate(at(0)); len(got) != 1 {
		t.Errorf("got %q", show(got))
	}
}

func TestOffersListPortsFirstAndAreAllocated(t *testing.T) {
	a := New(Options{})
	a.SetAgent("a", resources.MustParse("cpus:8;mem:8192;disk:10000;ports:[31000-32000];mem(dev):64"))
	a.add("f", Capabilities{}, "dev")
	offers := a.Allocate(at(0))
	want := "ports(allocated: dev):[31000-32000]; mem(allocated: dev)(reservations: [(STATIC,dev)]):64; " +
		"cpus(allocated: dev):8; mem(allocated: dev):8192; disk(allocated: dev):10000"
	if len(offers) != 1 || offers[0].Resources.String() != want {
		t.Errorf("got %v, want %s", offers, want)
	}
}

// A framework that refuses ever other parts of an agent must not make the
// allocator grow; the filters that would expire first give way.
func TestFiltersAreBounded(t *testing.T) {
	a := New(Options{})
	a.SetAgent("a", resources.MustParse("cpus:1;ports:[1-1000]"))
	a.add("f", Capabilities{}, "*")
	a.Allocate(at(0))
	for i := range 100 {
		part := resources.MustParse(fmt.Sprintf("ports:[%d-%d]", 2*i+1, 2*i+1)).Allocate("*")
		if err := a.Recover(at(0), "f", "a", part, time.Duration(i+1)*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.filters); n != maxFilters {
		t.Errorf("there are %d filters, want %d", n, maxFilters)
	}
	if got, want := a.NextDeadline(), 37*time.Second; got != want {
		t.Errorf("the first expires at %s, want %s", got, want)
	}
	if complaint := a.audit(); complaint != "" {
		t.Error(complaint)
	}
}

func TestWhatIsNotAllocatedCannotBeHeld(t *testing.T) {
	a := New(Options{})
	a.SetAgent("a", resources.MustParse("cpus:1"))
	want := "cpus:1 is not allocated to a role, so nobody can hold it"
	if err := a.Adopt("f", "a", resources.MustParse("cpus:1")); err == nil || err.Error() != want {
		t.Errorf("adopting says %v, want %s", err, want)
	}
	a.add("f", Capabilities{}, "*")
	if err := a.Recover(at(0), "f", "a", resources.MustParse("cpus:1"), 0); err == nil || err.Error() != want {
		t.Errorf("recovering says %v, want %s", err, want)
	}
}

// The resources of a task and of its executor may be of different roles.
func TestSeveralRolesAreRecoveredAtOnceOrNotAtAll(t *testing.T) {
	a := New(Options{})
	a.SetAgent("a", resources.MustParse("cpus:4"))
	one := resources.MustParse("cpus:1")
	both := one.Allocate("dev").Add(one.Allocate("ops"))
	if err := a.Adopt("f", "a", both); err != nil {
		t.Fatal(err)
	}
	if got := a.Idle("a").String(); got != "cpus:2" {
		t.Errorf("idle is %s", got)
	}
	var held []Offer
	for o := range a.Held("a") {
		held = append(held, o)
	}
	if got, want := fmt.Sprint(show(held)), "[f as dev on a: cpus:1 f as ops on a: cpus:1]"; got != want {
		t.Errorf("held is %s, want %s", got, want)
	}
	more := both.Add(one.Allocate("ops"))
	if err := a.Recover(at(0), "f", "a", more, 0); err == nil || a.Idle("a").String() != "cpus:2" {
		t.Errorf("recovering %s gives %v, and leaves %s", more, err, a.Idle("a"))
	}
	if err := a.Recover(at(0), "f", "a", both, 0); err != nil || a.Idle("a").String() != "cpus:4" {
		t.Errorf("recovering %s gives %v, and leaves %s", both, err, a.Idle("a"))
	}
	if len(a.frameworks) != 0 || len(a.tree.roles) != 0 {
		t.Errorf("%d frameworks and %d roles are remembered for nothing", len(a.frameworks), len(a.tree.roles))
	}
}

func TestVerdictsAreSentences(t *testing.T) {
	seen := map[string]bool{}
	for v := Suitable; v <= Refused; v++ {
		text := v.String()
		if text == "unknown verdict" || seen[text] {
			t.Errorf("verdict %d says %q", v, text)
		}
		seen[text] = true
	}
}

func TestExplain(t *testing.T) {
	a := New(Options{})
	a.SetAgent("a", resources.MustParse("cpus:1"))
	a.SetFramework(Framework{ID: "f", Roles: []ids.Role{"dev", "ops"}, Suppressed: []ids.Role{"ops"}})
	explain := func(want Verdict, framework ids.FrameworkID, role ids.Role, agent ids.AgentID) {
		t.Helper()
		if got := a.Explain(framework, role, agent); got != want {
			t.Errorf("%s as %s on %s: %s; want: %s", framework, role, agent, got, want)
		}
	}
	explain(UnknownAgent, "f", "dev", "b")
	explain(UnknownFramework, "g", "dev", "a")
	explain(NotInRole, "f", "*", "a")
	explain(FrameworkInactive, "f", "dev", "a")
	a.ActivateFramework("f")
	explain(Suitable, "f", "dev", "a")
	explain(Suppressed, "f", "ops", "a")
	a.DeactivateAgent("a")
	explain(AgentInactive, "f", "dev", "a")
}
