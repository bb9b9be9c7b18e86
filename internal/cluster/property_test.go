package cluster

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// TestBooksAgreeWhateverHappens sends a core whatever schedulers, agents and the registry may say, in any
// order, sensible or not. Its books have to agree with each other after every step, what it says has to be
// heard by somebody, and when all has ended everything is free.
func TestBooksAgreeWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &wild{t: t, c: New(Config{MasterID: "M", CompletedTasks: 3, CompletedFrameworks: 2}),
			now:     core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)},
			streams: map[StreamID]*peer{}, links: map[LinkID]*peer{}, mirror: newMirror()}
		w.step(Recovered{
			Frameworks: []FrameworkInfo{{ID: "f1", FailoverTimeout: time.Second}}, Removed: []ids.FrameworkID{"f2"},
			Agents: []ids.AgentID{"a1"}, Unreachable: []UnreachableAgent{{"a2", time.Unix(1, 0)}}})
		t.Repeat(map[string]func(*rapid.T){
			"subscribe":  w.subscribe,
			"call":       w.call,
			"order":      w.order,
			"accept":     w.accept,
			"accept2":    w.accept,
			"hang up":    w.hangUp,
			"join":       w.join,
			"say":        w.say,
			"say2":       w.say,
			"unlink":     w.unlink,
			"write":      w.write,
			"write2":     w.write,
			"let pass":   w.letPass,
			"let pass 2": w.letPass,
			"":           func(*rapid.T) { w.check() },
		})
		w.end()
	})
}

// wild is a core and what those around it have seen.
type wild struct {
	t       *rapid.T
	c       *Cluster
	now     core.Time
	streams map[StreamID]*peer // that are open
	links   map[LinkID]*peer   // that are open
	opened  int
	tickets []Ticket
	mirror  mirror
}

// peer is one who listens.
type peer struct {
	heard bool // anything yet
	over  bool // the core has said that there will be no more
}

var (
	wildFrameworks = []ids.FrameworkID{"f1", "f2", "f3", "M-0000"}
	wildAgents     = []ids.AgentID{"a1", "a2", "a3", "M-S0"}
	wildTasks      = []ids.TaskID{"t1", "t2", "t3", "bad/id"}
	wildExecutors  = []ids.ExecutorID{"", "", "e1", "e2"}
	wildStates     = []mesos.TaskState{mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_KILLED}
)

func draw[T any](t *rapid.T, label string, from []T) T { return rapid.SampledFrom(from).Draw(t, label) }

func mustList(text string) Resources {
	l, err := resources.Parse(text)
	if err != nil {
		panic(err)
	}
	return l
}

// step applies an input and holds what comes of it against who is there to hear it.
func (w *wild) step(in Input) {
	answers := 0
	for _, out := range w.c.Step(w.now, in) {
		switch out := out.(type) {
		case Answer:
			answers++
		case Send:
			p := w.streams[out.Stream]
			if p == nil || p.over {
				w.t.Fatalf("%T on stream %s, which is not open", out.Event, out.Stream)
			}
			_, first := out.Event.(Subscribed)
			_, last := out.Event.(Error)
			if first == p.heard && !last {
				w.t.Fatalf("stream %s: SUBSCRIBED is the first event and no other: %T", out.Stream, out.Event)
			}
			p.heard = true
		case CloseStream:
			w.streams[out.Stream].over = true
		case ToAgent:
			p := w.links[out.Link]
			if p == nil || p.over {
				w.t.Fatalf("%T on link %d, which is not open", out.Command, out.Link)
			}
			_, welcome := out.Command.(Welcome)
			refuse, refused := out.Command.(Refuse)
			if (welcome || refused) == p.heard && !refuse.Gone {
				w.t.Fatalf("link %d: the welcome is the first command and no other: %T", out.Link, out.Command)
			}
			p.heard = true
		case CloseLink:
			if p := w.links[out.Link]; p != nil {
				p.over = true
			}
		case Persist:
			w.tickets = append(w.tickets, out.Ticket)
		case Publish:
			w.mirror.hear(out.Change)
		case Notice:
			if out.Level == LevelError {
				w.t.Fatalf("the core complains: %s %v", out.Text, out.Attrs)
			}
		}
	}
	_, call := in.(SchedulerCall)
	_, order := in.(OperatorCall)
	if (answers == 1) != (call || order) {
		w.t.Fatalf("%T got %d answers", in, answers)
	}
}

