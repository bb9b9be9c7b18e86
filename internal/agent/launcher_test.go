package agent

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/node"
)

// slowSupervisor answers a launch when it is let.
type slowSupervisor struct {
	container.Supervisor
	asked  chan struct{}
	answer chan container.Started
	killed chan time.Duration
}

func (s *slowSupervisor) Launch(context.Context, container.Spec) (container.Started, error) {
	close(s.asked)
	return <-s.answer, nil
}

func (s *slowSupervisor) Kill(_ context.Context, _ container.ID, grace time.Duration) error {
	s.killed <- grace
	return nil
}

// slowStart brings container c as far as its supervisor, whose answer is on its way.
func slowStart(t *testing.T) (*launcher, *slowSupervisor, <-chan node.Input) {
	s := &slowSupervisor{asked: make(chan struct{}), answer: make(chan container.Started), killed: make(chan time.Duration, 1)}
	l := newLauncher(s, nil, t.TempDir(), newAccounts(true), slog.New(slog.DiscardHandler))
	reported := make(chan node.Input, 4)
	l.report = func(ins ...node.Input) {
		for _, in := range ins {
			reported <- in
		}
	}
	l.environ = func(node.StartContainer, string) []string { return nil }
	l.wait.Go(l.work)
	t.Cleanup(func() { l.leave(errAgentStops); l.wait.Wait() })
	box := node.Sandbox{Agent: "a", Framework: "f", Executor: "e", Container: "c"}
	l.prepare(node.PrepareSandbox{Sandbox: box})
	l.start(node.StartContainer{Sandbox: box, Command: node.Command{Value: "/bin/true"}})
	<-s.asked
	return l, s, reported
}

func TestEndThatOvertakesItsStartIsToldBehindIt(t *testing.T) {
	l, s, reported := slowStart(t)
	l.exited(container.Exit{ID: "c"})
	s.answer <- container.Started{PID: 42}
	want := []node.Input{node.ContainerStarted{Container: "c", PID: 42}, node.ContainerEnded{Container: "c", End: endOf(container.Exit{ID: "c"})}}
	if diff := cmp.Diff(want, []node.Input{<-reported, <-reported}); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}

func TestKillDuringAStartIsCarriedOutBehindIt(t *testing.T) {
	l, s, reported := slowStart(t)
	l.kill(node.KillContainer{Container: "c", Grace: 5 * time.Second})
	l.kill(node.KillContainer{Container: "c", Grace: 2 * time.Second})
	l.kill(node.KillContainer{Container: "c", Grace: 7 * time.Second})
	s.answer <- container.Started{PID: 42}
	<-reported
	select {
	case grace := <-s.killed:
		if grace != 2*time.Second {
			t.Errorf("killed after %s, expected the shortest of what was asked for", grace)
		}
	case <-time.After(patience):
		t.Error("never killed")
	}
}
