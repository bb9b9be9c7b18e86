// Package keep is what masters remember, without a disk: a registry as simulated masters have one. It outlives
// them, and nothing in it takes time; when a record is durable is for whoever calls Apply to say.
package keep

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
)

// Registry is what masters remember. Its zero value is that of a cluster that never had one.
type Registry struct {
	frameworks  []registered
	removed     []ids.FrameworkID
	agents      []ids.AgentID
	unreachable []cluster.UnreachableAgent
	gone        []ids.AgentID
	epoch       uint64 // of the latest leader
}

type registered struct {
	id   ids.FrameworkID
	info []byte // mesos.v1.FrameworkInfo
}

// Apply makes one record durable.
func (r *Registry) Apply(record cluster.Record) {
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
	case cluster.MarkAgentGone:
		r.forgetAgent(record.ID)
		r.gone = append(r.gone, record.ID)
	case cluster.RemoveAgent:
		r.forgetAgent(record.ID)
	default:
		panic(fmt.Sprintf("keep: record of unknown type %T", record))
	}
}

func (r *Registry) forgetAgent(id ids.AgentID) {
	r.agents = slices.DeleteFunc(r.agents, func(known ids.AgentID) bool { return known == id })
	r.unreachable = slices.DeleteFunc(r.unreachable, func(u cluster.UnreachableAgent) bool { return u.ID == id })
}

// Elect makes the next leader and gives its epoch.
func (r *Registry) Elect() uint64 {
	r.epoch++
	return r.epoch
}

// Load gives a new leader what it has to know.
func (r *Registry) Load() cluster.Recovered {
	in := cluster.Recovered{Removed: slices.Clone(r.removed), Agents: slices.Clone(r.agents),
		Unreachable: slices.Clone(r.unreachable), Gone: slices.Clone(r.gone)}
	for _, f := range r.frameworks {
		m := new(mesos.FrameworkInfo)
		if err := proto.Unmarshal(f.info, m); err != nil {
			panic(fmt.Sprintf("keep: framework %s: %v", f.id, err))
		}
		in.Frameworks = append(in.Frameworks, clusterpb.FrameworkFrom(m))
	}
	return in
}