// ---- what may happen

func (w *wild) subscribe(t *rapid.T) {
	w.opened++
	s := StreamID(fmt.Sprint("s", w.opened))
	w.streams[s] = &peer{}
	in := Subscribe{Stream: s, Framework: FrameworkInfo{ID: draw(t, "framework", append(wildFrameworks, "", "..")), Name: "n",
		FailoverTimeout: draw(t, "timeout", []time.Duration{0, time.Second, time.Hour})}}
	if rapid.Bool().Draw(t, "multi") {
		in.Framework.Capabilities = in.Framework.Capabilities.With(mesos.FrameworkInfo_Capability_MULTI_ROLE)
		in.Framework.Roles = rapid.SliceOfNDistinct(rapid.SampledFrom([]ids.Role{"dev", "ops", "dev/x"}), 0, 3, rapid.ID).Draw(t, "roles")
		in.Suppressed = rapid.SliceOfNDistinct(rapid.SampledFrom([]ids.Role{"dev", "none"}), 0, 2, rapid.ID).Draw(t, "suppressed")
	}
	w.step(in)
}

func (w *wild) hangUp(t *rapid.T) {
	for s := range w.pickKey(t, sorted(w.streams)) {
		delete(w.streams, s)
		w.step(StreamClosed{s})
	}
}

// pickKey yields one of the keys, or nothing if there is none.
func (w *wild) pickKey(t *rapid.T, keys []StreamID) func(func(StreamID) bool) {
	return func(yield func(StreamID) bool) {
		if len(keys) > 0 {
			yield(draw(t, "stream", keys))
		}
	}
}

func (w *wild) call(t *rapid.T) {
	id, stream := w.caller(t)
	task, agent := draw(t, "task", wildTasks), draw(t, "agent", append(wildAgents, ""))
	w.step(SchedulerCall{id, stream, draw(t, "call", []Call{
		Teardown{}, Revive{}, Revive{Roles: []ids.Role{"dev"}}, Suppress{}, Kill{Task: task, Agent: agent}, Shutdown{"e1", agent},
		Reconcile{}, Reconcile{[]ReconcileTask{{task, agent}}}, Message{agent, "e1", nil}, RequestResources{},
		Acknowledge{agent, task, UUID{15: draw(t, "uuid", []byte{1, 2, 3})}},
		Decline{Offers: w.offersOf(t, id), Refuse: draw(t, "refuse", []time.Duration{0, time.Second, time.Hour})},
	})})
}

// order asks for what operators ask for.
func (w *wild) order(t *rapid.T) {
	f := draw(t, "framework", append(wildFrameworks, ""))
	w.step(OperatorCall{draw(t, "order", []Order{OrderKill{Framework: f, Task: draw(t, "task", wildTasks)}, OrderTeardown{f},
		OrderMarkGone{draw(t, "agent", wildAgents)}})})
}

// caller is a framework and a stream of its, mostly.
func (w *wild) caller(t *rapid.T) (ids.FrameworkID, StreamID) {
	var connected []*Framework
	for f := range w.c.frameworks.All() {
		if f.Connected() {
			connected = append(connected, f)
		}
	}
	if len(connected) == 0 || rapid.IntRange(0, 9).Draw(t, "stranger") == 0 {
		return draw(t, "caller", wildFrameworks), draw(t, "with", []StreamID{"", "none"})
	}
	f := draw(t, "caller", connected)
	return f.Info.ID, f.Stream
}

