package executor_test

import (
	"errors"
	"testing"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
)

func newClient(t *testing.T, agent *fakeAgent) *executor.Client {
	c, err := executor.NewClient(executor.Config{Environment: environment(agent.Start(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClientGivesEventsAndTakesCalls(t *testing.T) {
	agent := new(fakeAgent)
	c := newClient(t, agent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		sub := agent.Subscription(t)
		if got := sub.Message; got.GetSubscribe().GetUnacknowledgedTasks()[0].GetName() != "t0" || got.GetExecutorId().GetValue() != "E" {
			t.Errorf("SUBSCRIBE %v", got)
		}
		sub.Send(subscribed())
		sub.SendRaw([]byte("\xff"))
		sub.Send(launch("t1"))
		if call := agent.Call(t).Message; call.GetType() != executorpb.Call_MESSAGE || call.GetFrameworkId().GetValue() != "F" {
			t.Errorf("call %v", call)
		}
		sub.End()
	}()
	var got []string
	unacknowledged := &executorpb.Call_Subscribe{UnacknowledgedTasks: []*mesos.TaskInfo{
		{Name: new("t0"), TaskId: taskID("t0"), AgentId: &mesos.AgentID{Value: new("S")}}}}
	for ev, err := range c.Events(t.Context(), unacknowledged) {
		if _, skipped := errors.AsType[*executor.UndecodableError](err); skipped {
			got = append(got, "nonsense")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ev.GetType().String())
		if ev.GetType() == executorpb.Event_LAUNCH {
			call := &executorpb.Call{Type: executorpb.Call_MESSAGE.Enum(), Message: &executorpb.Call_Message{Data: []byte("hi")}}
			if err := c.Call(t.Context(), call); err != nil {
				t.Error(err)
			}
		}
	}
	<-done
	if len(got) != 3 || got[0] != "SUBSCRIBED" || got[1] != "nonsense" || got[2] != "LAUNCH" {
		t.Errorf("events %v", got)
	}
	if got := c.Environment().ExecutorID; got != "E" {
		t.Errorf("environment of executor %q", got)
	}
}

func TestClientReportsRefusals(t *testing.T) {
	agent := new(fakeAgent)
	agent.Subscribing = refuse(400, "Executor cannot be found")
	agent.Answer = func(*executorpb.Call) (int, string) { return 403, "Executor is not subscribed" }
	c := newClient(t, agent)
	for _, err := range c.Events(t.Context(), nil) {
		if status, ok := errors.AsType[*executor.StatusError](err); !ok || status.Code != 400 {
			t.Errorf("error %v", err)
		}
	}
	err := c.Call(t.Context(), &executorpb.Call{Type: executorpb.Call_HEARTBEAT.Enum()})
	if status, ok := errors.AsType[*executor.StatusError](err); !ok || status.Code != 403 {
		t.Errorf("error %v", err)
	}
}
