package executor_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
)

type (
	fakeAgent    = fakeserver.Server[executorpb.Call, *executorpb.Call]
	subscription = fakeserver.Subscription[executorpb.Call]
)

// recorder is an executor that says what it was told, and then does what the test wants.
type recorder struct {
	said chan string
	then func(d executor.Driver, what string) // may be nil
}

func newRecorder(then func(d executor.Driver, what string)) *recorder {
	return &recorder{said: make(chan string, 10_000), then: then}
}

func (r *recorder) say(d executor.Driver, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	r.said <- what
	if r.then != nil {
		r.then(d, what)
	}
}

func (r *recorder) Registered(d executor.Driver, e *mesos.ExecutorInfo, f *mesos.FrameworkInfo, a *mesos.AgentInfo) {
	r.say(d, "registered %s %s %s", e.GetExecutorId().GetValue(), f.GetName(), a.GetHostname())
}
func (r *recorder) Reregistered(d executor.Driver, a *mesos.AgentInfo) {
	r.say(d, "reregistered %s", a.GetHostname())
}
func (r *recorder) Disconnected(d executor.Driver) { r.say(d, "disconnected") }
func (r *recorder) LaunchTask(d executor.Driver, t *mesos.TaskInfo) {
	r.say(d, "launch %s", t.GetTaskId().GetValue())
}
func (r *recorder) KillTask(d executor.Driver, id *mesos.TaskID) { r.say(d, "kill %s", id.GetValue()) }
func (r *recorder) FrameworkMessage(d executor.Driver, data []byte) {
	r.say(d, "message %s", data)
}
func (r *recorder) Shutdown(d executor.Driver)         { r.say(d, "shutdown") }
func (r *recorder) Error(d executor.Driver, err error) { r.say(d, "error %v", err) }

// hears waits for callbacks.
func (r *recorder) hears(t testing.TB, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := fakeserver.Wait(t, r.said, "callback, expected "+w); got != w {
			t.Fatalf("callback %q, want %q", got, w)
		}
	}
}

// session is a driver that is registered with a fake agent.
type session struct {
	agent    *fakeAgent
	sub      *subscription
	executor *recorder
	driver   executor.Driver
	status   chan executor.Status // what Run returns
}

// environment is what an agent gives, with short times.
func environment(endpoint string) *executor.Environment {
	return &executor.Environment{
		FrameworkID:            "F",
		ExecutorID:             "E",
		AgentEndpoint:          endpoint,
		Checkpoint:             true,
		RecoveryTimeout:        time.Minute,
		SubscriptionBackoffMax: 5 * time.Millisecond,
		ShutdownGracePeriod:    10 * time.Second,
	}
}

// register runs a driver, and answers its subscription.
func register(t testing.TB, then func(executor.Driver, string), change ...func(*executor.Config)) *session {
	t.Helper()
	s := &session{agent: new(fakeAgent), executor: newRecorder(then)}
	s.run(t, environment(s.agent.Start(t)), change...)
	s.subscribe(t)
	s.executor.hears(t, "registered E demo localhost")
	return s
}

// run runs a driver until the end of the test.
func (s *session) run(t testing.TB, env *executor.Environment, change ...func(*executor.Config)) {
	t.Helper()
	cfg := executor.Config{Environment: env}
	for _, c := range change {
		c(&cfg)
	}
	d, err := executor.NewDriver(s.executor, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.driver, s.status = d, make(chan executor.Status, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.status <- d.Run(t.Context())
	}()
	t.Cleanup(func() {
		d.Abort()
		<-done
	})
}

// subscribe answers the driver's next subscription.
func (s *session) subscribe(t testing.TB) *executorpb.Call_Subscribe {
	t.Helper()
	s.sub = s.agent.Subscription(t)
	s.sub.Send(subscribed())
	return s.sub.Message.GetSubscribe()
}

// ends waits for Run to return.
func (s *session) ends(t testing.TB, want executor.Status) {
	t.Helper()
	if got := fakeserver.Wait(t, s.status, "end of Run"); got != want {
		t.Errorf("Run() = %v, want %v", got, want)
	}
}

// update waits for an update, and acknowledges it.
func (s *session) update(t testing.TB, task string, state mesos.TaskState) *mesos.TaskStatus {
	t.Helper()
	status := s.unacknowledged(t, task, state)
	s.sub.Send(acknowledged(status))
	return status
}

// unacknowledged waits for an update.
func (s *session) unacknowledged(t testing.TB, task string, state mesos.TaskState) *mesos.TaskStatus {
	t.Helper()
	call := s.agent.Call(t).Message
	status := call.GetUpdate().GetStatus()
	if call.GetType() != executorpb.Call_UPDATE || status.GetTaskId().GetValue() != task || status.GetState() != state {
		t.Fatalf("the driver calls %v, want an update of %s to %v", call, task, state)
	}
	return status
}

func acknowledged(s *mesos.TaskStatus) proto.Message {
	ev := event(executorpb.Event_ACKNOWLEDGED)
	ev.Acknowledged = &executorpb.Event_Acknowledged{TaskId: s.GetTaskId(), Uuid: s.GetUuid()}
	return ev
}

func subscribed() proto.Message {
	ev := event(executorpb.Event_SUBSCRIBED)
	ev.Subscribed = &executorpb.Event_Subscribed{
		ExecutorInfo:  &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: new("E")}},
		FrameworkInfo: &mesos.FrameworkInfo{Name: new("demo"), User: new("root")},
		AgentInfo:     &mesos.AgentInfo{Hostname: new("localhost")},
	}
	return ev
}

func launch(task string) proto.Message {
	ev := event(executorpb.Event_LAUNCH)
	ev.Launch = &executorpb.Event_Launch{Task: &mesos.TaskInfo{
		Name: &task, TaskId: taskID(task), AgentId: &mesos.AgentID{Value: new("S")}}}
	return ev
}

func kill(task string) proto.Message {
	ev := event(executorpb.Event_KILL)
	ev.Kill = &executorpb.Event_Kill{TaskId: taskID(task)}
	return ev
}

func message(data string) proto.Message {
	ev := event(executorpb.Event_MESSAGE)
	ev.Message = &executorpb.Event_Message{Data: []byte(data)}
	return ev
}

func event(typ executorpb.Event_Type) *executorpb.Event { return &executorpb.Event{Type: typ.Enum()} }

func taskID(id string) *mesos.TaskID { return &mesos.TaskID{Value: &id} }

func status(task string, state mesos.TaskState) *mesos.TaskStatus {
	return &mesos.TaskStatus{TaskId: taskID(task), State: &state}
}

// refuse makes a Subscribing that refuses.
func refuse(code int, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, text, code)
		return true
	}
}
