package operator

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// agentCapabilities are what our agents can do, in Mesos' words.
var agentCapabilities = []mesos.AgentInfo_Capability_Type{
	mesos.AgentInfo_Capability_MULTI_ROLE,
	mesos.AgentInfo_Capability_HIERARCHICAL_ROLE,
	mesos.AgentInfo_Capability_RESERVATION_REFINEMENT,
}

// sums are resources by owner.
type sums[K comparable] map[K]resources.List

func (s sums[K]) add(k K, l resources.List) { s[k] = s[k].Add(l) }

// use adds up what live tasks and executors hold, and what offers promise.
func use[K comparable](v *cluster.View, of func(ids.FrameworkID, ids.AgentID) K) (used, offered sums[K]) {
	used, offered = sums[K]{}, sums[K]{}
	for t := range v.Tasks.All() {
		if !cluster.Terminal(t.State) {
			used.add(of(t.Key.Framework, t.Info.Agent), t.Info.Resources)
		}
	}
	for e := range v.Executors.All() {
		used.add(of(e.Framework, e.Agent), e.Info.Resources)
	}
	for o := range v.Offers.All() {
		offered.add(of(o.Framework, o.Agent.ID), o.Resources)
	}
	return used, offered
}

func agents(v *cluster.View) *masterpb.Response_GetAgents {
	used, offered := use(v, func(_ ids.FrameworkID, a ids.AgentID) ids.AgentID { return a })
	out := new(masterpb.Response_GetAgents)
	for a := range v.Agents.All() {
		m := agent(a)
		m.AllocatedResources = resourcepb.ToProto(used[a.ID], resourcepb.Both)
		m.OfferedResources = resourcepb.ToProto(offered[a.ID], resourcepb.Both)
		out.Agents = append(out.Agents, m)
	}
	return out
}

// agent is what is known of an agent by itself.
func agent(a *cluster.Agent) *masterpb.Response_GetAgents_Agent {
	m := &masterpb.Response_GetAgents_Agent{
		AgentInfo:        clusterpb.AgentTo(a),
		Active:           new(a.Connected()),
		Deactivated:      new(false),
		Version:          new(MesosVersion),
		Pid:              new(fmt.Sprintf("slave(1)@%s:%d", a.Info.IP, a.Info.Port)),
		RegisteredTime:   clusterpb.TimeTo(a.Registered),
		ReregisteredTime: clusterpb.TimeTo(a.Reregistered),
		TotalResources:   resourcepb.ToProto(a.Info.Resources, resourcepb.Both),
	}
	for _, c := range agentCapabilities {
		m.Capabilities = append(m.Capabilities, &mesos.AgentInfo_Capability{Type: c.Enum()})
	}
	return m
}

func frameworks(v *cluster.View) *masterpb.Response_GetFrameworks {
	used, offered := use(v, func(f ids.FrameworkID, _ ids.AgentID) ids.FrameworkID { return f })
	offers := make(map[ids.FrameworkID][]*mesos.Offer)
	for o := range v.Offers.All() {
		offers[o.Framework] = append(offers[o.Framework], clusterpb.OfferTo(o))
	}
	describe := func(f *cluster.Framework) *masterpb.Response_GetFrameworks_Framework {
		id, m := f.Info.ID, framework(f)
		m.Offers = offers[id]
		m.AllocatedResources = resourcepb.ToProto(used[id], resourcepb.Both)
		m.OfferedResources = resourcepb.ToProto(offered[id], resourcepb.Both)
		return m
	}
	out := new(masterpb.Response_GetFrameworks)
	for f := range v.Frameworks.All() {
		if f.Gone() {
			out.CompletedFrameworks = append(out.CompletedFrameworks, describe(f))
		} else {
			out.Frameworks = append(out.Frameworks, describe(f))
		}
	}
	for f := range v.CompletedFrameworks.All() {
		out.CompletedFrameworks = append(out.CompletedFrameworks, describe(f))
	}
	return out
}

// framework is what is known of a framework by itself.
func framework(f *cluster.Framework) *masterpb.Response_GetFrameworks_Framework {
	m := &masterpb.Response_GetFrameworks_Framework{
		FrameworkInfo:    clusterpb.FrameworkTo(&f.Info),
		Active:           new(f.Connected()),
		Connected:        new(f.Connected()),
		Recovered:        new(false),
		RegisteredTime:   clusterpb.TimeTo(f.Registered),
		ReregisteredTime: clusterpb.TimeTo(f.Reregistered),
		UnregisteredTime: clusterpb.TimeTo(f.Removed),
	}
	if m.ReregisteredTime == nil {
		m.ReregisteredTime = m.RegisteredTime
	}
	return m
}

func executors(v *cluster.View) *masterpb.Response_GetExecutors {
	out := new(masterpb.Response_GetExecutors)
	for e := range v.Executors.All() {
		out.Executors = append(out.Executors, &masterpb.Response_GetExecutors_Executor{
			ExecutorInfo: clusterpb.ExecutorTo(e.Framework, &e.Info),
			AgentId:      &mesos.AgentID{Value: new(string(e.Agent))},
		})
	}
	return out
}

func tasks(v *cluster.View) *masterpb.Response_GetTasks {
	out := new(masterpb.Response_GetTasks)
	for _, t := range v.Pending {
		out.PendingTasks = append(out.PendingTasks, clusterpb.TaskTo(t))
	}
	for _, t := range v.NeverLaunched {
		out.CompletedTasks = append(out.CompletedTasks, clusterpb.TaskTo(t))
	}
	for t := range v.Tasks.All() {
		out.Tasks = append(out.Tasks, clusterpb.TaskTo(t))
	}
	for t := range v.CompletedTasks.All() {
		if t.Unreachable() {
			out.UnreachableTasks = append(out.UnreachableTasks, clusterpb.TaskTo(t))
		} else {
			out.CompletedTasks = append(out.CompletedTasks, clusterpb.TaskTo(t))
		}
	}
	return out
}

func state(v *cluster.View) *masterpb.Response_GetState {
	return &masterpb.Response_GetState{GetTasks: tasks(v), GetExecutors: executors(v), GetFrameworks: frameworks(v), GetAgents: agents(v)}
}
