package executorcore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/core"
	. "github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// TestContractHoldsInAnyOrderOfEvents drives a core and an agent over a network that may break between
// any two messages, and checks after each step what the SDK promises.
func TestContractHoldsInAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"subscribed": func(*rapid.T) { w.subscribed() },
			"launch":     func(*rapid.T) { w.event(w.launch()) },
			"kill":       func(*rapid.T) { w.event(&executorpb.Event{Type: executorpb.Event_KILL.Enum()}) },
			"message":    func(*rapid.T) { w.event(&executorpb.Event{Type: executorpb.Event_MESSAGE.Enum()}) },
			"ack":        func(t *rapid.T) { w.event(w.acknowledge(t)) },
			"shutdown": func(t *rapid.T) {
				if rapid.IntRange(0, 20).Draw(t, "shutdown") == 0 {
					w.event(&executorpb.Event{Type: executorpb.Event_SHUTDOWN.Enum()})
				}
			},
			"error": func(t *rapid.T) {
				if rapid.IntRange(0, 40).Draw(t, "error") == 0 {
					w.event(&executorpb.Event{Type: executorpb.Event_ERROR.Enum()})
				}
			},
			"lost":     func(t *rapid.T) { w.lost(rapid.Bool().Draw(t, "agent saw SUBSCRIBE")) },
			"carry":    func(t *rapid.T) { w.carry(rapid.IntRange(0, 9).Draw(t, "fate")) },
			"returned": func(*rapid.T) { w.returned() },
			"wait":     func(t *rapid.T) { w.wait(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second) },
			"deadline": func(*rapid.T) { w.deadline() },
			"start":    func(*rapid.T) { w.do(Start{}) },
			"update":   func(*rapid.T) { w.update() },
			"send":     func(*rapid.T) { w.do(Message{Data: []byte("hello")}) },
			"end": func(t *rapid.T) {
				switch rapid.IntRange(0, 40).Draw(t, "end") {
				case 0:
					w.do(Stop{})
				case 1:
					w.do(Abort{})
				}
			},
			"": func(*rapid.T) { w.check() },
		})
		w.windDown()
	})
}

// world is everything around a core: the network, the agent, and what was seen.
type world struct {
	t    *rapid.T
	core *Core
	now  core.Time

	stream    uint64           // latest Subscribe
	subscribe *executorpb.Call // its call, until the agent has met it
	open      bool             // it has not been closed
	confirmed bool             // SUBSCRIBED has been taken
	sent      []Send           // on their way

	made     int           // updates made while the driver ran
	received int           // of these, how many the agent has met
	acked    map[byte]bool // and acknowledged, as far as the driver got the word

	out       Callback
	connected bool // as far as callbacks say
	register  bool
	ended     bool // Abort or Stop have had their effect
	last      bool // Shutdown has been made
	failed    bool // Error has been made
	finished  bool
	next      int
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: newPlayer().now, acked: map[byte]bool{}}
	cfg := newPlayer().cfg
	cfg.Checkpoint = rapid.Bool().Draw(t, "checkpoint")
	cfg.Pending = mailbox.Limits{Items: 8, Bytes: 1 << 20}
	cfg.MaxUnanswered = 10
	cfg.NewUUID = func() [16]byte { w.made++; return [16]byte{byte(w.made)} }
	w.core = New(cfg)
	return w
}

func (w *world) do(in Input) {
	before := w.core.Status()
	outs := w.core.Step(w.now, in)
	if s := w.core.Status(); s != before {
		w.ended = s != mesos.Status_DRIVER_RUNNING
	}
	for _, out := range outs {
		w.saw(out)
	}
}

func (w *world) saw(out Output) {
	if _, isCallback := out.(Callback); w.finished && !isCallback {
		w.t.Fatalf("%T after Finished", out)
	}
	switch out := out.(type) {
	case Subscribe:
		if out.Stream <= w.stream || w.open {
			w.t.Fatalf("subscription %d after %d, which is open: %v", out.Stream, w.stream, w.open)
		}
		w.stream, w.subscribe, w.open, w.confirmed = out.Stream, out.Call, true, false
	case Disconnect:
		if out.Stream != w.stream {
			w.t.Fatalf("disconnect of subscription %d, the latest is %d", out.Stream, w.stream)
		}
		w.open, w.confirmed = false, false
	case Send:
		if !w.confirmed || out.Stream != w.stream {
			w.t.Fatalf("%v sent on subscription %d; the latest is %d, confirmed: %v", out.Call, out.Stream, w.stream, w.confirmed)
		}
		w.sent = append(w.sent, out)
	case Finished:
		w.finished = true
	case Callback:
		w.sawCallback(out)
	}
}

func (w *world) sawCallback(cb Callback) {
	if w.out != nil {
		w.t.Fatalf("%T while %T is out", cb, w.out)
	}
	w.out = cb
	if _, isError := cb.(Error); (w.ended || w.last) && !isError || w.failed || isError && !w.ended {
		w.t.Fatalf("%T; ended: %v, shut down: %v, failed: %v", cb, w.ended, w.last, w.failed)
	}
	switch cb.(type) {
	case Registered:
		if w.register {
			w.t.Fatal("registered twice")
		}
		w.register, w.connected = true, true
	case Reregistered:
		if !w.register || w.connected {
			w.t.Fatal("reregistered without being disconnected")
		}
		w.connected = true
	case Disconnected:
		if !w.connected {
			w.t.Fatal("disconnected without being connected")
		}
		w.connected = false
	case Shutdown:
		w.last = true
	case Error:
		w.failed = true
	}
}

