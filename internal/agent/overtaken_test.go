package agent

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/node"
)

// An executor that hangs up while its subscription waits at the front door is taken off by the back door, which
// may be the faster one. It must not count as subscribed afterwards: tasks would be handed to nobody.
func TestSubscriptionOfSomebodyWhoLeftIsNone(t *testing.T) {
	info, err := proto.Marshal(frameworkInfo())
	if err != nil {
		t.Fatal(err)
	}
	framework, err := decodeFramework(info)
	if err != nil {
		t.Fatal(err)
	}
	core := node.New(node.Config{Boot: "b"})
	l := newLoop(&agent{}, core, slog.New(slog.DiscardHandler))
	for _, r := range []node.Record{node.FrameworkRecord{Framework: framework}, node.ExecutorRecord{Framework: framework.ID, Executor: "E", Container: "c"}} {
		l.step(delivery{in: node.Replayed{Record: r}})
	}
	l.step(delivery{in: node.Recovered{Containers: []node.ContainerState{{Container: "c", PID: 7}}}})

	s := new(subscriber)
	s.close(errors.New("hung up"))
	answer := make(chan node.Answer, 2)
	l.step(delivery{in: node.StreamClosed{Stream: 1}})
	l.step(delivery{in: node.ExecutorSubscribes{Request: 1, Stream: 1, Framework: framework.ID, Executor: "E"}, stream: s, answer: answer})
	if len(l.streams) != 0 {
		t.Error("the stream of somebody who left is kept")
	}
	l.step(delivery{in: node.ExecutorBeats{Request: 2, Framework: framework.ID, Executor: "E"}, answer: answer})
	if got := <-answer; got.Status != http.StatusForbidden {
		t.Errorf("the executor counts as subscribed: %v", got)
	}
}

// A start whose sandbox nobody makes any more must not hold up the end of the agent.
func TestLauncherEndsWithAStartThatWaitsForItsSandbox(t *testing.T) {
	l := newLauncher(nil, nil, t.TempDir(), newAccounts(true), slog.New(slog.DiscardHandler))
	l.report = func(...node.Input) { t.Error("something was reported") }
	box := node.Sandbox{Agent: "a", Framework: "f", Executor: "e", Container: "c"}
	l.prepare(node.PrepareSandbox{Sandbox: box}) // and no worker runs
	l.start(node.StartContainer{Sandbox: box, Command: node.Command{URIs: []node.URI{{Value: "/nothing"}}}})
	l.leave(errAgentStops)
	ended := make(chan struct{})
	go func() { l.wait.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the start still waits")
	}
}

func TestStatusesThatCannotBeShownAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*mesos.TaskStatus)
		want   string
	}{
		{"no name for the state", func(s *mesos.TaskStatus) { s.State = new(mesos.TaskState(999)) },
			"Received the unknown state 999 from executor E of framework framework-1"},
		{"a uuid that names nothing", func(s *mesos.TaskStatus) { s.Uuid = make([]byte, 16) }, "Not a valid UUID"},
	} {
		s := status("t1", mesos.TaskState_TASK_RUNNING, 1)
		c.change(s)
		if got := statusProblem(call(0), s); got != c.want {
			t.Errorf("%s: %q, expected %q", c.name, got, c.want)
		}
	}
	s := status("t1", mesos.TaskState_TASK_RUNNING, 1)
	s.Reason = new(mesos.TaskStatus_Reason(999))
	if u, err := statusFrom(s); err != nil || u.Status.Reason != node.NoReason {
		t.Errorf("a reason without a name: %v %v, expected none", u.Status.Reason, err)
	}
}
