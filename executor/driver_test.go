package executor_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
)

const (
	starting = mesos.TaskState_TASK_STARTING
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	killed   = mesos.TaskState_TASK_KILLED
)

func TestCallbacksInTheOrderOfEvents(t *testing.T) {
	for name, codec := range map[string]executor.Codec{"protobuf": executor.Protobuf, "json": executor.JSON} {
		t.Run(name, func(t *testing.T) {
			s := register(t, nil, func(c *executor.Config) { c.Codec = codec })
			if got := s.sub.Message; got.GetFrameworkId().GetValue() != "F" || got.GetExecutorId().GetValue() != "E" {
				t.Errorf("subscribed with %v", got)
			}
			s.sub.Send(launch("t1"), kill("t1"), message("hi"), event(executorpb.Event_HEARTBEAT))
			s.executor.hears(t, "launch t1", "kill t1", "message hi")
			s.sub.End()
			s.executor.hears(t, "disconnected")
			s.subscribe(t)
			s.executor.hears(t, "reregistered localhost")
			s.sub.Send(event(executorpb.Event_SHUTDOWN))
			s.executor.hears(t, "shutdown")
			s.ends(t, executor.Stopped)
		})
	}
}

func TestUpdatesAreFilledIn(t *testing.T) {
	s := register(t, nil)
	given := status("t1", running)
	given.Source = mesos.TaskStatus_SOURCE_AGENT.Enum()
	given.Message = new("hi")
	before := time.Now()
	if got := s.driver.SendStatusUpdate(given); got != executor.Running {
		t.Errorf("SendStatusUpdate() = %v", got)
	}
	got := s.update(t, "t1", running)
	if len(got.GetUuid()) != 16 || got.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || got.GetMessage() != "hi" {
		t.Errorf("update %v", got)
	}
	if at := time.UnixMicro(int64(got.GetTimestamp() * 1e6)); at.Before(before.Truncate(time.Microsecond).Add(-time.Microsecond)) || at.After(time.Now()) {
		t.Errorf("update of %v, which is not now", at)
	}
	if given.Uuid != nil || given.Timestamp != nil {
		t.Errorf("the caller's status was changed: %v", given)
	}
	// The same status sent again is another update.
	s.driver.SendStatusUpdate(given)
	if again := s.update(t, "t1", running); string(again.GetUuid()) == string(got.GetUuid()) {
		t.Error("two updates with one uuid")
	}
}

func TestUpdatesAreKeptUntilAcknowledged(t *testing.T) {
	s := register(t, nil)
	s.sub.Send(launch("t1"), launch("t2"))
	s.executor.hears(t, "launch t1", "launch t2")
	s.driver.SendStatusUpdate(status("t1", starting))
	s.driver.SendStatusUpdate(status("t1", running))
	first := s.update(t, "t1", starting)
	second := s.unacknowledged(t, "t1", running)
	s.sub.Send(message("sync"))
	s.executor.hears(t, "message sync") // so the acknowledgement has been taken

	s.sub.Cut()
	s.executor.hears(t, "disconnected")
	s.driver.SendStatusUpdate(status("t1", finished))
	unacknowledged := s.subscribe(t)
	s.executor.hears(t, "reregistered localhost")

	// What was sent while nobody was there goes along with SUBSCRIBE or behind it, in order.
	updates := unacknowledged.GetUnacknowledgedUpdates()
	if len(updates) == 0 || string(updates[0].GetStatus().GetUuid()) != string(second.GetUuid()) {
		t.Fatalf("SUBSCRIBE with the updates %v, want those after %v", updates, first)
	}
	if len(updates) == 1 {
		s.update(t, "t1", finished)
	} else if got := updates[1].GetStatus().GetState(); got != finished {
		t.Errorf("second unacknowledged update is %v, want %v", got, finished)
	}
	tasks := unacknowledged.GetUnacknowledgedTasks()
	if len(tasks) != 1 || tasks[0].GetTaskId().GetValue() != "t2" {
		t.Errorf("SUBSCRIBE with the tasks %v, want t2", tasks)
	}
}

