package executortest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/executor/executortest"
	"github.com/meseta/meseta/internal/stage/stagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
)

// sleeper is an executor whose tasks sleep for as long as their data says, and finish.
type sleeper struct {
	heard []string // touched by callbacks only

	wg    sync.WaitGroup
	mu    sync.Mutex
	tasks map[string]context.CancelCauseFunc // guarded by mu
}

var errKilled = errors.New("killed on request")

func newSleeper() *sleeper { return &sleeper{tasks: map[string]context.CancelCauseFunc{}} }

func (x *sleeper) hear(format string, args ...any) {
	x.heard = append(x.heard, fmt.Sprintf(format, args...))
}

func (x *sleeper) Registered(_ executor.Driver, e *mesos.ExecutorInfo, f *mesos.FrameworkInfo, a *mesos.AgentInfo) {
	x.hear("registered %s", e.GetExecutorId().GetValue())
}
func (x *sleeper) Reregistered(executor.Driver, *mesos.AgentInfo) { x.hear("reregistered") }
func (x *sleeper) Disconnected(executor.Driver)                   { x.hear("disconnected") }
func (x *sleeper) Error(_ executor.Driver, err error)             { x.hear("error %v", err) }

func (x *sleeper) LaunchTask(d executor.Driver, task *mesos.TaskInfo) {
	ctx, cancel := context.WithCancelCause(context.Background())
	x.mu.Lock()
	x.tasks[task.GetTaskId().GetValue()] = cancel
	x.mu.Unlock()
	d.SendStatusUpdate(&mesos.TaskStatus{TaskId: task.TaskId, State: running.Enum()})
	x.wg.Go(func() {
		last := &mesos.TaskStatus{TaskId: task.TaskId, State: finished.Enum()}
		nap, err := time.ParseDuration(string(task.Data))
		if err != nil {
			last.State, last.Message = failed.Enum(), new(err.Error())
		}
		select {
		case <-time.After(nap):
		case <-ctx.Done():
			last.State, last.Message = killed.Enum(), new(context.Cause(ctx).Error())
		}
		cancel(nil)
		d.SendStatusUpdate(last)
	})
}

func (x *sleeper) KillTask(_ executor.Driver, id *mesos.TaskID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if cancel := x.tasks[id.GetValue()]; cancel != nil {
		cancel(errKilled)
	}
}

func (x *sleeper) FrameworkMessage(d executor.Driver, data []byte) {
	d.SendFrameworkMessage(bytes.ToUpper(data))
}

func (x *sleeper) Shutdown(executor.Driver) {
	x.hear("shutdown")
	x.end()
}

func (x *sleeper) end() {
	x.mu.Lock()
	for _, cancel := range x.tasks {
		cancel(errors.New("the executor shuts down"))
	}
	x.mu.Unlock()
	x.wg.Wait()
}

func (x *sleeper) wants(t *testing.T, heard ...string) {
	t.Helper()
	if !slices.Equal(x.heard, heard) {
		t.Errorf("the executor heard %q, want %q", x.heard, heard)
	}
}

func nap(id string, d time.Duration) *mesos.TaskInfo {
	return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}, Data: []byte(d.String())}
}

// with runs a test with an executor on virtual time.
func with(t *testing.T, test func(t *testing.T, x *sleeper, a *executortest.Agent), options ...executortest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := newSleeper()
		test(t, x, executortest.New(t, x, options...))
	})
}

func TestTasksRunToTheirEnd(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("long", time.Hour/2), nap("short", time.Minute), &mesos.TaskInfo{Data: []byte("what?")})
		if s := a.WaitFor("task-2", failed); !strings.Contains(s.GetMessage(), "invalid duration") {
			t.Errorf("task-2: %v", s)
		}
		a.WaitFor("short", finished)
		a.WaitFor("long", running)
		a.WaitFor("long", finished)
		if sent := a.Updates("long"); len(sent) != 2 {
			t.Errorf("%d updates, want 2: %v", len(sent), sent)
		}
		if owed := a.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
		x.wants(t, "registered executor")
	})
}

func TestKillAndMessages(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		a.Send([]byte("hello"))
		if got := a.WaitForMessage(); string(got) != "HELLO" || len(a.Messages()) != 1 {
			t.Errorf("message %q of %d, want HELLO alone", got, len(a.Messages()))
		}
		a.Kill("a")
		if s := a.WaitFor("a", killed); s.GetMessage() != "killed on request" {
			t.Errorf("ended as %v", s)
		}
	})
}

func TestShutdownEndsTasksAndThenTheProcess(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		a.Shutdown()
		if !a.WaitForEnd() {
			t.Error("the driver was not stopped in order")
		}
		a.WaitFor("a", killed)
		x.wants(t, "registered executor", "shutdown")
	})
}

func TestAgentThatIsUpgradedFindsItsExecutor(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", 30*time.Second))
		a.WaitFor("a", running)
		a.Restart(time.Minute) // the task ends meanwhile
		a.WaitFor("a", finished)
		x.wants(t, "registered executor", "disconnected", "reregistered")
		a.Launch(nap("b", time.Second))
		a.WaitFor("b", finished)
	})
}

