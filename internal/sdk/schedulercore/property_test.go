package schedulercore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	. "github.com/meseta/meseta/internal/sdk/schedulercore"
)

// TestContractHoldsInAnyOrderOfEvents drives a core through whatever can happen, in whatever order, and
// checks after each step what the SDK promises.
func TestContractHoldsInAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"subscribed": func(t *rapid.T) { w.event(w.subscribed()) },
			"offers":     func(t *rapid.T) { w.event(w.offers(t)) },
			"update":     func(t *rapid.T) { w.event(w.update(t)) },
			"message":    func(t *rapid.T) { w.event(&schedulerpb.Event{Type: schedulerpb.Event_MESSAGE.Enum()}) },
			"heartbeat":  func(t *rapid.T) { w.event(&schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()}) },
			"error": func(t *rapid.T) {
				if rapid.IntRange(0, 20).Draw(t, "error") == 0 {
					w.event(&schedulerpb.Event{Type: schedulerpb.Event_ERROR.Enum()})
				}
			},
			"closed":   func(t *rapid.T) { w.closed() },
			"answered": func(t *rapid.T) { w.answer(t) },
			"returned": func(t *rapid.T) { w.returned() },
			"wait":     func(t *rapid.T) { w.wait(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second) },
			"deadline": func(t *rapid.T) { w.deadline() },
			"start":    func(t *rapid.T) { w.do(Start{}) },
			"launch":   func(t *rapid.T) { w.launch(t) },
			"decline":  func(t *rapid.T) { w.do(Decline{Offers: w.pick(t)}) },
			"kill":     func(t *rapid.T) { w.do(Kill{Task: w.anyTask(t)}) },
			"suppress": func(t *rapid.T) { w.do(Suppress{}) },
			"revive":   func(t *rapid.T) { w.do(Revive{}) },
			"end": func(t *rapid.T) {
				switch rapid.IntRange(0, 40).Draw(t, "end") {
				case 0:
					w.do(Stop{Failover: rapid.Bool().Draw(t, "failover")})
				case 1:
					w.do(Abort{})
				}
			},
			"": func(t *rapid.T) { w.check() },
		})
		w.windDown()
	})
}

// world is everything around a core, and what it has seen.
type world struct {
	t    *rapid.T
	core *Core
	twin *Core // gets the same inputs, and has to do the same
	now  core.Time

	stream    uint64 // latest Subscribe
	open      bool   // it has not been closed
	confirmed bool   // its SUBSCRIBED has been taken
	sent      []Send // without an answer

	out       Callback // the callback that is out
	connected bool     // as far as callbacks say
	register  bool     // Registered has been made
	ended     bool     // Abort or Stop have had their effect
	failed    bool     // Error has been made
	finished  bool

	offered   map[string]bool     // offers that are out
	launched  map[string]bool     // tasks that somebody asked for while the driver ran
	accepted  map[string]int      // how many ACCEPTs a task was in
	reported  map[string]bool     // tasks that the driver itself reported
	delivered map[string]struct{} // uuids whose callback has returned while the driver ran
	next      int
}

func newWorld(t *rapid.T) *world {
	cfg := newPlayer().cfg
	cfg.Pending = mailbox.Limits{Items: 8, Bytes: 1 << 20}
	cfg.MaxUnanswered = 10
	if rapid.Bool().Draw(t, "adopted") {
		cfg.Framework.Id = &mesos.FrameworkID{Value: new("F")}
	}
	return &world{
		t: t, core: New(cfg), twin: New(cfg), now: newPlayer().now,
		offered: map[string]bool{}, launched: map[string]bool{}, accepted: map[string]int{},
		reported: map[string]bool{}, delivered: map[string]struct{}{},
	}
}

// do applies an input and looks at what comes out.
func (w *world) do(in Input) {
	before := w.core.Status()
	outs := w.core.Step(w.now, in)
	w.sameAs(w.twin.Step(w.now, in), outs)
	if s := w.core.Status(); s != before {
		w.ended = s != mesos.Status_DRIVER_RUNNING
	}
	for _, out := range outs {
		w.saw(out)
	}
}

func (w *world) sameAs(other, outs []Output) {
	if got, want := w.describe(other), w.describe(outs); got != want {
		w.t.Fatalf("the same input gave\n%s\nand\n%s", got, want)
	}
}

func (w *world) describe(outs []Output) string {
	p, s := newPlayer(), ""
	for _, out := range outs {
		s += p.describe(out) + "\n"
	}
	return s
}