// meets is an update's arrival at the agent. Repeated ones are fine; one before its turn is not.
func (w *world) meets(u *executorpb.Call_Update) {
	n := int(u.GetStatus().GetUuid()[0])
	if n > w.received+1 {
		w.t.Fatalf("update %d reaches the agent before update %d", n, w.received+1)
	}
	w.received = max(w.received, n)
}

// meetsSubscribe is SUBSCRIBE's arrival at the agent.
func (w *world) meetsSubscribe() {
	if w.subscribe == nil {
		return
	}
	for _, u := range w.subscribe.GetSubscribe().GetUnacknowledgedUpdates() {
		w.meets(u)
	}
	w.subscribe = nil
}

func (w *world) subscribed() {
	if w.open && !w.confirmed {
		w.meetsSubscribe()
		w.confirmed = true
		w.do(Received{Stream: w.stream, Event: &executorpb.Event{
			Type: executorpb.Event_SUBSCRIBED.Enum(), Subscribed: &executorpb.Event_Subscribed{}}})
	}
}

// event delivers an event, if there is a subscription to deliver it on.
func (w *world) event(ev *executorpb.Event) {
	if w.confirmed && ev != nil {
		w.do(Received{Stream: w.stream, Event: ev, Size: 10})
	}
}

func (w *world) launch() *executorpb.Event {
	w.next++
	return &executorpb.Event{Type: executorpb.Event_LAUNCH.Enum(), Launch: &executorpb.Event_Launch{
		Task: &mesos.TaskInfo{TaskId: taskID(fmt.Sprintf("t%d", w.next))}}}
}

// acknowledge acknowledges an update that the agent has met.
func (w *world) acknowledge(t *rapid.T) *executorpb.Event {
	if w.received == 0 || !w.confirmed {
		return nil
	}
	n := byte(rapid.IntRange(1, w.received).Draw(t, "update"))
	w.acked[n] = true
	uuid := [16]byte{n}
	return &executorpb.Event{Type: executorpb.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executorpb.Event_Acknowledged{
		TaskId: taskID("t"), Uuid: uuid[:]}}
}

// lost breaks the subscription, perhaps after the agent has met its SUBSCRIBE.
func (w *world) lost(met bool) {
	if !w.open {
		return
	}
	if met {
		w.meetsSubscribe()
	}
	w.open, w.confirmed = false, false
	w.do(Closed{Stream: w.stream, Err: errors.New("gone")})
}

// carry carries the oldest call to the agent, and the answer back, or not.
func (w *world) carry(fate int) {
	if len(w.sent) == 0 {
		return
	}
	sent := w.sent[0]
	w.sent = w.sent[1:]
	in := Answered{Stream: sent.Stream, Call: sent.Call}
	arrives := false
	switch {
	case sent.Stream != w.stream || !w.open:
		in.Outcome = outcome.Unsent
	case fate == 0:
		in.Outcome = outcome.Unanswered
	case fate == 1:
		in.Outcome, arrives = outcome.Unanswered, true
	case fate == 2:
		in.Outcome = outcome.Busy
	default:
		arrives = true
	}
	if u := sent.Call.GetUpdate(); u != nil && arrives {
		w.meets(u)
	}
	if in.Outcome != outcome.Accepted {
		in.Err = errors.New("because")
	}
	w.do(in)
}

func (w *world) update() {
	if w.made < 250 {
		w.do(Update{Status: &mesos.TaskStatus{TaskId: taskID("t"), State: mesos.TaskState_TASK_RUNNING.Enum()}})
	}
}

func (w *world) returned() {
	if w.out != nil {
		w.out = nil
		w.do(Returned{})
	}
}

func (w *world) wait(d time.Duration) {
	w.now = w.now.Add(d)
	w.do(Tick{})
}

func (w *world) deadline() {
	if d := w.core.NextDeadline(); d != core.Never {
		w.wait(max(0, d-w.now.Mono))
	}
}

// check is what has to hold between any two steps.
func (w *world) check() {
	// A deadline that has passed without anything changing would make a shell spin.
	for range 3 {
		w.do(Tick{})
	}
	if d := w.core.NextDeadline(); d <= w.now.Mono {
		w.t.Fatalf("deadline %v at %v, three ticks later", d, w.now.Mono)
	}
}

// windDown heals the network. If the driver was not ended, all of its updates have to arrive.
func (w *world) windDown() {
	if w.core.Status() == mesos.Status_DRIVER_NOT_STARTED {
		return
	}
	for range 100 {
		if w.finished {
			break
		}
		w.returned()
		w.carry(9)
		if !w.open {
			w.deadline()
		}
		w.subscribed()
	}
	if w.core.Status() == mesos.Status_DRIVER_RUNNING && w.received < w.made {
		w.t.Fatalf("%d of %d updates have reached the agent", w.received, w.made)
	}
	w.do(Stop{})
	w.wait(5 * time.Second)
	for w.out != nil {
		w.returned()
	}
	if !w.finished {
		w.t.Fatal("stopped 5 s ago, and not finished")
	}
	if d := w.core.NextDeadline(); d != core.Never {
		w.t.Fatalf("finished, and a deadline at %v", d)
	}
}
