package schedulercore_test

import (
	"strconv"
	"testing"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/core"
	. "github.com/meseta/meseta/internal/sdk/schedulercore"
)

// BenchmarkTask is what the core costs per task: an offer, its launch, three updates, their callbacks and
// acknowledgements.
func BenchmarkTask(b *testing.B) {
	cfg := newPlayer().cfg
	cfg.Pending.Items = 1000
	c := New(cfg)
	now := core.Time{}
	step := func(in Input) {
		for queue := []Input{in}; len(queue) > 0; queue = queue[1:] {
			for _, out := range c.Step(now, queue[0]) {
				switch out := out.(type) {
				case Send:
					queue = append(queue, Answered{Stream: out.Stream, Call: out.Call})
				case Callback:
					queue = append(queue, Returned{})
				}
			}
		}
	}
	step(Start{})
	step(Received{Stream: 1, Event: &schedulerpb.Event{
		Type: schedulerpb.Event_SUBSCRIBED.Enum(), Subscribed: &schedulerpb.Event_Subscribed{FrameworkId: &mesos.FrameworkID{Value: new("F")}}}})
	agent := &mesos.AgentID{Value: new("S")}
	// Ten thousand tasks are alive beside.
	for i := range 10_000 {
		step(Launch{Offers: []*mesos.OfferID{{Value: new("O")}}, Tasks: []*mesos.TaskInfo{{TaskId: taskID("x" + strconv.Itoa(i)), AgentId: agent}}})
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		id := taskID(strconv.Itoa(n))
		offer := &mesos.OfferID{Value: new(strconv.Itoa(n))}
		step(Received{Stream: 1, Event: &schedulerpb.Event{Type: schedulerpb.Event_OFFERS.Enum(),
			Offers: &schedulerpb.Event_Offers{Offers: []*mesos.Offer{{Id: offer}}}}})
		step(Launch{Offers: []*mesos.OfferID{offer}, Tasks: []*mesos.TaskInfo{{TaskId: id, AgentId: agent}}})
		for _, state := range []mesos.TaskState{mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED} {
			step(Received{Stream: 1, Event: &schedulerpb.Event{Type: schedulerpb.Event_UPDATE.Enum(),
				Update: &schedulerpb.Event_Update{Status: &mesos.TaskStatus{TaskId: id, AgentId: agent, State: &state, Uuid: []byte("0123456789abcdef")}}}})
		}
	}
}
