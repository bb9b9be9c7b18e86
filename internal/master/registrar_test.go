package master

import (
	"context"
	"testing"

	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
)

func TestStoppingMasterWritesWhatItWasJustTold(t *testing.T) {
	store := registrytest.NewStore("cluster")
	reg := store.Join()
	if _, err := reg.Campaign(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	store.Fault = func([]registry.Op) (bool, error) { // the stop comes while the first record is being written
		stop()
		return true, nil
	}
	var done []delivery
	r := newRegistrar(reg, func(d delivery) { done = append(done, d) })
	r.put([]registry.Op{registry.AdmitAgent{ID: "a1"}}, delivery{in: cluster.Persisted{Ticket: 1}})
	if err := r.run(ctx); err != nil {
		t.Fatalf("run: %v", err)
	}
	r.put([]registry.Op{registry.RemoveAgent{ID: "a1"}}, delivery{in: cluster.Persisted{Ticket: 2}})
	if err := r.run(ctx); err != nil {
		t.Fatalf("run after the stop: %v", err)
	}
	state, err := reg.Load(t.Context())
	if err != nil || len(state.Agents) != 0 {
		t.Errorf("remembered: %v, %v; expected no agent", state.Agents, err)
	}
	if len(done) != 2 {
		t.Errorf("persisted: %v", done)
	}
}

func TestRegistrarStopsTheMasterThatDoesNotLead(t *testing.T) {
	reg := registrytest.NewStore("cluster").Join()
	r := newRegistrar(reg, func(delivery) {})
	r.put([]registry.Op{registry.RemoveAgent{ID: "a1"}}, delivery{})
	if err := r.run(t.Context()); err == nil {
		t.Error("run returned nil, expected that this master does not lead")
	}
}
