package containertest_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/containertest"
	"github.com/meseta/meseta/internal/core"
)

func TestFakeIsASupervisor(t *testing.T) {
	containertest.Run(t, true, func(t *testing.T) containertest.Subject {
		does := map[container.ID]containertest.Behaviour{}
		f := &containertest.Fake{Behave: func(spec container.Spec) containertest.Behaviour { return does[spec.ID] }}
		return containertest.Subject{
			Supervisor: f,
			Spec: func(id container.ID, b containertest.Behaviour) container.Spec {
				does[id] = b
				return spec(id)
			},
			Pass: f.Advance,
		}
	})
}

func spec(id container.ID) container.Spec {
	return container.Spec{ID: id, Argv: []string{"program"}, Dir: "/"}
}

func TestFakeEndsContainersWhenTold(t *testing.T) {
	var f containertest.Fake
	if _, err := f.Launch(t.Context(), spec("a")); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish("a", container.ExitStatus(7)); err != nil {
		t.Fatal(err)
	}
	if got := f.Uncollected(); len(got) != 1 || got[0].Status.ExitCode() != 7 {
		t.Errorf("uncollected: %+v, expected one exit with code 7", got)
	}
	if f.Finish("a", 0) == nil {
		t.Error("what has ended could be finished again")
	}
}

func TestFakeKillsAtTheDeadlineAndNotBefore(t *testing.T) {
	f := containertest.Fake{Behave: func(container.Spec) containertest.Behaviour {
		return containertest.Behaviour{IgnoreTerm: true}
	}}
	f.Launch(t.Context(), spec("a"))
	f.Kill(t.Context(), "a", time.Second)
	if got := f.NextDeadline(); got != time.Second {
		t.Errorf("next deadline %v, expected 1s", got)
	}
	f.Advance(time.Second - 1)
	if !f.Running("a") {
		t.Error("it was killed before its grace was over")
	}
	f.Advance(1)
	if got := f.Uncollected(); len(got) != 1 || got[0].Status.Signal() != syscall.SIGKILL {
		t.Errorf("uncollected: %+v, expected one killed by SIGKILL", got)
	}
	if got := f.NextDeadline(); got != core.Never {
		t.Errorf("next deadline %v, expected none", got)
	}
}

func TestFakeThatDiedLosesWhatRan(t *testing.T) {
	var f containertest.Fake
	f.Launch(t.Context(), spec("runs"))
	f.Launch(t.Context(), spec("ended"))
	f.Finish("ended", container.ExitStatus(1))
	left := f.Die()
	if len(left) != 2 || left[0].Reason != container.ReasonLost || left[1].Status.ExitCode() != 1 {
		t.Errorf("left %+v, expected one lost and one that exited with 1", left)
	}
	if _, err := f.List(context.Background()); !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("it still answers: %v", err)
	}
	for _, err := range f.Exits(t.Context()) {
		if !errors.Is(err, container.ErrUnavailable) {
			t.Errorf("its exits end with %v", err)
		}
	}
}

func TestFakeEndsWhatUsesTooMuchMemory(t *testing.T) {
	var f containertest.Fake
	limited := spec("a")
	limited.Limits.MemoryBytes = 100
	f.Launch(t.Context(), limited)
	if err := f.Use("a", 100, time.Second); err != nil {
		t.Fatal(err)
	}
	stats, err := f.Statistics(t.Context())
	if err != nil || len(stats) != 1 || stats[0].Memory != 100 || stats[0].CPUUser != time.Second || stats[0].Limits.MemoryBytes != 100 {
		t.Errorf("measured %+v, %v", stats, err)
	}
	if err := f.Use("a", 101, 0); err != nil {
		t.Fatal(err)
	}
	if got := f.Uncollected(); len(got) != 1 || got[0].Reason != container.ReasonMemory || got[0].OutOfMemory.Limit != 100 {
		t.Errorf("uncollected: %+v, expected one out of memory", got)
	}
	if f.Use("a", 1, 0) == nil {
		t.Error("what has ended uses something")
	}
}
