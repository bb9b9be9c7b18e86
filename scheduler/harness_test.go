package scheduler_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
	"github.com/meseta/meseta/scheduler"
)

type (
	fakeMaster   = fakeserver.Server[schedulerpb.Call, *schedulerpb.Call]
	subscription = fakeserver.Subscription[schedulerpb.Call]
)

// recorder is a scheduler that says what it was told, and then does what the test wants.
type recorder struct {
	said chan string
	then func(d scheduler.Driver, what string) // may be nil
}

func newRecorder(then func(d scheduler.Driver, what string)) *recorder {
	return &recorder{said: make(chan string, 10_000), then: then}
}

func (r *recorder) say(d scheduler.Driver, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	r.said <- what
	if r.then != nil {
		r.then(d, what)
	}
}

func (r *recorder) Registered(d scheduler.Driver, id *mesos.FrameworkID, m *mesos.MasterInfo) {
	r.say(d, "registered %s %s", id.GetValue(), m.GetHostname())
}
func (r *recorder) Reregistered(d scheduler.Driver, m *mesos.MasterInfo) {
	r.say(d, "reregistered %s", m.GetHostname())
}
func (r *recorder) Disconnected(d scheduler.Driver) { r.say(d, "disconnected") }
func (r *recorder) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	r.say(d, "offers %s", offers[0].GetId().GetValue())
}
func (r *recorder) OfferRescinded(d scheduler.Driver, id *mesos.OfferID) {
	r.say(d, "rescinded %s", id.GetValue())
}
func (r *recorder) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) {
	r.say(d, "update %s %s", s.GetTaskId().GetValue(), s.GetState())
}
func (r *recorder) FrameworkMessage(d scheduler.Driver, e *mesos.ExecutorID, a *mesos.AgentID, data []byte) {
	r.say(d, "message %s %s %s", e.GetValue(), a.GetValue(), data)
}
func (r *recorder) AgentLost(d scheduler.Driver, a *mesos.AgentID) {
	r.say(d, "agent lost %s", a.GetValue())
}
func (r *recorder) ExecutorLost(d scheduler.Driver, e *mesos.ExecutorID, a *mesos.AgentID, status int) {
	r.say(d, "executor lost %s %s %d", e.GetValue(), a.GetValue(), status)
}
func (r *recorder) Error(d scheduler.Driver, err error) { r.say(d, "error %v", err) }

// hears waits for callbacks.
func (r *recorder) hears(t testing.TB, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := fakeserver.Wait(t, r.said, "callback, expected "+w); got != w {
			t.Fatalf("callback %q, want %q", got, w)
		}
	}
}

// config is a configuration that is fast at everything.
func config(masters ...string) scheduler.Config {
	return scheduler.Config{
		Masters:    masters,
		Framework:  &mesos.FrameworkInfo{Name: new("demo"), User: new("root")},
		BackoffMin: time.Millisecond,
		BackoffMax: 10 * time.Millisecond,
	}
}

// newDriver makes a driver that is stopped at the end of the test.
func newDriver(t testing.TB, s scheduler.Scheduler, cfg scheduler.Config) scheduler.Driver {
	t.Helper()
	d, err := scheduler.NewDriver(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Stop(true) })
	return d
}

// session is a driver that is registered with a fake master.
type session struct {
	master    *fakeMaster
	address   string
	sub       *subscription
	scheduler *recorder
	driver    scheduler.Driver
}

// register starts a driver, and answers its subscription.
func register(t testing.TB, then func(scheduler.Driver, string), change ...func(*scheduler.Config)) *session {
	t.Helper()
	s := &session{master: new(fakeMaster), scheduler: newRecorder(then)}
	s.address = s.master.Start(t)
	cfg := config(s.address)
	for _, c := range change {
		c(&cfg)
	}
	s.driver = newDriver(t, s.scheduler, cfg)
	if got := s.driver.Start(); got != scheduler.Running {
		t.Fatalf("Start() = %v", got)
	}
	s.subscribe(t)
	s.scheduler.hears(t, "registered F localhost")
	return s
}

// subscribe answers the driver's next subscription.
func (s *session) subscribe(t testing.TB) {
	t.Helper()
	s.sub = s.master.Subscription(t)
	s.sub.Send(subscribed())
}

// calls waits for the next call and checks its type.
func (s *session) calls(t testing.TB, want schedulerpb.Call_Type) *schedulerpb.Call {
	t.Helper()
	call := s.master.Call(t)
	if got := call.Message.GetType(); got != want {
		t.Fatalf("the driver calls %v, want %v", got, want)
	}
	if got := call.Header.Get("Mesos-Stream-Id"); got != s.sub.ID {
		t.Fatalf("%v on stream %q, want %q", want, got, s.sub.ID)
	}
	return call.Message
}

// lost waits for the driver to leave its subscription.
func (s *session) lost(t testing.TB) {
	t.Helper()
	s.sub.Left(t)
}

func subscribed() proto.Message {
	return &schedulerpb.Event{
		Type: schedulerpb.Event_SUBSCRIBED.Enum(),
		Subscribed: &schedulerpb.Event_Subscribed{
			FrameworkId:              &mesos.FrameworkID{Value: new("F")},
			HeartbeatIntervalSeconds: new(15.0),
			MasterInfo:               &mesos.MasterInfo{Id: new("M"), Ip: new(uint32(0)), Port: new(uint32(5050)), Hostname: new("localhost")},
		},
	}
}

func offers(ids ...string) proto.Message {
	ev := &schedulerpb.Event{Type: schedulerpb.Event_OFFERS.Enum(), Offers: new(schedulerpb.Event_Offers)}
	for _, id := range ids {
		ev.Offers.Offers = append(ev.Offers.Offers, &mesos.Offer{
			Id:          offerID(id),
			FrameworkId: &mesos.FrameworkID{Value: new("F")},
			AgentId:     &mesos.AgentID{Value: new("S")},
			Hostname:    new("localhost"),
		})
	}
	return ev
}

func update(task string, state mesos.TaskState, uuid string) proto.Message {
	s := &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &task}, State: &state, AgentId: &mesos.AgentID{Value: new("S")}}
	if uuid != "" {
		s.Uuid = []byte(uuid)
	}
	return &schedulerpb.Event{Type: schedulerpb.Event_UPDATE.Enum(), Update: &schedulerpb.Event_Update{Status: s}}
}

func event(typ schedulerpb.Event_Type) *schedulerpb.Event {
	return &schedulerpb.Event{Type: typ.Enum()}
}

func offerID(id string) *mesos.OfferID { return &mesos.OfferID{Value: &id} }

func taskID(id string) *mesos.TaskID { return &mesos.TaskID{Value: &id} }

func task(id string) *mesos.TaskInfo {
	return &mesos.TaskInfo{Name: &id, TaskId: taskID(id), AgentId: &mesos.AgentID{Value: new("S")}}
}

type (
	httpWriter  = http.ResponseWriter
	httpRequest = http.Request
)

// refuse makes a Subscribing that refuses.
func refuse(code int, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, text, code)
		return true
	}
}