// An update whose answer is lost is in the next SUBSCRIBE, and the one behind it does not overtake it.
func TestUpdatesKeepTheirOrder(t *testing.T) {
	agent := new(fakeAgent)
	agent.Answer = func(call *executorpb.Call) (int, string) {
		if call.GetUpdate().GetStatus().GetState() == starting {
			return 0, "" // cut the connection
		}
		return 202, ""
	}
	s := &session{agent: agent, executor: newRecorder(nil)}
	s.run(t, environment(agent.Start(t)))
	s.subscribe(t)
	s.executor.hears(t, "registered E demo localhost")
	s.driver.SendStatusUpdate(status("t1", starting))
	s.driver.SendStatusUpdate(status("t1", running))
	s.unacknowledged(t, "t1", starting)
	s.executor.hears(t, "disconnected")
	updates := s.subscribe(t).GetUnacknowledgedUpdates()
	if len(updates) != 2 || updates[0].GetStatus().GetState() != starting || updates[1].GetStatus().GetState() != running {
		t.Errorf("SUBSCRIBE with the updates %v", updates)
	}
	if n := agent.Calls(); n != 0 {
		t.Errorf("%d more calls: an update has overtaken another", n)
	}
}

func TestSlowCallbackDelaysOnlyCallbacks(t *testing.T) {
	release := make(chan struct{})
	s := register(t, func(d executor.Driver, what string) {
		if what == "launch t1" {
			<-release
		}
	})
	s.sub.Send(launch("t1"), kill("t1"))
	s.executor.hears(t, "launch t1")

	s.driver.SendStatusUpdate(status("t1", running))
	s.update(t, "t1", running)
	s.driver.SendFrameworkMessage([]byte("hi"))
	if call := s.agent.Call(t).Message; string(call.GetMessage().GetData()) != "hi" {
		t.Errorf("the driver calls %v, want the message", call)
	}
	select {
	case what := <-s.executor.said:
		t.Fatalf("callback %q while another is out", what)
	default:
	}
	close(release)
	s.executor.hears(t, "kill t1")
}

func TestAnyMethodInsideACallback(t *testing.T) {
	done := make(chan struct{})
	s := register(t, func(d executor.Driver, what string) {
		if what != "launch t1" {
			return
		}
		d.Start()
		d.SendStatusUpdate(status("t1", running))
		d.SendFrameworkMessage([]byte("hi"))
		d.Err()
		d.Stop()
		d.Join()
		d.Run(context.Background())
		d.Abort()
		close(done)
	})
	s.sub.Send(launch("t1"))
	s.update(t, "t1", running) // Stop waits for it
	fakeserver.Wait(t, done, "end of the callback")
	s.ends(t, executor.Stopped)
}

// Calls in a wrong state do nothing and return the status.
func TestCallsReturnTheStatus(t *testing.T) {
	expect := func(name string, got, want executor.Status) {
		t.Helper()
		if got != want {
			t.Errorf("%s() = %v, want %v", name, got, want)
		}
	}
	agent := new(fakeAgent)
	d, err := executor.NewDriver(executor.Base{}, executor.Config{Environment: environment(agent.Start(t))})
	if err != nil {
		t.Fatal(err)
	}
	all := func(want executor.Status) {
		t.Helper()
		expect("SendStatusUpdate", d.SendStatusUpdate(status("t", running)), want)
		expect("SendFrameworkMessage", d.SendFrameworkMessage(nil), want)
	}
	all(executor.NotStarted)
	expect("Stop", d.Stop(), executor.NotStarted)
	expect("Abort", d.Abort(), executor.NotStarted)
	expect("Join", d.Join(), executor.NotStarted)
	expect("Start", d.Start(), executor.Running)
	expect("Start again", d.Start(), executor.Running)
	all(executor.Running)
	expect("Abort", d.Abort(), executor.Aborted)
	all(executor.Aborted)
	expect("Start", d.Start(), executor.Aborted)
	expect("Join", d.Join(), executor.Aborted)
	expect("Run", d.Run(t.Context()), executor.Aborted)
	expect("Stop", d.Stop(), executor.Aborted)
	expect("Stop again", d.Stop(), executor.Stopped)
	expect("Join", d.Join(), executor.Stopped)
	all(executor.Stopped)
}

func TestShutdownWaitsForAcknowledgements(t *testing.T) {
	s := register(t, func(d executor.Driver, what string) {
		if what == "shutdown" {
			d.SendStatusUpdate(status("t1", killed))
		}
	})
	s.sub.Send(launch("t1"), event(executorpb.Event_SHUTDOWN))
	s.executor.hears(t, "launch t1", "shutdown")
	last := s.unacknowledged(t, "t1", killed)
	select {
	case got := <-s.status:
		t.Fatalf("Run() = %v before the update is acknowledged", got)
	default:
	}
	s.sub.Send(acknowledged(last))
	s.ends(t, executor.Stopped)
	s.sub.Left(t)
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	s := register(t, func(d executor.Driver, what string) {
		if what == "shutdown" {
			d.SendStatusUpdate(status("t1", killed))
		}
	}, func(c *executor.Config) { c.Environment.ShutdownGracePeriod = 20 * time.Millisecond })
	s.sub.Send(event(executorpb.Event_SHUTDOWN))
	s.ends(t, executor.Stopped)
}

