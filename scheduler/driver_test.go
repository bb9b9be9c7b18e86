package scheduler_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
	"github.com/meseta/meseta/scheduler"
)

func TestCallbacksInTheOrderOfEvents(t *testing.T) {
	for name, codec := range map[string]scheduler.Codec{"protobuf": scheduler.Protobuf, "json": scheduler.JSON} {
		t.Run(name, func(t *testing.T) {
			s := register(t, nil, func(c *scheduler.Config) { c.Codec = codec })
			executor, agent := &mesos.ExecutorID{Value: new("e")}, &mesos.AgentID{Value: new("S")}

			message := event(schedulerpb.Event_MESSAGE)
			message.Message = &schedulerpb.Event_Message{ExecutorId: executor, AgentId: agent, Data: []byte("hi")}
			agentLost := event(schedulerpb.Event_FAILURE)
			agentLost.Failure = &schedulerpb.Event_Failure{AgentId: agent}
			executorLost := event(schedulerpb.Event_FAILURE)
			executorLost.Failure = &schedulerpb.Event_Failure{AgentId: agent, ExecutorId: executor, Status: new(int32(9))}
			rescind := event(schedulerpb.Event_RESCIND)
			rescind.Rescind = &schedulerpb.Event_Rescind{OfferId: offerID("O1")}

			s.sub.Send(event(schedulerpb.Event_HEARTBEAT), offers("O1"), rescind, message, agentLost, executorLost,
				update("t1", mesos.TaskState_TASK_RUNNING, "0123456789abcdef"))
			s.scheduler.hears(t, "offers O1", "rescinded O1", "message e S hi", "agent lost S", "executor lost e S 9",
				"update t1 TASK_RUNNING")
			s.sub.End()
			s.scheduler.hears(t, "disconnected")
			s.subscribe(t)
			s.scheduler.hears(t, "reregistered localhost")
			if got := s.sub.Message.GetFrameworkId().GetValue(); got != "F" {
				t.Errorf("subscribed again as %q, want F", got)
			}
		})
	}
}

func TestCallsReachTheMaster(t *testing.T) {
	s := register(t, nil)
	d := s.driver
	seconds := &mesos.Filters{RefuseSeconds: new(3.0)}

	d.LaunchTasks([]*mesos.OfferID{offerID("O1"), offerID("O2")}, []*mesos.TaskInfo{task("t1")}, seconds)
	accept := s.calls(t, schedulerpb.Call_ACCEPT).GetAccept()
	if len(accept.GetOfferIds()) != 2 || accept.GetOperations()[0].GetType() != mesos.Offer_Operation_LAUNCH ||
		accept.GetOperations()[0].GetLaunch().GetTaskInfos()[0].GetName() != "t1" || accept.GetFilters().GetRefuseSeconds() != 3 {
		t.Errorf("LaunchTasks arrives as %v", accept)
	}

	d.LaunchTasks([]*mesos.OfferID{offerID("O3")}, nil, seconds)
	if decline := s.calls(t, schedulerpb.Call_DECLINE).GetDecline(); decline.GetOfferIds()[0].GetValue() != "O3" || decline.GetFilters().GetRefuseSeconds() != 3 {
		t.Errorf("LaunchTasks without tasks arrives as %v", decline)
	}

	op := &mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE.Enum(), Unreserve: &mesos.Offer_Operation_Unreserve{}}
	d.AcceptOffers([]*mesos.OfferID{offerID("O4")}, []*mesos.Offer_Operation{op}, nil)
	if accept := s.calls(t, schedulerpb.Call_ACCEPT).GetAccept(); accept.GetOperations()[0].GetType() != mesos.Offer_Operation_UNRESERVE {
		t.Errorf("AcceptOffers arrives as %v", accept)
	}

	d.DeclineOffer(offerID("O5"), nil)
	s.calls(t, schedulerpb.Call_DECLINE)

	d.KillTask(taskID("t1"))
	if kill := s.calls(t, schedulerpb.Call_KILL).GetKill(); kill.GetTaskId().GetValue() != "t1" || kill.GetAgentId().GetValue() != "S" {
		t.Errorf("KillTask arrives as %v", kill)
	}

	d.SuppressOffers("a", "b")
	if got := s.calls(t, schedulerpb.Call_SUPPRESS).GetSuppress().GetRoles(); fmt.Sprint(got) != "[a b]" {
		t.Errorf("SuppressOffers arrives with %v", got)
	}
	d.ReviveOffers()
	if got := s.calls(t, schedulerpb.Call_REVIVE).GetRevive().GetRoles(); len(got) != 0 {
		t.Errorf("ReviveOffers arrives with %v", got)
	}

	d.RequestResources([]*mesos.Request{{AgentId: &mesos.AgentID{Value: new("S")}}})
	if got := s.calls(t, schedulerpb.Call_REQUEST).GetRequest().GetRequests(); len(got) != 1 {
		t.Errorf("RequestResources arrives with %v", got)
	}

	d.ReconcileTasks([]*mesos.TaskStatus{{TaskId: taskID("t1")}})
	if got := s.calls(t, schedulerpb.Call_RECONCILE).GetReconcile().GetTasks(); len(got) != 1 || got[0].GetTaskId().GetValue() != "t1" {
		t.Errorf("ReconcileTasks arrives with %v", got)
	}

	d.SendFrameworkMessage(&mesos.ExecutorID{Value: new("e")}, &mesos.AgentID{Value: new("S")}, []byte("hi"))
	if got := s.calls(t, schedulerpb.Call_MESSAGE).GetMessage(); string(got.GetData()) != "hi" || got.GetExecutorId().GetValue() != "e" {
		t.Errorf("SendFrameworkMessage arrives as %v", got)
	}
}

