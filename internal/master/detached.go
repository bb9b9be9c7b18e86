package master

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	registrypb "github.com/meseta/meseta/api/meseta/registry/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/demand/demandpb"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// detachedTasks is the framework of detached tasks: its core, and its connection to the cluster's core, for
// which it is a scheduler like any other. The loop owns both. What one wants of the other waits in a queue
// until a step of the other is over, since the outputs of a step last until the next one.
type detachedTasks struct {
	core    *detached.Core
	events  []detached.Input
	answers map[detached.Request]chan<- detached.Answer
	last    detached.Request

	framework ids.FrameworkID  // subscribed as, last
	stream    cluster.StreamID // of the subscription that holds; empty if none does
	next      cluster.StreamID // of the one that is to take its place
	refusal   string           // why the next one is about to end
}

func newDetachedTasks(m *Master) *detachedTasks {
	return &detachedTasks{
		core:    detached.New(detached.Config{MasterID: m.id, Epoch: m.epoch}),
		answers: make(map[detached.Request]chan<- detached.Answer),
	}
}

// isTheirs tells whether a framework is that of the detached tasks, for which nobody else may subscribe.
func (d *detachedTasks) isTheirs(id ids.FrameworkID) bool { return id != "" && id == d.framework }

// has tells whether a stream is ours.
func (d *detachedTasks) has(s cluster.StreamID) bool {
	return s != "" && (s == d.stream || s == d.next)
}

// ask puts a request to the core. Answers are buffered, so that giving one never blocks.
func (d *detachedTasks) ask(in detached.Input, reply chan<- detached.Answer) {
	if reply != nil {
		d.last++
		d.answers[d.last] = reply
	}
	switch r := in.(type) {
	case detached.Run:
		r.Request = d.last
		in = r
	case detached.Kill:
		r.Request = d.last
		in = r
	}
	d.hear(in)
}

func (d *detachedTasks) hear(in detached.Input) { d.events = append(d.events, in) }

// event takes what the cluster tells the framework.
func (d *detachedTasks) event(out cluster.Send) {
	switch e := out.Event.(type) {
	case cluster.Subscribed:
		d.stream, d.next = out.Stream, ""
		d.hear(detached.Subscribed{})
	case cluster.Offers:
		offers := make(detached.Offers, len(e.Offers))
		for i, o := range e.Offers {
			offers[i] = detached.Offer{ID: o.ID, Agent: o.Agent.ID, Role: o.Role, Resources: o.Resources}
		}
		d.hear(offers)
	case cluster.Update:
		s := &e.Status
		d.hear(detached.Status{Task: s.Task, Agent: s.Agent, State: s.State, Reason: s.Reason,
			UUID: detached.UUID(s.UUID), Text: s.Message})
	case cluster.Error:
		if out.Stream == d.next {
			d.refusal = e.Message
		}
	}
}

// closed takes note of a stream's end. One that has a successor was ended by that.
func (d *detachedTasks) closed(s cluster.StreamID) {
	if s == d.stream && d.next != "" {
		return
	}
	d.hear(detached.Closed{Reason: d.refusal})
	d.stream, d.next, d.refusal = "", "", ""
}

// stepDetached lets the detached tasks take in what was said to them, until both cores are at rest.
func (l *loop) stepDetached() {
	d := l.detached
	for len(d.events) > 0 {
		in := d.events[0]
		d.events = slices.Delete(d.events, 0, 1)
		for _, out := range d.core.Step(l.now(), in) {
			l.carryOutDetached(out)
		}
	}
}