func TestLostAgentIsFoundAgain(t *testing.T) {
	agent := new(fakeAgent)
	s := &session{agent: agent, executor: newRecorder(nil)}
	attempts := 0
	agent.Subscribing = func(w http.ResponseWriter, r *http.Request) bool {
		// Like an agent that has been restarted: at first it is not there, then it does not know yet.
		switch attempts++; attempts {
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			return refuse(503, "recovering")(w, r)
		case 4:
			return refuse(400, "Executor cannot be found")(w, r)
		}
		return false
	}
	s.run(t, environment(agent.Start(t)))
	s.subscribe(t)
	s.executor.hears(t, "registered E demo localhost")
	s.sub.Cut()
	s.executor.hears(t, "disconnected")
	s.subscribe(t)
	s.executor.hears(t, "reregistered localhost")
}

func TestLostAgentMeansShutdown(t *testing.T) {
	for name, change := range map[string]func(*executor.Config){
		"after the recovery timeout": func(c *executor.Config) { c.Environment.RecoveryTimeout = 20 * time.Millisecond },
		"at once without checkpoint": func(c *executor.Config) { c.Environment.Checkpoint = false },
	} {
		t.Run(name, func(t *testing.T) {
			s := register(t, nil, change)
			s.agent.Subscribing = refuse(503, "gone for good")
			s.sub.Cut()
			s.executor.hears(t, "disconnected", "shutdown")
			s.ends(t, executor.Stopped)
		})
	}
}

func TestErrorAbortsBeforeItIsCalled(t *testing.T) {
	var inside executor.Status
	s := register(t, func(d executor.Driver, what string) {
		if strings.HasPrefix(what, "error") {
			inside = d.SendStatusUpdate(status("t1", running))
		}
	})
	failed := event(executorpb.Event_ERROR)
	failed.Error = &executorpb.Event_Error{Message: new("no")}
	s.sub.Send(failed)
	s.ends(t, executor.Aborted)
	if inside != executor.Aborted {
		t.Errorf("inside Error: %v, want %v", inside, executor.Aborted)
	}
	s.executor.hears(t, "error the agent ends the subscription: no")
	if err := s.driver.Err(); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("Err() = %v", err)
	}
}

func TestAgentThatDoesNotKnowItsExecutorIsAnError(t *testing.T) {
	s := &session{agent: new(fakeAgent), executor: newRecorder(nil)}
	s.agent.Subscribing = refuse(400, "Executor cannot be found")
	s.run(t, environment(s.agent.Start(t)))
	s.ends(t, executor.Aborted)
	if err := s.driver.Err(); err == nil || !strings.Contains(err.Error(), "Executor cannot be found") {
		t.Errorf("Err() = %v", err)
	}
}

func TestAbortEndsCallbacksAtOnce(t *testing.T) {
	s := register(t, func(d executor.Driver, what string) {
		if what == "launch t1" {
			d.SendStatusUpdate(status("t1", running))
			d.Abort()
		}
	})
	s.sub.Send(launch("t1"), launch("t2"))
	s.ends(t, executor.Aborted)
	s.executor.hears(t, "launch t1")
	if len(s.executor.said) > 0 {
		t.Errorf("callback %q after Abort", <-s.executor.said)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	agent := new(fakeAgent)
	d, err := executor.NewDriver(executor.Base{}, executor.Config{Environment: environment(agent.Start(t))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		sub := agent.Subscription(t)
		sub.Send(subscribed())
		cancel()
	}()
	if got := d.Run(ctx); got != executor.Stopped {
		t.Errorf("Run() = %v", got)
	}
}

func TestTokenIsPresented(t *testing.T) {
	s := register(t, nil, func(c *executor.Config) { c.Environment.AuthenticationToken = "abc" })
	if got := s.sub.Header.Get("Authorization"); got != "Bearer abc" {
		t.Errorf("SUBSCRIBE with authorization %q", got)
	}
	s.driver.SendFrameworkMessage([]byte("hi"))
	if got := s.agent.Call(t).Header.Get("Authorization"); got != "Bearer abc" {
		t.Errorf("MESSAGE with authorization %q", got)
	}
}