// Calls in a wrong state do nothing and return the status; only Stop does something to an aborted driver.
func TestCallsReturnTheStatus(t *testing.T) {
	calls := map[string]func(d scheduler.Driver) scheduler.Status{
		"LaunchTasks":      func(d scheduler.Driver) scheduler.Status { return d.LaunchTasks(nil, nil, nil) },
		"AcceptOffers":     func(d scheduler.Driver) scheduler.Status { return d.AcceptOffers(nil, nil, nil) },
		"DeclineOffer":     func(d scheduler.Driver) scheduler.Status { return d.DeclineOffer(offerID("O"), nil) },
		"KillTask":         func(d scheduler.Driver) scheduler.Status { return d.KillTask(taskID("t")) },
		"ReviveOffers":     func(d scheduler.Driver) scheduler.Status { return d.ReviveOffers() },
		"SuppressOffers":   func(d scheduler.Driver) scheduler.Status { return d.SuppressOffers() },
		"RequestResources": func(d scheduler.Driver) scheduler.Status { return d.RequestResources(nil) },
		"ReconcileTasks":   func(d scheduler.Driver) scheduler.Status { return d.ReconcileTasks(nil) },
		"AcknowledgeStatusUpdate": func(d scheduler.Driver) scheduler.Status {
			return d.AcknowledgeStatusUpdate(&mesos.TaskStatus{})
		},
		"SendFrameworkMessage": func(d scheduler.Driver) scheduler.Status { return d.SendFrameworkMessage(nil, nil, nil) },
	}
	all := func(d scheduler.Driver, want scheduler.Status) {
		t.Helper()
		for name, call := range calls {
			if got := call(d); got != want {
				t.Errorf("%s() = %v, want %v", name, got, want)
			}
		}
	}
	expect := func(name string, got, want scheduler.Status) {
		t.Helper()
		if got != want {
			t.Errorf("%s() = %v, want %v", name, got, want)
		}
	}

	address := new(fakeMaster).Start(t)
	d := newDriver(t, scheduler.Base{}, config(address))
	all(d, scheduler.NotStarted)
	expect("Stop", d.Stop(false), scheduler.NotStarted)
	expect("Abort", d.Abort(), scheduler.NotStarted)
	expect("Join", d.Join(), scheduler.NotStarted)
	expect("Start", d.Start(), scheduler.Running)
	expect("Start again", d.Start(), scheduler.Running)
	all(d, scheduler.Running)
	expect("Abort", d.Abort(), scheduler.Aborted)
	expect("Abort again", d.Abort(), scheduler.Aborted)
	expect("Start", d.Start(), scheduler.Aborted)
	expect("Run", d.Run(t.Context()), scheduler.Aborted)
	expect("Join", d.Join(), scheduler.Aborted)
	all(d, scheduler.Aborted)
	expect("Stop", d.Stop(true), scheduler.Aborted)
	expect("Stop again", d.Stop(true), scheduler.Stopped)
	expect("Join", d.Join(), scheduler.Stopped)
	expect("Run", d.Run(t.Context()), scheduler.Stopped)
	expect("Abort", d.Abort(), scheduler.Stopped)
	all(d, scheduler.Stopped)
	if err := d.Err(); err != nil {
		t.Errorf("Err() = %v after Abort and Stop", err)
	}
}

