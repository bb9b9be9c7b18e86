package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	master "github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// weighCore fills the master's core, without a shell around it, and tells what an agent and a live task take of
// the heap. The floor is what they are in bytes on the wire.
func weighCore(ctx context.Context, s sizes) ([]line, error) {
	f := &filler{core: master.New(master.Config{MasterID: "6f1e7c52-9f0b-4b0c-8f6e-0c6f5f0f3a11"}), wall: time.Now(), tasksEach: s.tasksEach}
	empty := heap()
	for n := range s.agents {
		if err := f.addAgent(n); err != nil {
			return nil, err
		}
	}
	withAgents := heap()
	for n := range 10 {
		f.step(master.Subscribe{Stream: master.StreamID(fmt.Sprint("stream-", n)),
			Framework: clusterpb.FrameworkFrom(&mesos.FrameworkInfo{Name: new(fmt.Sprint("framework-", n)), User: new("nobody"), FailoverTimeout: new(3600.0)})})
	}
	for f.tasks < s.agents*s.tasksEach {
		if f.err != nil {
			return nil, f.err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(f.offers) == 0 {
			next := f.core.NextDeadline()
			if next == core.Never {
				return nil, fmt.Errorf("no more offers after %d tasks", f.tasks)
			}
			f.mono = max(f.mono, next)
			f.step(master.Tick{})
			continue
		}
		o := f.offers[0]
		f.offers = f.offers[1:]
		f.use(o)
	}
	f.offers = nil
	withTasks := heap()
	runtime.KeepAlive(f)
	perAgent, perTask := (withAgents-empty)/float64(s.agents), (withTasks-withAgents)/float64(f.tasks)
	return []line{
		{label: fmt.Sprintf("heap of the master's core, each of %d agents", s.agents), value: kib(perAgent), floor: kib(float64(f.agentBytes)),
			aim: "≤ " + kib(aimCoreAgent), reached: perAgent <= aimCoreAgent},
		{label: fmt.Sprintf("  each of %d live tasks", f.tasks), value: kib(perTask), floor: kib(float64(f.taskBytes)),
			aim: "≤ " + kib(aimCoreTask), reached: perTask <= aimCoreTask},
	}, nil
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// filler is the least of a shell: it tells the core at once that records are durable, and collects offers.
type filler struct {
	core      *master.Cluster
	mono      time.Duration
	wall      time.Time
	tasksEach int

	offers []offered
	tasks  int
	err    error

	agentBytes, taskBytes int // of one
}

// offered is an offer, and whose.
type offered struct {
	offer  *master.Offer
	stream master.StreamID
}

func (f *filler) step(in master.Input) {
	f.mono += time.Microsecond
	var tickets []master.Ticket
	for _, out := range f.core.Step(core.Time{Mono: f.mono, Wall: f.wall.Add(f.mono)}, in) {
		switch out := out.(type) {
		case master.Persist:
			tickets = append(tickets, out.Ticket)
		case master.Answer:
			if out.Code != master.Accepted {
				f.err = fmt.Errorf("a call was answered %d: %s", out.Code, out.Text)
			}
		case master.Send:
			switch event := out.Event.(type) {
			case master.Offers:
				for _, o := range event.Offers {
					f.offers = append(f.offers, offered{o, out.Stream})
				}
			case master.Error:
				f.err = fmt.Errorf("a framework heard: %s", event.Message)
			}
		}
	}
	for _, t := range tickets {
		f.step(master.Persisted{Ticket: t})
	}
}

// addAgent registers an agent whose resources are exactly those of its tasks to come.
func (f *filler) addAgent(n int) error {
	scalar := func(name string, value float64) *mesos.Resource {
		return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
	}
	m := &mesos.AgentInfo{Hostname: new(fmt.Sprintf("agent-%05d.cluster.example.com", n)), Port: new(int32(5051)),
		Resources: []*mesos.Resource{scalar("cpus", float64(f.tasksEach)), scalar("mem", float64(f.tasksEach*1024))},
		Attributes: []*mesos.Attribute{{Name: new("rack"), Type: mesos.Value_TEXT.Enum(),
			Text: &mesos.Value_Text{Value: new(fmt.Sprintf("rack-%03d", n/40))}}}}
	wire := clusterpb.Encode(m)
	f.agentBytes = len(wire)
	info := new(mesos.AgentInfo)
	if err := proto.Unmarshal(wire, info); err != nil { // as it comes: what is kept keeps no message alive
		return err
	}
	a, err := clusterpb.AgentFrom(info, fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), "development")
	if err != nil {
		return err
	}
	f.step(master.AgentSubscribe{Link: master.LinkID(n + 1), Info: a})
	return f.err
}

// use fills an offer with tasks, all of which come to run.
func (f *filler) use(o offered) {
	accept := master.Accept{Offers: []ids.OfferID{o.offer.ID}}
	for range f.tasksEach {
		m := serviceTask(f.tasks, string(o.offer.Agent.ID))
		f.tasks++
		wire := clusterpb.Encode(m)
		f.taskBytes = len(wire)
		info := new(mesos.TaskInfo)
		if f.err = proto.Unmarshal(wire, info); f.err != nil {
			return
		}
		accept.Tasks = append(accept.Tasks, clusterpb.TaskFrom(info))
	}
	f.step(master.SchedulerCall{Framework: o.offer.Framework, Stream: o.stream, Call: accept})
	for _, t := range accept.Tasks {
		for i, state := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING} {
			var uuid master.UUID
			binary.BigEndian.PutUint64(uuid[:], uint64(f.tasks))
			uuid[15] = byte(i)
			status, err := clusterpb.StatusFrom(clusterpb.Encode(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(string(t.ID))},
				State: &state, AgentId: &mesos.AgentID{Value: new(string(t.Agent))}, Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(),
				Timestamp: new(1.7e9), Uuid: uuid[:]}))
			if err != nil {
				f.err = err
				return
			}
			f.step(master.AgentUpdate{Link: o.offer.Agent.Link, Framework: o.offer.Framework, Status: status, Latest: state})
			f.step(master.SchedulerCall{Framework: o.offer.Framework, Stream: o.stream,
				Call: master.Acknowledge{Agent: t.Agent, Task: t.ID, UUID: uuid}})
		}
	}
}

// serviceTask is a task like those of a scheduler of services.
func serviceTask(n int, agent string) *mesos.TaskInfo {
	t := task(fmt.Sprintf("service-%03d.instance-%08x-5c1f-11f0-b7b1", n%500, n), &mesos.AgentID{Value: &agent})
	*t.Name = fmt.Sprintf("service-%03d", n%500)
	*t.Resources[1].Scalar.Value = 1024
	t.Command.Value = new("exec /usr/bin/service --listen :$PORT --config /etc/service.conf")
	for _, name := range []string{"PORT", "HOST", "SERVICE"} {
		t.Command.Environment = withVariable(t.Command.Environment, name, fmt.Sprintf("value-%d", n))
	}
	return t
}

func withVariable(e *mesos.Environment, name, value string) *mesos.Environment {
	if e == nil {
		e = new(mesos.Environment)
	}
	e.Variables = append(e.Variables, &mesos.Environment_Variable{Name: &name, Value: &value})
	return e
}
