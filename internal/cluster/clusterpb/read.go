package clusterpb

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// OfferTo is an offer as its scheduler sees it. Schedulers compare resources as a whole with those that
// they want, so each finds in them only what its capabilities say it knows of.
func OfferTo(o *cluster.Offer) *mesos.Offer {
	a := o.Agent
	m := &mesos.Offer{
		Id:          &mesos.OfferID{Value: new(string(o.ID))},
		FrameworkId: &mesos.FrameworkID{Value: new(string(o.Framework))},
		AgentId:     &mesos.AgentID{Value: new(string(a.ID))},
		Hostname:    &a.Info.Hostname,
		Url:         agentURL(&a.Info),
		Attributes:  attributes(&a.Info),
	}
	format := resourcepb.Classic
	if o.Reader.Has(mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT) {
		format = resourcepb.Stacked
	}
	m.Resources = resourcepb.ToProto(o.Resources, format)
	if o.Reader.Has(mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		m.AllocationInfo = &mesos.Resource_AllocationInfo{Role: new(string(o.Role))}
		return m
	}
	for _, r := range m.Resources {
		r.AllocationInfo = nil
	}
	return m
}

func attributes(a *cluster.AgentInfo) (out []*mesos.Attribute) {
	for _, raw := range a.Attributes {
		m := new(mesos.Attribute)
		decode(raw, m)
		out = append(out, m)
	}
	return out
}

func agentURL(a *cluster.AgentInfo) *mesos.URL {
	return &mesos.URL{
		Scheme:  new("http"),
		Address: &mesos.Address{Hostname: &a.Hostname, Ip: &a.IP, Port: &a.Port},
		Path:    new("/slave(1)"),
	}
}

// AgentTo is an agent with its id, as readers see it.
func AgentTo(a *cluster.Agent) *mesos.AgentInfo {
	m := new(mesos.AgentInfo)
	decode(a.Info.Raw, m)
	m.Id = &mesos.AgentID{Value: new(string(a.ID))}
	return m
}

// TaskTo is a task as readers see it.
func TaskTo(t *cluster.Task) *mesos.Task {
	info := new(mesos.TaskInfo)
	decode(t.Info.Raw, info)
	m := &mesos.Task{
		Name:        &t.Info.Name,
		TaskId:      &mesos.TaskID{Value: new(string(t.Key.Task))},
		FrameworkId: &mesos.FrameworkID{Value: new(string(t.Key.Framework))},
		AgentId:     &mesos.AgentID{Value: new(string(t.Info.Agent))},
		State:       t.State.Enum(),
		Resources:   resourcepb.ToProto(t.Info.Resources, resourcepb.Stacked),
		Labels:      info.Labels,
		Discovery:   info.Discovery,
		Container:   info.Container,
		HealthCheck: info.HealthCheck,
		KillPolicy:  info.KillPolicy,
	}
	if info.Command != nil {
		m.User = info.Command.User
	}
	if e := t.Info.Executor; e != nil {
		m.ExecutorId = &mesos.ExecutorID{Value: new(string(e.ID))}
	}
	for i := range t.Statuses {
		m.Statuses = append(m.Statuses, StatusTo(&t.Statuses[i]))
	}
	if t.Shown.Task != "" {
		m.StatusUpdateState = t.Shown.State.Enum()
		if t.Shown.UUID != (cluster.UUID{}) {
			m.StatusUpdateUuid = t.Shown.UUID[:]
		}
	}
	return m
}

// TimeTo is a moment's wall time; nil for the zero moment.
func TimeTo(t core.Time) *mesos.TimeInfo {
	if t.Wall.IsZero() {
		return nil
	}
	return &mesos.TimeInfo{Nanoseconds: new(t.Wall.UnixNano())}
}
