package sim

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
)

// registry is what masters remember. It outlives them.
type registry struct {
	frameworks  []registered
	removed     []ids.FrameworkID
	agents      []ids.AgentID
	unreachable []cluster.UnreachableAgent
	epoch       uint64 // of the latest leader
}

type registered struct {
	id   ids.FrameworkID
	info []byte // mesos.v1.FrameworkInfo
}

// apply makes one record durable.
func (r *registry) apply(record cluster.Record) {
	known := func(id ids.FrameworkID) func(registered) bool {
		return func(f registered) bool { return f.id == id }
	}
	switch record := record.(type) {
	case cluster.AdmitFramework:
		r.frameworks = slices.DeleteFunc(r.frameworks, known(record.Info.ID))
		r.frameworks = append(r.frameworks, registered{record.Info.ID, clusterpb.Encode(clusterpb.FrameworkTo(&record.Info))})
	case cluster.RemoveFramework:
		r.frameworks = slices.DeleteFunc(r.frameworks, known(record.ID))
		r.removed = append(r.removed, record.ID)
	case cluster.AdmitAgent:
		r.forgetAgent(record.ID)
		r.agents = append(r.agents, record.ID)
	case cluster.LoseAgent:
		r.forgetAgent(record.ID)
		r.unreachable = append(r.unreachable, cluster.UnreachableAgent{ID: record.ID, Since: record.Since})
	case cluster.RemoveAgent:
		r.forgetAgent(record.ID)
	default:
		panic(fmt.Sprintf("sim: registry record of unknown type %T", record))
	}
}

func (r *registry) forgetAgent(id ids.AgentID) {
	r.agents = slices.DeleteFunc(r.agents, func(known ids.AgentID) bool { return known == id })
	r.unreachable = slices.DeleteFunc(r.unreachable, func(u cluster.UnreachableAgent) bool { return u.ID == id })
}

// load gives a new leader what it has to know.
func (r *registry) load() cluster.Recovered {
	in := cluster.Recovered{Removed: slices.Clone(r.removed), Agents: slices.Clone(r.agents),
		Unreachable: slices.Clone(r.unreachable)}
	for _, f := range r.frameworks {
		m := new(mesos.FrameworkInfo)
		if err := proto.Unmarshal(f.info, m); err != nil {
			panic(fmt.Sprintf("sim: framework %s in the registry: %v", f.id, err))
		}
		in.Frameworks = append(in.Frameworks, clusterpb.FrameworkFrom(m))
	}
	return in
}

// registrar writes one master's records, as many at once as have gathered.
type registrar struct {
	m       *master
	waiting []cluster.Persist
	writing bool
}

func (r *registrar) put(p cluster.Persist) {
	r.waiting = append(r.waiting, p)
	if !r.writing {
		r.write()
	}
}

func (r *registrar) write() {
	r.writing = true
	w := r.m.w
	took := w.between(500*time.Microsecond, 20*time.Millisecond)
	if w.now < w.faults.slowRegistryUntil {
		took = w.between(50*time.Millisecond, 4*time.Second)
		w.count(FaultSlowRegistry)
	}
	batch := r.waiting
	r.m.after(took, func() {
		r.waiting = r.waiting[len(batch):]
		for _, p := range batch {
			for _, record := range p.Records {
				w.registry.apply(record)
			}
		}
		r.m.soon(func() {
			r.writing = len(r.waiting) > 0
			if r.writing {
				r.write()
			}
			for _, p := range batch {
				r.m.step(cluster.Persisted{Ticket: p.Ticket}, nil)
			}
		})
	})
}

// cut is the master's end in the middle of a write: some of it has arrived.
func (r *registrar) cut() {
	if len(r.waiting) == 0 {
		return
	}
	w := r.m.w
	keep := w.rng.IntN(len(r.waiting) + 1)
	if keep < len(r.waiting) {
		w.count(FaultTornRegistry)
	}
	for _, p := range r.waiting[:keep] {
		for _, record := range p.Records {
			w.registry.apply(record)
		}
	}
}