func (w *world) saw(out Output) {
	if w.finished {
		w.t.Fatalf("%T after Finished", out)
	}
	switch out := out.(type) {
	case Subscribe:
		if out.Stream <= w.stream || w.open {
			w.t.Fatalf("subscription %d after %d, which is open: %v", out.Stream, w.stream, w.open)
		}
		w.stream, w.open, w.confirmed = out.Stream, true, false
	case Disconnect:
		if out.Stream != w.stream {
			w.t.Fatalf("disconnect of subscription %d, the latest is %d", out.Stream, w.stream)
		}
		w.gone()
	case Send:
		w.sawSend(out)
	case Finished:
		w.finished = true
	case Callback:
		w.sawCallback(out)
	}
}

func (w *world) sawSend(out Send) {
	if !w.confirmed || out.Stream != w.stream || out.Call.GetFrameworkId().GetValue() != "F" {
		w.t.Fatalf("%v sent on subscription %d; the latest is %d, confirmed: %v", out.Call, out.Stream, w.stream, w.confirmed)
	}
	w.sent = append(w.sent, out)
	switch call := out.Call; call.GetType() {
	case schedulerpb.Call_ACCEPT:
		for _, op := range call.GetAccept().GetOperations() {
			for _, t := range op.GetLaunch().GetTaskInfos() {
				w.accepted[t.GetTaskId().GetValue()]++
			}
		}
		w.handedBack(call.GetAccept().GetOfferIds())
	case schedulerpb.Call_DECLINE:
		w.handedBack(call.GetDecline().GetOfferIds())
	case schedulerpb.Call_ACKNOWLEDGE:
		if _, ok := w.delivered[string(call.GetAcknowledge().GetUuid())]; !ok {
			w.t.Fatalf("%v before its callback has returned, or twice", call)
		}
		delete(w.delivered, string(call.GetAcknowledge().GetUuid()))
	}
}

func (w *world) handedBack(offers []*mesos.OfferID) {
	for _, id := range offers {
		delete(w.offered, id.GetValue())
	}
}

func (w *world) sawCallback(cb Callback) {
	if w.out != nil {
		w.t.Fatalf("%T while %T is out", cb, w.out)
	}
	w.out = cb
	if _, isError := cb.(Error); w.ended != isError || w.failed {
		w.t.Fatalf("%T; the driver has ended: %v, with an error: %v", cb, w.ended, w.failed)
	}
	switch cb := cb.(type) {
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
	case Error:
		w.failed = true
	case StatusUpdate:
		if len(cb.Status.GetUuid()) == 0 {
			w.reported[cb.Status.GetTaskId().GetValue()] = true
		}
	}
}

func (w *world) gone() {
	w.open, w.confirmed = false, false
	clear(w.offered)
}

// closed is the end of the latest subscription, if it is open.
func (w *world) closed() {
	if w.open {
		w.gone()
		w.do(Closed{Stream: w.stream, Err: errors.New("gone")})
	}
}

// event delivers an event on the latest subscription, if it is open.
func (w *world) event(ev *schedulerpb.Event) {
	if !w.open || ev == nil {
		return
	}
	if ev.GetType() == schedulerpb.Event_SUBSCRIBED {
		w.confirmed = true
	}
	if w.confirmed && ev.GetType() == schedulerpb.Event_OFFERS && !w.stopped() {
		for _, o := range ev.GetOffers().GetOffers() {
			w.offered[o.GetId().GetValue()] = true
		}
	}
	w.do(Received{Stream: w.stream, Event: ev, Size: 10})
}

func (w *world) stopped() bool { return w.core.Status() == mesos.Status_DRIVER_STOPPED }

func (w *world) subscribed() *schedulerpb.Event {
	if w.confirmed {
		return nil
	}
	return &schedulerpb.Event{
		Type:       schedulerpb.Event_SUBSCRIBED.Enum(),
		Subscribed: &schedulerpb.Event_Subscribed{FrameworkId: &mesos.FrameworkID{Value: new("F")}},
	}
}

func (w *world) offers(t *rapid.T) *schedulerpb.Event {
	var offers []*mesos.Offer
	for range rapid.IntRange(1, 3).Draw(t, "offers") {
		offers = append(offers, &mesos.Offer{Id: &mesos.OfferID{Value: new(w.id("O"))}})
	}
	return &schedulerpb.Event{Type: schedulerpb.Event_OFFERS.Enum(), Offers: &schedulerpb.Event_Offers{Offers: offers}}
}