// offersOf are some offers of a framework, mostly.
func (w *wild) offersOf(t *rapid.T, id ids.FrameworkID) []ids.OfferID {
	some := []ids.OfferID{"none"}
	stranger := rapid.IntRange(0, 9).Draw(t, "of others") == 0
	for o := range w.c.offers.All() {
		if o.Framework == id || stranger {
			some = append(some, o.ID)
		}
	}
	return rapid.SliceOfN(rapid.SampledFrom(some[min(1, len(some)-1):]), 0, 3).Draw(t, "offers")
}

// accept launches tasks, mostly for the agent of the offers.
func (w *wild) accept(t *rapid.T) {
	id, stream := w.caller(t)
	a := Accept{Offers: w.offersOf(t, id), Refuse: time.Second}
	agent := draw(t, "agent", wildAgents)
	for _, one := range a.Offers {
		if o := w.c.offers.Get(one); o != nil && rapid.IntRange(0, 9).Draw(t, "astray") > 0 {
			agent = o.Agent.ID
		}
	}
	a.Tasks = w.tasks(t, agent)
	w.step(SchedulerCall{id, stream, a})
}

func (w *wild) tasks(t *rapid.T, agent ids.AgentID) (tasks []TaskInfo) {
	for range rapid.IntRange(0, 3).Draw(t, "tasks") {
		info := TaskInfo{ID: draw(t, "id", wildTasks), Agent: agent, Resources: mustList(draw(t, "needs", []string{"cpus:1", "cpus:1;mem:100", "mem:9000"}))}
		info.HasCommand = true
		if e := draw(t, "executor", wildExecutors); e != "" {
			info.HasCommand, info.Executor = false, &ExecutorInfo{ID: e, Resources: mustList("cpus:0.5"), Raw: []byte(draw(t, "raw", []string{"x", "x", "y"}))}
		}
		tasks = append(tasks, info)
	}
	return tasks
}

// join is an agent that comes, or comes back, with anything.
func (w *wild) join(t *rapid.T) {
	w.opened++
	in := AgentSubscribe{Link: LinkID(w.opened), ID: draw(t, "agent", append(wildAgents, "")),
		Info: AgentInfo{Hostname: "h", Resources: mustList(draw(t, "has", []string{"cpus:4;mem:1000", "cpus:8;mem:500"}))}}
	w.links[in.Link] = &peer{}
	for range rapid.IntRange(0, 3).Draw(t, "reports") {
		f, state := draw(t, "framework", wildFrameworks), draw(t, "state", wildStates)
		r := AgentTask{Framework: f, State: state, Told: draw(t, "told", wildStates), Finished: Terminal(state) && rapid.Bool().Draw(t, "finished"),
			Info: TaskInfo{ID: draw(t, "id", wildTasks[:3]), Resources: mustList("cpus:1").Allocate("*")}}
		r.Statuses = []Status{{Task: r.Info.ID, State: state, UUID: UUID{15: draw(t, "uuid", []byte{1, 2, 3})}}}
		in.Tasks = append(in.Tasks, r)
		if rapid.Bool().Draw(t, "with framework") {
			in.Frameworks = append(in.Frameworks, FrameworkInfo{ID: f, FailoverTimeout: time.Second})
		}
		if rapid.Bool().Draw(t, "with executor") {
			in.Executors = append(in.Executors, AgentExecutor{f, ExecutorInfo{ID: "e1", Resources: mustList("cpus:0.5").Allocate("*"), Raw: []byte("x")}})
		}
	}
	w.step(in)
}

func (w *wild) unlink(t *rapid.T) {
	if links := sorted(w.links); len(links) > 0 {
		l := draw(t, "link", links)
		delete(w.links, l)
		w.step(LinkClosed{Link: l, Reason: "gone", Silent: draw(t, "silent", []time.Duration{0, time.Minute})})
	}
}