func TestSlowCallbackDelaysOnlyCallbacks(t *testing.T) {
	release := make(chan struct{})
	s := register(t, func(d scheduler.Driver, what string) {
		if what == "offers O1" {
			<-release
		}
	}, func(c *scheduler.Config) { c.HeartbeatTolerance = 1 })
	s.sub.Send(offers("O1"), update("t1", mesos.TaskState_TASK_RUNNING, "0123456789abcdef"))
	s.scheduler.hears(t, "offers O1")

	s.driver.ReviveOffers()
	s.calls(t, schedulerpb.Call_REVIVE)
	s.sub.Send(event(schedulerpb.Event_HEARTBEAT))
	s.driver.KillTask(taskID("t1"))
	s.calls(t, schedulerpb.Call_KILL)
	select {
	case what := <-s.scheduler.said:
		t.Fatalf("callback %q while another is out", what)
	default:
	}

	close(release)
	s.scheduler.hears(t, "update t1 TASK_RUNNING")
	s.calls(t, schedulerpb.Call_ACKNOWLEDGE)
}

func TestAnyMethodInsideACallback(t *testing.T) {
	done := make(chan struct{})
	s := register(t, func(d scheduler.Driver, what string) {
		if what != "offers O1" {
			return
		}
		d.Start()
		d.LaunchTasks([]*mesos.OfferID{offerID("O1")}, []*mesos.TaskInfo{task("t1")}, nil)
		d.DeclineOffer(offerID("O2"), nil)
		d.KillTask(taskID("t1"))
		d.ReviveOffers()
		d.SuppressOffers()
		d.ReconcileTasks(nil)
		d.Err()
		d.Abort()
		d.Join()
		d.Run(t.Context())
		d.Stop(false)
		d.Join()
		d.Run(t.Context())
		close(done)
	})
	s.sub.Send(offers("O1"))
	fakeserver.Wait(t, done, "end of the callback")
}

func TestRunReturnsWhenACallbackStops(t *testing.T) {
	master := new(fakeMaster)
	address := master.Start(t)
	returned := false
	r := newRecorder(func(d scheduler.Driver, what string) {
		if what == "offers O1" {
			d.Stop(false)
			returned = true // Run waits for this callback: no race
		}
	})
	d := newDriver(t, r, config(address))
	go func() {
		sub := master.Subscription(t)
		sub.Send(subscribed(), offers("O1"))
	}()
	if got := d.Run(t.Context()); got != scheduler.Stopped || !returned {
		t.Errorf("Run() = %v, the callback has returned: %v", got, returned)
	}
	if call := master.Call(t); call.Message.GetType() != schedulerpb.Call_TEARDOWN {
		t.Errorf("the driver calls %v, want TEARDOWN", call.Message)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	s := &session{master: new(fakeMaster), scheduler: newRecorder(nil)}
	s.driver = newDriver(t, s.scheduler, config(s.master.Start(t)))
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan scheduler.Status, 1)
	go func() { status <- s.driver.Run(ctx) }()
	s.subscribe(t)
	s.scheduler.hears(t, "registered F localhost")
	s.driver.ReviveOffers()
	cancel()
	if got := fakeserver.Wait(t, status, "end of Run"); got != scheduler.Stopped {
		t.Errorf("Run() = %v, want %v", got, scheduler.Stopped)
	}
	s.lost(t)
	s.calls(t, schedulerpb.Call_REVIVE)
	if n := s.master.Calls(); n != 0 {
		t.Errorf("%d more calls: a driver whose context ends does not tear down", n)
	}
}

func TestStopTearsDownOrOnlyDisconnects(t *testing.T) {
	for name, failover := range map[string]bool{"tears down": false, "only disconnects": true} {
		t.Run(name, func(t *testing.T) {
			s := register(t, nil)
			s.driver.LaunchTasks([]*mesos.OfferID{offerID("O1")}, []*mesos.TaskInfo{task("t1")}, nil)
			if got := s.driver.Stop(failover); got != scheduler.Stopped {
				t.Errorf("Stop(%v) = %v", failover, got)
			}
			// What was called before has left by now.
			want := map[bool]int{false: 2, true: 1}[failover]
			if n := s.master.Calls(); n != want {
				t.Fatalf("%d calls have come in, want %d", n, want)
			}
			s.calls(t, schedulerpb.Call_ACCEPT)
			if !failover {
				s.calls(t, schedulerpb.Call_TEARDOWN)
			}
			s.lost(t)
		})
	}
}

