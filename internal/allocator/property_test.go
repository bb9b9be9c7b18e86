package allocator

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"pgregory.net/rapid"
)

var (
	someAgents     = []ids.AgentID{"a1", "a2", "a3", "a4"}
	someFrameworks = []ids.FrameworkID{"f1", "f2", "f3", "f4"}
	someRoles      = []ids.Role{"*", "dev", "dev/a", "dev/a/x", "dev/b", "ops"}
	someTotals     = []string{
		"cpus:4;mem:1000;ports:[1-9]",
		"cpus:1;mem:4000",
		"cpus:2;mem:100;cpus(dev):2;mem(dev/a):50",
		"cpus:2;gpus:1",
		"cpus:1;cpus!:3;mem!:64",
		"cpus(ops):1;cpus(dev+dev/a):2;mem:64",
		"volume:10;cpus:2;mem:64",
		"volume:10;cpus:2;cpus(dev/a):1;cpus(dev/b):1",
		"cpus:0.009;mem:31",
		"disk:100",
	}
	someParts = []string{"cpus:1", "cpus:0.5;mem:32", "mem:64", "ports:[2-4]", "cpus(dev):1", "volume:10", "gpus:1"}
)

// TestMain lets properties run longer than usual, unless the command line says
// how long.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": "400", "rapid.steps": "80"} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// twins is the allocator and its model, which are told the same.
type twins struct {
	*Allocator
	model *model
	now   core.Time
	log   []string
}

func (w *twins) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func TestAllocatorAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &twins{Allocator: New(Options{}), model: newModel()}
		defer func() {
			if t.Failed() {
				for _, line := range w.log {
					t.Log(line)
				}
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"":               w.check,
			"set agent":      w.setAgent,
			"change agent":   w.changeAgent,
			"set framework":  w.setFramework,
			"set framework2": w.setFramework,
			"change":         w.changeFramework,
			"suppress":       w.suppress,
			"weight":         w.weight,
			"return":         w.giveBack,
			"return2":        w.giveBack,
			"return3":        w.giveBack,
			"adopt":          w.adopt,
			"allocate":       w.allocate,
			"allocate2":      w.allocate,
		})
	})
}

func (w *twins) setAgent(t *rapid.T) {
	id := rapid.SampledFrom(someAgents).Draw(t, "agent")
	total, err := parse(rapid.SampledFrom(someTotals).Draw(t, "total"))
	if err != nil {
		t.Fatal(err)
	}
	w.note("agent %s %s", id, total)
	w.SetAgent(id, total)
	if ag := w.model.agent(id); ag != nil {
		ag.total = offerOrder(total)
	} else {
		w.model.agents = append(w.model.agents, &modelAgent{id, offerOrder(total), true})
	}
}

func (w *twins) changeAgent(t *rapid.T) {
	id := rapid.SampledFrom(someAgents).Draw(t, "agent")
	how := rapid.SampledFrom([]string{"activate", "deactivate", "remove", "forget"}).Draw(t, "how")
	w.note("%s agent %s", how, id)
	ag := w.model.agent(id)
	switch how {
	case "activate":
		w.ActivateAgent(id)
	case "deactivate":
		w.DeactivateAgent(id)
	case "remove":
		w.RemoveAgent(id)
		w.model.agents = slices.DeleteFunc(w.model.agents, func(a *modelAgent) bool { return a.id == id })
		for h := range w.model.held {
			if h.agent == id {
				delete(w.model.held, h)
			}
		}
	case "forget":
		w.ForgetRefusals(id)
		w.model.filters = slices.DeleteFunc(w.model.filters, func(f modelFilter) bool { return f.agent == id })
	}
	if ag != nil && (how == "activate" || how == "deactivate") {
		ag.active = how == "activate"
	}
}

func (w *twins) setFramework(t *rapid.T) {
	f := Framework{
		ID:         rapid.SampledFrom(someFrameworks).Draw(t, "framework"),
		Roles:      rapid.SliceOfNDistinct(rapid.SampledFrom(someRoles), 1, 3, rapid.ID).Draw(t, "roles"),
		Suppressed: rapid.SliceOfNDistinct(rapid.SampledFrom(someRoles), 0, 1, rapid.ID).Draw(t, "suppressed"),
		Capabilities: Capabilities{
			GPUs:                  rapid.Bool().Draw(t, "gpus"),
			Revocable:             rapid.Bool().Draw(t, "revocable"),
			Shared:                rapid.Bool().Draw(t, "shared"),
			ReservationRefinement: rapid.Bool().Draw(t, "refinement"),
		},
	}
	w.note("set %+v", f)
	w.SetFramework(f)
	fw := w.model.frameworks[f.ID]
	if fw == nil {
		fw = &modelFramework{}
		w.model.frameworks[f.ID] = fw
	}
	fw.known, fw.can, fw.roles = true, f.Capabilities, map[ids.Role]bool{}
	for _, role := range f.Roles {
		fw.roles[role] = slices.Contains(f.Suppressed, role)
	}
}