func (l *loop) carryOutDetached(out detached.Output) {
	d := l.detached
	switch out := out.(type) {
	case detached.Subscribe:
		d.framework, d.next = out.Framework, cluster.StreamID(uuid.NewString())
		l.tell(cluster.Subscribe{Stream: d.next, Framework: detachedFramework(out), Suppressed: out.Suppressed})
	case detached.Accept:
		accept := cluster.Accept{Offers: []ids.OfferID{out.Offer}}
		for _, launch := range out.Launches {
			accept.Tasks = append(accept.Tasks, taskOf(launch, out.Agent))
		}
		l.call(accept)
	case detached.Decline:
		l.call(cluster.Decline{Offers: []ids.OfferID{out.Offer}, Refuse: out.Refuse})
	case detached.Revive:
		l.call(cluster.Revive{Roles: out})
	case detached.Suppress:
		l.call(cluster.Suppress{Roles: out})
	case detached.Acknowledge:
		l.call(cluster.Acknowledge{Agent: out.Agent, Task: out.Task, UUID: cluster.UUID(out.UUID)})
	case detached.End:
		l.call(cluster.Kill{Task: out.Task, Agent: out.Agent})
	case detached.Reconcile:
		var r cluster.Reconcile
		for _, t := range out {
			r.Tasks = append(r.Tasks, cluster.ReconcileTask{Task: t.Task, Agent: t.Agent})
		}
		l.call(r)
	case detached.Persist:
		changes := make([]registry.Op, len(out.Records))
		for i, r := range out.Records {
			changes[i] = detachedChange(r)
		}
		l.m.registrar.put(changes, delivery{detached: detached.Persisted{Ticket: out.Ticket}})
	case detached.Answer:
		if reply := d.answers[out.Request]; reply != nil {
			delete(d.answers, out.Request)
			reply <- out
		}
	case detached.Notice:
		l.log.Info(out.Text, out.Attrs...)
	}
}

// call makes a scheduler's call of the framework of detached tasks.
func (l *loop) call(c cluster.Call) {
	l.tell(cluster.SchedulerCall{Framework: l.detached.framework, Stream: l.detached.stream, Call: c})
}

// tell steps the cluster's core on behalf of the detached tasks.
func (l *loop) tell(in cluster.Input) {
	for _, out := range l.core.Step(l.now(), in) {
		if a, ok := out.(cluster.Answer); ok {
			if a.Code != cluster.Accepted {
				l.log.Debug("a call of the detached tasks was refused", "call", in, "why", a.Text)
			}
			continue
		}
		l.carryOut(out)
	}
}

// detachedFailover outlasts every restart of a master; while one leads, the framework is connected.
const detachedFailover = 10 * 365 * 24 * time.Hour

func detachedFramework(s detached.Subscribe) cluster.FrameworkInfo {
	info := &mesos.FrameworkInfo{
		Id:              &mesos.FrameworkID{Value: new(string(s.Framework))},
		Name:            new("meseta run --detach"),
		User:            new("nobody"), // every task names its own
		FailoverTimeout: new(detachedFailover.Seconds()),
		Checkpoint:      new(true),
	}
	for _, r := range s.Roles {
		info.Roles = append(info.Roles, string(r))
	}
	for _, c := range []mesos.FrameworkInfo_Capability_Type{
		mesos.FrameworkInfo_Capability_MULTI_ROLE, mesos.FrameworkInfo_Capability_PARTITION_AWARE,
		mesos.FrameworkInfo_Capability_GPU_RESOURCES, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT,
		mesos.FrameworkInfo_Capability_TASK_KILLING_STATE,
	} {
		info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
	}
	return clusterpb.FrameworkFrom(info)
}

// taskOf makes a task of its description and its share of an offer.
func taskOf(l detached.Launch, agent ids.AgentID) cluster.TaskInfo {
	t := new(mesos.TaskInfo)
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(l.Spec, t); err != nil {
		return cluster.TaskInfo{ID: l.Task, Agent: agent, HasCommand: true, Problem: "its description cannot be read: " + err.Error()}
	}
	t.TaskId = &mesos.TaskID{Value: new(string(l.Task))}
	t.AgentId = &mesos.AgentID{Value: new(string(agent))}
	demandpb.Give(t, l.Share, resourcepb.Stacked)
	return clusterpb.LaunchFrom(t)
}

// detachedChange gives a record as a change of the registry.
func detachedChange(r detached.Record) registry.Op {
	switch r := r.(type) {
	case detached.KeepFramework:
		return registry.KeepDetachedFramework{ID: r.ID}
	case detached.DropFramework:
		return registry.DropDetachedFramework{ID: r.ID}
	case detached.DropTask:
		return registry.DropDetachedTask{ID: r.ID}
	case detached.KeepTask:
		t, d := &r.Task, &r.Task.Demand
		return registry.KeepDetachedTask{ID: t.ID, Task: clusterpb.Encode(&registrypb.DetachedTaskState{
			Name: t.Name, Role: string(t.Role), Spec: t.Spec, Created: t.Created.UnixNano(),
			Agent: string(t.Agent), Killed: t.Killed,
			Cpus: int64(d.CPUs), Mem: int64(d.Mem), Disk: int64(d.Disk), Gpus: int64(d.GPUs), Ports: int64(d.Ports),
		})}
	}
	panic("master: detached record of unknown type")
}