func TestAbortHandsOffersBackAndKeepsTheSubscription(t *testing.T) {
	s := register(t, func(d scheduler.Driver, what string) {
		if what == "offers O1" {
			d.Abort()
		}
	})
	s.sub.Send(offers("O1"), update("t1", mesos.TaskState_TASK_RUNNING, "0123456789abcdef"), offers("O2"))
	if got := s.driver.Join(); got != scheduler.Aborted {
		t.Errorf("Join() = %v, want %v", got, scheduler.Aborted)
	}
	back := map[string]bool{}
	s.calls(t, schedulerpb.Call_SUPPRESS)
	for len(back) < 2 {
		for _, id := range s.calls(t, schedulerpb.Call_DECLINE).GetDecline().GetOfferIds() {
			back[id.GetValue()] = true
		}
	}
	if !s.sub.Open() {
		t.Error("the subscription is gone")
	}
	if got := s.driver.Stop(false); got != scheduler.Aborted {
		t.Errorf("Stop() = %v, want %v", got, scheduler.Aborted)
	}
	s.calls(t, schedulerpb.Call_TEARDOWN)
	s.lost(t)
	s.scheduler.hears(t, "offers O1")
	if len(s.scheduler.said) > 0 {
		t.Errorf("callback %q after Abort", <-s.scheduler.said)
	}
}

func TestErrorAbortsBeforeItIsCalled(t *testing.T) {
	s := &session{master: new(fakeMaster)}
	var inside, sent scheduler.Status
	s.scheduler = newRecorder(func(d scheduler.Driver, what string) {
		if strings.HasPrefix(what, "error") {
			inside, sent = d.Abort(), d.ReviveOffers()
		}
	})
	s.driver = newDriver(t, s.scheduler, config(s.master.Start(t)))
	go func() {
		failed := event(schedulerpb.Event_ERROR)
		failed.Error = &schedulerpb.Event_Error{Message: new("Framework failed over")}
		s.master.Subscription(t).Send(subscribed(), failed)
	}()
	if got := s.driver.Run(t.Context()); got != scheduler.Aborted || inside != scheduler.Aborted || sent != scheduler.Aborted {
		t.Errorf("Run() = %v, inside Error: %v and %v; want %v", got, inside, sent, scheduler.Aborted)
	}
	s.scheduler.hears(t, "registered F localhost", "error the master ends the subscription: Framework failed over")
	if err := s.driver.Err(); err == nil || !strings.Contains(err.Error(), "failed over") {
		t.Errorf("Err() = %v", err)
	}
	if got := s.driver.Stop(false); got != scheduler.Aborted {
		t.Errorf("Stop() = %v", got)
	}
	if n := s.master.Calls(); n != 0 {
		t.Errorf("%d calls for a framework that is somebody else's", n)
	}
}

func TestAcknowledgementsAreExplicitOnDemand(t *testing.T) {
	s := register(t, nil, func(c *scheduler.Config) { c.ExplicitAcknowledgements = true })
	s.sub.Send(update("t1", mesos.TaskState_TASK_RUNNING, "0123456789abcdef"))
	s.scheduler.hears(t, "update t1 TASK_RUNNING")
	s.driver.ReviveOffers()
	s.calls(t, schedulerpb.Call_REVIVE)
	s.driver.AcknowledgeStatusUpdate(&mesos.TaskStatus{
		TaskId: taskID("t1"), AgentId: &mesos.AgentID{Value: new("S")}, Uuid: []byte("0123456789abcdef")})
	ack := s.calls(t, schedulerpb.Call_ACKNOWLEDGE).GetAcknowledge()
	if ack.GetTaskId().GetValue() != "t1" || ack.GetAgentId().GetValue() != "S" || string(ack.GetUuid()) != "0123456789abcdef" {
		t.Errorf("acknowledged as %v", ack)
	}
}

// A launch whose answer is lost is not repeated; the driver asks what became of its tasks.
func TestLaunchIsNeverRepeated(t *testing.T) {
	s := &session{master: new(fakeMaster), scheduler: newRecorder(nil)}
	s.master.Answer = func(call *schedulerpb.Call) (int, string) {
		if call.GetType() == schedulerpb.Call_ACCEPT {
			return 0, "" // cut the connection
		}
		return 202, ""
	}
	s.driver = newDriver(t, s.scheduler, config(s.master.Start(t)))
	s.driver.Start()
	s.subscribe(t)
	s.scheduler.hears(t, "registered F localhost")
	if status := s.driver.LaunchTasks([]*mesos.OfferID{offerID("O1")}, []*mesos.TaskInfo{task("t1")}, nil); status != scheduler.Running {
		t.Fatalf("LaunchTasks() = %v", status)
	}
	s.calls(t, schedulerpb.Call_ACCEPT)
	s.scheduler.hears(t, "disconnected")
	s.subscribe(t)
	s.scheduler.hears(t, "reregistered localhost")
	reconcile := s.calls(t, schedulerpb.Call_RECONCILE).GetReconcile()
	if len(reconcile.GetTasks()) != 1 || reconcile.GetTasks()[0].GetTaskId().GetValue() != "t1" {
		t.Errorf("the driver reconciles %v, want t1", reconcile)
	}
}