func (w *twins) changeFramework(t *rapid.T) {
	id := rapid.SampledFrom(someFrameworks).Draw(t, "framework")
	how := rapid.SampledFrom([]string{"activate", "activate", "activate", "deactivate", "remove"}).Draw(t, "how")
	w.note("%s framework %s", how, id)
	switch how {
	case "activate":
		w.ActivateFramework(id)
	case "deactivate":
		w.DeactivateFramework(id)
	case "remove":
		w.RemoveFramework(id)
		delete(w.model.frameworks, id)
	}
	if fw := w.model.frameworks[id]; fw != nil {
		fw.active = how == "activate"
	}
}

func (w *twins) suppress(t *rapid.T) {
	id := rapid.SampledFrom(someFrameworks).Draw(t, "framework")
	roles := rapid.SliceOfNDistinct(rapid.SampledFrom(someRoles), 0, 2, rapid.ID).Draw(t, "roles")
	suppress := rapid.Bool().Draw(t, "suppress")
	w.note("suppress %v %s %v", suppress, id, roles)
	if suppress {
		w.Suppress(id, roles...)
	} else {
		w.Revive(id, roles...)
	}
	fw := w.model.frameworks[id]
	if fw == nil {
		return
	}
	for role := range fw.roles {
		if len(roles) > 0 && !slices.Contains(roles, role) {
			continue
		}
		fw.roles[role] = suppress
		w.model.filters = slices.DeleteFunc(w.model.filters, func(f modelFilter) bool {
			return f.framework == id && f.role == role
		})
	}
}

func (w *twins) weight(t *rapid.T) {
	role := rapid.SampledFrom(someRoles).Draw(t, "role")
	weight := rapid.SampledFrom([]float64{0.5, 1, 2.5}).Draw(t, "weight")
	w.note("weight %s %g", role, weight)
	if err := w.SetWeight(role, weight); err != nil {
		t.Fatal(err)
	}
	w.model.weights[role] = weight
}

// giveBack declines or recovers all or a part of what somebody holds, or what
// he does not hold.
func (w *twins) giveBack(t *rapid.T) {
	holders := w.model.holders()
	if len(holders) == 0 {
		return
	}
	h := rapid.SampledFrom(holders).Draw(t, "holder")
	part := w.model.held[h]
	if rapid.Bool().Draw(t, "only a part") {
		some, err := parse(rapid.SampledFrom(someParts).Draw(t, "part"))
		if err != nil {
			t.Fatal(err)
		}
		part = some.Allocate(h.role)
	}
	refuse := rapid.SampledFrom([]time.Duration{0, time.Second, 3 * time.Second, time.Hour}).Draw(t, "refuse")
	w.note("recover %v %s, refused for %s", h, part, refuse)
	held := w.model.held[h].Contains(part)
	if err := w.Recover(w.now, h.framework, h.agent, part, refuse); (err == nil) != held {
		t.Fatalf("recovering %s, of which %v holds %s: %v", part, h, w.model.held[h], err)
	}
	if !held {
		return
	}
	w.model.release(h, part)
	if refuse > 0 && w.model.wantsOffers(h.framework, h.role) {
		w.model.filters = append(w.model.filters, modelFilter{h, part.Unallocated(), w.now.Mono + refuse})
	}
}

func (w *twins) adopt(t *rapid.T) {
	h := holder{
		rapid.SampledFrom(someAgents).Draw(t, "agent"),
		rapid.SampledFrom(someFrameworks).Draw(t, "framework"),
		rapid.SampledFrom(someRoles).Draw(t, "role"),
	}
	l := resources.MustParse("cpus:0.5;mem:10").Allocate(h.role)
	w.note("adopt %v", h)
	if err := w.Adopt(h.framework, h.agent, l); (err == nil) != (w.model.agent(h.agent) != nil) {
		t.Fatalf("adopting for %v: %v", h, err)
	} else if err == nil {
		w.model.hold(h, l)
	}
}

func (w *twins) allocate(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "half seconds")) * time.Second / 2)
	got, want := w.Allocate(w.now), w.model.allocate(w.now.Mono)
	w.note("allocate at %s: %v", w.now.Mono, show(want))
	if !slices.EqualFunc(got, want, func(a, b Offer) bool {
		return a.Framework == b.Framework && a.Role == b.Role && a.Agent == b.Agent && a.Resources.String() == b.Resources.String()
	}) {
		t.Fatalf("the allocator offers %q, its model %q", show(got), show(want))
	}
	for path, r := range w.tree.roles {
		if r.woken != 0 {
			t.Fatalf("%d of role %s are still awake", r.woken, path)
		}
	}
	if again := w.Allocate(w.now); len(again) > 0 {
		t.Fatalf("asked again at once, the allocator offers %q", show(again))
	}
}

// check compares what can be seen at any time, and looks into the books.
func (w *twins) check(t *rapid.T) {
	w.model.tidy()
	for _, ag := range w.model.agents {
		if got, want := w.Idle(ag.id), w.model.idle(ag); !got.Equal(want) {
			t.Fatalf("%s has %s idle, and should have %s", ag.id, got, want)
		}
	}
	if got, want := w.NextDeadline(), w.model.deadline(); got != want {
		t.Fatalf("the next deadline is %s, and should be %s", got, want)
	}
	if complaint := w.audit(); complaint != "" {
		t.Fatal(complaint)
	}
}