// say is an agent that says something, true or not.
func (w *wild) say(t *rapid.T) {
	links := sorted(w.links)
	if len(links) == 0 {
		return
	}
	l, f, task := draw(t, "link", links), draw(t, "framework", wildFrameworks), draw(t, "task", wildTasks)
	state := draw(t, "state", wildStates)
	w.step(draw(t, "what", []Input{
		AgentUpdate{Link: l, Framework: f, Latest: draw(t, "latest", wildStates),
			Status: Status{Task: task, State: state, UUID: UUID{15: draw(t, "uuid", []byte{1, 2, 3})}, Raw: []byte("raw")}},
		AgentUpdate{Link: l, Framework: f, Latest: state, Status: Status{Task: task, State: state, UUID: UUID{15: 1}, Raw: []byte("raw")}},
		AgentMessage{Link: l, Framework: f, Executor: "e1"},
		AgentExecutorExited{Link: l, Framework: f, Executor: draw(t, "executor", wildExecutors)},
		AgentTaskRefused{Link: l, Framework: f, Task: task},
		AgentFrameworkGone{Link: l, Framework: f},
		AgentUnregistered{Link: l},
	}))
}

// write makes the oldest record durable.
func (w *wild) write(*rapid.T) {
	if len(w.tickets) > 0 {
		ticket := w.tickets[0]
		w.tickets = w.tickets[1:]
		w.step(Persisted{ticket})
	}
}

func (w *wild) letPass(t *rapid.T) {
	w.now = w.now.Add(draw(t, "time", []time.Duration{3 * time.Millisecond, time.Second, time.Minute, 11 * time.Minute}))
	w.step(Tick{})
}

// wait lets time pass, and the deadlines ring when they are due.
func (w *wild) wait(d time.Duration) {
	for end := w.now.Mono + d; w.now.Mono < end; w.step(Tick{}) {
		next := min(w.c.NextDeadline(), end)
		w.now = w.now.Add(max(next-w.now.Mono, time.Microsecond))
	}
}

// end lets everything end, and looks whether all is free.
func (w *wild) end() {
	for len(w.tickets) > 0 {
		w.write(w.t)
	}
	for _, l := range sorted(w.links) { // those that live come back with nothing
		delete(w.links, l)
		w.step(LinkClosed{Link: l})
	}
	for _, s := range sorted(w.streams) {
		delete(w.streams, s)
		w.step(StreamClosed{s})
	}
	w.wait(24 * time.Hour)
	for len(w.tickets) > 0 {
		w.write(w.t)
	}
	w.wait(24 * time.Hour)
	w.check()
	if n := len(w.c.byFrame) + len(w.c.byAgent) + w.c.tasks.Len() + w.c.executors.Len() + w.c.offers.Len(); n > 0 {
		w.t.Fatalf("%d things are left in the books: %v %v", n, slices.Collect(maps.Keys(w.c.byFrame)), slices.Collect(maps.Keys(w.c.byAgent)))
	}
	w.streams["end"] = &peer{}
	w.step(Subscribe{Stream: "end", Framework: FrameworkInfo{ID: "end", FailoverTimeout: time.Hour}})
	welcome := 0
	for n, id := range wildAgents {
		if !w.c.absent.gone.has(id) {
			welcome++
		}
		l := LinkID(1_000_000 + n)
		w.links[l] = &peer{}
		w.step(AgentSubscribe{Link: l, ID: id, Info: AgentInfo{Resources: mustList("cpus:4;mem:1000")}})
	}
	for len(w.tickets) > 0 {
		w.write(w.t)
	}
	w.now = w.now.Add(time.Second)
	w.step(Tick{})
	whole := 0
	for o := range w.c.offers.All() {
		if o.Framework == "end" && o.Resources.Unallocated().Equal(mustList("cpus:4;mem:1000")) {
			whole++
		}
	}
	if whole != welcome {
		w.t.Fatalf("%d of %d agents are offered as a whole when nothing runs", whole, welcome)
	}
}