func TestLaunchThatCannotBeEncodedIsTheFrameworksMistake(t *testing.T) {
	s := register(t, nil)
	nameless := task("t1")
	nameless.Name = nil
	s.driver.LaunchTasks([]*mesos.OfferID{offerID("O1")}, []*mesos.TaskInfo{nameless}, nil)
	s.scheduler.hears(t, "update t1 TASK_ERROR")
	s.calls(t, schedulerpb.Call_DECLINE)
}

func TestSilentMasterIsLost(t *testing.T) {
	s := &session{master: new(fakeMaster), scheduler: newRecorder(nil)}
	s.driver = newDriver(t, s.scheduler, config(s.master.Start(t)))
	s.driver.Start()
	s.sub = s.master.Subscription(t)
	ev := subscribed().(*schedulerpb.Event)
	ev.Subscribed.HeartbeatIntervalSeconds = new(0.01)
	s.sub.Send(ev)
	s.scheduler.hears(t, "registered F localhost", "disconnected")
	s.lost(t)
	s.master.Subscription(t)
}

func TestNonsenseIsSkipped(t *testing.T) {
	s := register(t, nil)
	s.sub.SendRaw([]byte("\xff\xff\xff"))
	s.sub.Send(offers("O1"))
	s.scheduler.hears(t, "offers O1")
}

func TestRedirectsLeadToTheLeader(t *testing.T) {
	leader, follower := new(fakeMaster), new(fakeMaster)
	address := leader.Start(t)
	follower.Subscribing = fakeserver.RedirectTo(address)

	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	s := &session{master: leader, scheduler: newRecorder(nil)}
	s.driver = newDriver(t, s.scheduler, config(dead.Addr().String(), follower.Start(t)))
	s.driver.Start()
	s.subscribe(t)
	s.scheduler.hears(t, "registered F localhost")
	s.driver.ReviveOffers()
	s.calls(t, schedulerpb.Call_REVIVE)
}

func TestRefusedSubscriptionIsAnError(t *testing.T) {
	master := new(fakeMaster)
	master.Answer = func(*schedulerpb.Call) (int, string) { return 202, "" }
	master.Subscribing = refuse(401, "who are you?")
	r := newRecorder(nil)
	d := newDriver(t, r, config(master.Start(t)))
	if got := d.Run(t.Context()); got != scheduler.Aborted {
		t.Errorf("Run() = %v, want %v", got, scheduler.Aborted)
	}
	if err := d.Err(); err == nil || !strings.Contains(err.Error(), "who are you?") {
		t.Errorf("Err() = %v", err)
	}
}

func TestUnreadyMasterIsTriedAgain(t *testing.T) {
	master := new(fakeMaster)
	refusals := 0
	master.Subscribing = func(w httpWriter, r *httpRequest) bool {
		if refusals++; refusals > 3 {
			return false
		}
		return refuse(503, "no leader")(w, r)
	}
	r := newRecorder(nil)
	d := newDriver(t, r, config(master.Start(t)))
	d.Start()
	master.Subscription(t).Send(subscribed())
	r.hears(t, "registered F localhost")
}

func TestCredentialIsPresented(t *testing.T) {
	s := register(t, nil, func(c *scheduler.Config) {
		c.Credential = &scheduler.Credential{Principal: "ops", Secret: "s3cret"}
	})
	if got, want := s.sub.Header.Get("Authorization"), "Basic b3BzOnMzY3JldA=="; got != want {
		t.Errorf("SUBSCRIBE with authorization %q, want %q", got, want)
	}
	if got := s.sub.Message.GetSubscribe().GetFrameworkInfo().GetPrincipal(); got != "ops" {
		t.Errorf("principal %q, want ops", got)
	}
	s.driver.ReviveOffers()
	if got, want := s.master.Call(t).Header.Get("Authorization"), "Basic b3BzOnMzY3JldA=="; got != want {
		t.Errorf("REVIVE with authorization %q, want %q", got, want)
	}
}