func TestAgentThatStaysAwayIsTheEnd(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		begin := time.Now()
		a.Restart(10 * time.Minute)
		a.WaitForEnd()
		if took := time.Since(begin); took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("it ended after %v, want the recovery timeout of 5 min, and no more than the grace period", took)
		}
		x.wants(t, "registered executor", "disconnected", "shutdown")
		a.WaitFor("a", failed) // says the agent, when it is back
	}, executortest.RecoveryTimeout(5*time.Minute))
}

func TestLostAcknowledgementIsMadeGoodByTheNextSubscription(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.LoseAcknowledgements(1, "a")
		a.Launch(nap("a", time.Hour), nap("b", time.Hour))
		a.WaitFor("a", running)
		if owed := a.Unacknowledged(); len(owed) != 1 || owed[0].GetTaskId().GetValue() != "a" {
			t.Errorf("not acknowledged: %v, want that of a", owed)
		}
		a.Disconnect()
		if owed := a.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
		if sent := a.Updates("a"); len(sent) != 2 || !bytes.Equal(sent[0].Uuid, sent[1].Uuid) {
			t.Errorf("sent %v, want the same update twice", sent)
		}
		x.wants(t, "registered executor", "disconnected", "reregistered")
	})
}

func TestAcknowledgementCanBeSlow(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.DelayAcknowledgements(1, 3*time.Second)
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		if owed := a.Unacknowledged(); len(owed) != 1 {
			t.Errorf("not acknowledged: %v, want one", owed)
		}
		a.Sleep(3 * time.Second)
		if owed := a.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
	})
}

func TestProcessThatIsKilledLeavesTheRestToItsAgent(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		a.KillProcess()
		if a.WaitForEnd() {
			t.Error("that was no good end")
		}
		s := a.WaitFor("a", failed)
		if s.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED {
			t.Errorf("reason %v", s.GetReason())
		}
		x.end() // which in a process would go with it
	})
}

func TestExecutorIsDescribed(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Second))
		a.WaitFor("a", finished)
		x.wants(t, "registered crawler")
	}, executortest.ExecutorInfo(&mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: new("crawler")}}))
}

// stubborn takes no notice of anything.
type stubborn struct{ executor.Base }

func TestExecutorThatDoesNothingIsToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := executortest.New(t, stubborn{})
		a.Launch(nap("a", time.Second))
		a.Sleep(time.Minute)
		if sent := a.Updates("a"); sent != nil {
			t.Errorf("sent %v", sent)
		}
		a.Wait("that it is over", func() bool { return true })
	})
}

// hung is an executor that does not shut down.
type hung struct {
	executor.Base
	release chan struct{}
}

func (x *hung) Shutdown(executor.Driver) { <-x.release }

func TestExecutorThatDoesNotShutDownIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &hung{release: make(chan struct{})}
		a := executortest.New(t, x, executortest.ExecutorInfo(&mesos.ExecutorInfo{
			ShutdownGracePeriod: &mesos.DurationInfo{Nanoseconds: new(int64(20 * time.Second))}}))
		a.Launch(nap("a", time.Hour))
		a.Sleep(time.Second)
		begin := time.Now()
		a.Shutdown()
		a.WaitFor("a", failed)
		if took := time.Since(begin).Round(time.Second); took != 20*time.Second {
			t.Errorf("killed after %v, want its grace period of 20 s", took)
		}
		close(x.release)
	})
}

func TestShutdownBeforeTheExecutorIsThere(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.Shutdown()
		a.WaitFor("a", failed)
		x.wants(t)
	})
}

func TestWhatIsAskedForWhileTheAgentIsAwayWaits(t *testing.T) {
	with(t, func(t *testing.T, x *sleeper, a *executortest.Agent) {
		a.Launch(nap("a", time.Hour))
		a.WaitFor("a", running)
		a.Restart(time.Minute)
		a.Kill("a")
		a.Launch(nap("b", time.Second))
		a.WaitFor("a", killed)
		a.WaitFor("b", finished)
	})
}

func TestFailureTellsWhatHappened(t *testing.T) {
	for want, test := range map[string]func(a *executortest.Agent){
		`task "a" is not TASK_KILLED after 1h0m0s; its scheduler was told: TASK_RUNNING, TASK_FINISHED`: func(a *executortest.Agent) {
			a.WaitFor("a", killed)
		},
		`task "z" is not TASK_KILLED after 1h0m0s; it was never launched (launched were: a)`: func(a *executortest.Agent) {
			a.WaitFor("z", killed)
		},
		"after 1h0m0s still not: the end":      func(a *executortest.Agent) { a.Wait("the end", func() bool { return false }) },
		"no message 1 after 1h0m0s":            func(a *executortest.Agent) { a.WaitForMessage() },
		"the executor still runs after 1h0m0s": func(a *executortest.Agent) { a.WaitForEnd() },
	} {
		synctest.Test(t, func(t *testing.T) {
			said := stagetest.Complaints(t, func(t testing.TB) {
				a := executortest.New(t, newSleeper())
				a.Launch(nap("a", time.Second))
				a.Settle()
				test(a)
			})
			for _, want := range []string{want, "UPDATE a TASK_RUNNING", "→ executor: LAUNCH a"} {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, want %q in it", said, want)
				}
			}
		})
	}
}
