package clusterpb_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/resources"
)

// small is a cluster of one agent and one framework, which holds an offer.
type small struct {
	c   *cluster.Cluster
	now core.Time
}

func newSmall(tb testing.TB) *small {
	s := &small{c: cluster.New(cluster.Config{MasterID: "M"}), now: core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)}}
	list, err := resources.Parse("cpus:4;mem:1024;ports:[1-10]")
	if err != nil {
		tb.Fatal(err)
	}
	s.step(cluster.Subscribe{Stream: "s", Framework: cluster.FrameworkInfo{ID: "F", Name: "f", User: "u"}})
	s.step(cluster.AgentSubscribe{Link: 1, ID: "A", Info: cluster.AgentInfo{Hostname: "h", Resources: list}})
	s.now = s.now.Add(time.Second)
	s.step(cluster.Tick{})
	return s
}

// step applies an input, has every record made durable at once, and encodes everything that goes out.
func (s *small) step(in cluster.Input) {
	var tickets []cluster.Ticket
	for _, out := range s.c.Step(s.now, in) {
		switch out := out.(type) {
		case cluster.Persist:
			tickets = append(tickets, out.Ticket)
		case cluster.Send:
			clusterpb.EventTo(out.Event, &clusterpb.Greeting{})
		}
	}
	for _, t := range tickets {
		s.step(cluster.Persisted{Ticket: t})
	}
}

// FuzzCall puts whatever decodes as a scheduler's call to a core. Nothing that a scheduler sends may
// break a master.
func FuzzCall(f *testing.F) {
	seed := func(m *schedulerpb.Call) {
		m.FrameworkId = &mesos.FrameworkID{Value: new("F")}
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	cpus := []*mesos.Resource{{Name: new("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: new(1.0)}}}
	seed(&schedulerpb.Call{Type: schedulerpb.Call_ACCEPT.Enum(), Accept: &schedulerpb.Call_Accept{
		OfferIds: []*mesos.OfferID{{Value: new("M-O0")}},
		Operations: []*mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{
			TaskInfos: []*mesos.TaskInfo{
				{Name: new("t"), TaskId: &mesos.TaskID{Value: new("t")}, AgentId: &mesos.AgentID{Value: new("A")}, Resources: cpus,
					Command: &mesos.CommandInfo{Value: new("true")}},
				{Name: new("u"), TaskId: &mesos.TaskID{Value: new("u")}, AgentId: &mesos.AgentID{Value: new("A")}, Resources: cpus,
					Executor: &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: new("e")}, Resources: cpus}},
			}}}}}})
	seed(&schedulerpb.Call{Type: schedulerpb.Call_DECLINE.Enum(), Decline: &schedulerpb.Call_Decline{
		OfferIds: []*mesos.OfferID{{Value: new("M-O0")}}, Filters: &mesos.Filters{RefuseSeconds: new(1e300)}}})
	seed(&schedulerpb.Call{Type: schedulerpb.Call_RECONCILE.Enum(), Reconcile: &schedulerpb.Call_Reconcile{}})
	seed(&schedulerpb.Call{Type: schedulerpb.Call_TEARDOWN.Enum()})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(schedulerpb.Call)
		if proto.Unmarshal(data, m) != nil || clusterpb.CallProblem(m) != "" {
			return
		}
		s := newSmall(t)
		if m.GetType() == schedulerpb.Call_SUBSCRIBE {
			s.step(cluster.Subscribe{Stream: "t", Framework: clusterpb.FrameworkFrom(m.Subscribe.GetFrameworkInfo())})
			return
		}
		call, err := clusterpb.CallFrom(m)
		if err != nil {
			return
		}
		s.step(cluster.SchedulerCall{Framework: "F", Stream: "s", Call: call})
		s.now = s.now.Add(time.Minute)
		s.step(cluster.Tick{})
	})
}

// FuzzAgent puts whatever decodes as an agent's message to a core: first as what opens a link, then as
// what follows on it.
func FuzzAgent(f *testing.F) {
	seed := func(m *linkpb.AgentMessage) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	status := clusterpb.Encode(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new("t")}, State: mesos.TaskState_TASK_RUNNING.Enum(),
		Uuid: []byte("0123456789abcdef")})
	task := clusterpb.Encode(&mesos.TaskInfo{Name: new("t"), TaskId: &mesos.TaskID{Value: new("t")},
		AgentId: &mesos.AgentID{Value: new("A")}, Command: &mesos.CommandInfo{Value: new("true")}})
	framework := clusterpb.Encode(&mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new("F")}, Name: new("f"), User: new("u")})
	seed(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_Update{Update: &linkpb.Update{FrameworkId: "F", Status: status, LatestState: 1}}})
	seed(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_FrameworkGone{FrameworkGone: &linkpb.FrameworkGone{FrameworkId: "F"}}})
	seed(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_Unregister{Unregister: &linkpb.Unregister{}}})
	seed(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: &linkpb.Subscribe{Version: 1, AgentId: "B",
		AgentInfo:  clusterpb.Encode(&mesos.AgentInfo{Hostname: new("h")}),
		Tasks:      []*linkpb.Task{{FrameworkId: "F", TaskInfo: task, State: 1, Statuses: [][]byte{status}}},
		Frameworks: []*linkpb.Framework{{FrameworkInfo: framework}}}}})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(linkpb.AgentMessage)
		if proto.Unmarshal(data, m) != nil {
			return
		}
		s := newSmall(t)
		if sub := m.GetSubscribe(); sub != nil {
			in, err := clusterpb.AgentSubscribeFrom(2, sub, "127.0.0.1")
			if err != nil {
				return
			}
			s.step(in)
		} else if in, err := clusterpb.AgentInputFrom(1, m); err == nil && in != nil {
			s.step(in)
		}
		s.now = s.now.Add(10 * time.Minute)
		s.step(cluster.Tick{})
	})
}