func (w *world) update(t *rapid.T) *schedulerpb.Event {
	state := rapid.SampledFrom([]mesos.TaskState{mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED}).Draw(t, "state")
	return &schedulerpb.Event{Type: schedulerpb.Event_UPDATE.Enum(), Update: &schedulerpb.Event_Update{Status: &mesos.TaskStatus{
		TaskId: w.anyTask(t), AgentId: &mesos.AgentID{Value: new("S")}, State: state.Enum(), Uuid: []byte(w.id("u")),
	}}}
}

func (w *world) id(prefix string) string {
	w.next++
	return fmt.Sprintf("%s%d", prefix, w.next)
}

func (w *world) anyTask(t *rapid.T) *mesos.TaskID {
	return &mesos.TaskID{Value: new(fmt.Sprintf("t%d", rapid.IntRange(0, w.next).Draw(t, "task")))}
}

// pick picks an offer that is out, or one that never was.
func (w *world) pick(t *rapid.T) []*mesos.OfferID {
	return []*mesos.OfferID{{Value: new(fmt.Sprintf("O%d", rapid.IntRange(0, w.next).Draw(t, "offer")))}}
}

func (w *world) launch(t *rapid.T) {
	var tasks []*mesos.TaskInfo
	for range rapid.IntRange(0, 2).Draw(t, "tasks") {
		id := w.id("t")
		tasks = append(tasks, &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}})
		if w.core.Status() == mesos.Status_DRIVER_RUNNING {
			w.launched[id] = true
		}
	}
	w.do(Launch{Offers: w.pick(t), Tasks: tasks})
}

func (w *world) answer(t *rapid.T) {
	if len(w.sent) == 0 {
		return
	}
	sent := w.sent[0]
	w.sent = w.sent[1:]
	in := Answered{Stream: sent.Stream, Call: sent.Call}
	if rapid.IntRange(0, 3).Draw(t, "bad") == 0 {
		in.Outcome = outcome.Outcome(rapid.IntRange(1, int(outcome.Unanswered)).Draw(t, "outcome"))
		in.Err = errors.New("because")
	}
	if in.Outcome == outcome.Busy {
		// It may be repeated.
		if uuid := sent.Call.GetAcknowledge().GetUuid(); uuid != nil {
			w.delivered[string(uuid)] = struct{}{}
		}
	}
	w.do(in)
}

func (w *world) returned() {
	if w.out == nil {
		return
	}
	if u, ok := w.out.(StatusUpdate); ok && w.core.Status() == mesos.Status_DRIVER_RUNNING {
		w.delivered[string(u.Status.GetUuid())] = struct{}{}
	}
	w.out = nil
	w.do(Returned{})
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
	for id, n := range w.accepted {
		if n > 1 {
			w.t.Fatalf("task %s was in %d ACCEPTs", id, n)
		}
	}
	if w.core.Status() == mesos.Status_DRIVER_ABORTED && w.confirmed && len(w.offered) > 0 {
		w.t.Fatalf("the driver is aborted and still has the offers %v", w.offered)
	}
	// A deadline that has passed without anything changing would make a shell spin.
	for range 3 {
		w.do(Tick{})
	}
	if d := w.core.NextDeadline(); d <= w.now.Mono {
		w.t.Fatalf("deadline %v at %v, three ticks later", d, w.now.Mono)
	}
}

// windDown ends everything, and checks what has to hold then.
func (w *world) windDown() {
	for len(w.sent) > 0 {
		sent := w.sent[0]
		w.sent = w.sent[1:]
		w.do(Answered{Stream: sent.Stream, Call: sent.Call, Outcome: outcome.Unsent, Err: errors.New("ended")})
	}
	for w.out != nil {
		w.returned()
	}
	if w.core.Status() == mesos.Status_DRIVER_RUNNING {
		for id := range w.launched {
			if w.accepted[id] == 0 && !w.reported[id] {
				w.t.Fatalf("task %s was neither sent nor reported", id)
			}
		}
	}
	if w.core.Status() == mesos.Status_DRIVER_NOT_STARTED {
		return
	}
	w.do(Stop{})
	w.wait(5 * time.Second)
	if !w.finished {
		w.t.Fatal("stopped 5 s ago, and not finished")
	}
	if d := w.core.NextDeadline(); d != core.Never {
		w.t.Fatalf("finished, and a deadline at %v", d)
	}
}
