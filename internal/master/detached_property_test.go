package master

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
	"github.com/meseta/meseta/internal/resources"
)

// TestDetachedTasksRunOnceWhateverDies lets masters die between any two writes and links break between any
// two messages, while detached tasks are asked for and killed; then everything calms down. The masters are
// real but for their sockets: the loop with both cores in it, and the registry's records.
func TestDetachedTasksRunOnceWhateverDies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bubble(t, func() {
			w := newDetachedWorld(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"":            func(*rapid.T) { w.check() },
				"run":         w.run,
				"kill":        w.kill,
				"write":       func(t *rapid.T) { w.write(rapid.IntRange(1, 3).Draw(t, "writes")) },
				"master dies": func(*rapid.T) { w.elect() },
				"flow":        w.flow,
				"flow on":     w.flow, // the more often things go well, the more there is to go wrong
				"flow still":  w.flow,
				"connect":     func(t *rapid.T) { w.any(t).connect() },
				"disconnect":  func(t *rapid.T) { w.any(t).disconnect() },
				"receive":     func(t *rapid.T) { w.any(t).receive(rapid.IntRange(1, 4).Draw(t, "commands")) },
				"progress":    func(t *rapid.T) { w.any(t).progress() },
				"time": func(t *rapid.T) {
					w.sleep(rapid.SampledFrom([]time.Duration{10 * time.Millisecond, time.Second, 20 * time.Second, 2 * time.Minute}).Draw(t, "for"))
				},
			})
			w.calmDown()
			w.checkEnd()
		})
	})
}

// bubble runs f on virtual time. A panic, by which rapid ends a try, goes through.
func bubble(t *testing.T, f func()) {
	var panicked any
	synctest.Test(t, func(*testing.T) {
		defer func() { panicked = recover() }()
		f()
	})
	if panicked != nil {
		panic(panicked)
	}
}

// detachedWorld is a cluster, and what was promised in it.
type detachedWorld struct {
	t      *rapid.T
	store  *registrytest.Store
	reg    *registrytest.Master
	m      *Master
	agents []*fakeAgent
	links  cluster.LinkID

	unwritten []write
	pending   []func() // look whether a request has been answered
	promised  map[ids.TaskID]bool
	killed    map[ids.TaskID]bool
	never     map[ids.TaskID]bool // killed before it was launched
	runs      map[ids.TaskID]int
}

func newDetachedWorld(t *rapid.T) *detachedWorld {
	w := &detachedWorld{t: t, store: registrytest.NewStore("c"), promised: map[ids.TaskID]bool{},
		killed: map[ids.TaskID]bool{}, never: map[ids.TaskID]bool{}, runs: map[ids.TaskID]int{}}
	for n := range 2 {
		w.agents = append(w.agents, &fakeAgent{w: w, id: ids.AgentID(fmt.Sprintf("A%d", n)), tasks: map[ids.TaskID]*fakeTask{}})
	}
	w.elect()
	return w
}

// elect lets the master die, if there is one, with all that was on its way, and makes another.
func (w *detachedWorld) elect() {
	if w.reg != nil {
		w.reg.Crash()
		w.store.Expire(true)
	}
	for _, a := range w.agents {
		a.link, a.inbox = 0, nil
	}
	w.unwritten, w.pending = nil, nil
	w.reg = w.store.Join()
	leadership, err := w.reg.TryCampaign()
	if err != nil {
		w.t.Fatal(err)
	}
	state, err := w.reg.Load(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	first, err := recovered(state)
	if err != nil {
		w.t.Fatal(err)
	}
	tasks, err := recoveredDetached(state)
	if err != nil {
		w.t.Fatal(err)
	}
	w.m = &Master{id: fmt.Sprintf("M%d", leadership.Epoch()), epoch: leadership.Epoch()}
	w.m.registrar = newRegistrar(w.reg, nil)
	w.m.loop = newLoop(w.m, cluster.New(cluster.Config{MasterID: w.m.id}), slog.New(slog.DiscardHandler))
	w.m.loop.apply(delivery{in: first})
	w.step(delivery{detached: tasks})
}

func (w *detachedWorld) step(d delivery) {
	w.m.loop.step(d)
	w.unwritten = append(w.unwritten, w.m.registrar.queue.take()...)
	w.pending = slices.DeleteFunc(w.pending, func(answered func()) bool { answered(); return false })
}

// write makes the oldest writes durable, all at once, and then says so for each.
func (w *detachedWorld) write(n int) {
	batch := w.unwritten[:min(n, len(w.unwritten))]
	w.unwritten = w.unwritten[len(batch):]
	for _, one := range batch {
		if err := w.reg.Apply(nil, one.changes); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, one := range batch {
		w.step(one.then)
	}
}

// sleep lets time pass, stopping at each of the master's deadlines.
func (w *detachedWorld) sleep(d time.Duration) {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		next := w.m.loop.untilDeadline()
		if next > left {
			time.Sleep(left)
			return
		}
		time.Sleep(next)
		w.step(delivery{in: cluster.Tick{}})
	}
}

func (w *detachedWorld) any(t *rapid.T) *fakeAgent {
	return rapid.SampledFrom(w.agents).Draw(t, "agent")
}

// ask puts a request, and has its answer taken in when it comes.
func (w *detachedWorld) ask(in detached.Input, done func(detached.Answer)) {
	reply := make(chan detached.Answer, 1)
	w.pending = append(w.pending, func() {
		select {
		case a := <-reply:
			done(a)
		default:
		}
	})
	w.step(delivery{detached: in, reply: reply})
}

func (w *detachedWorld) run(t *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(t, "instances")
	cpus := resources.Scalar(rapid.IntRange(1, 4).Draw(t, "cpus")) * resources.One
	role := rapid.SampledFrom([]ids.Role{"*", "dev"}).Draw(t, "role")
	spec := clusterpb.Encode(&mesos.TaskInfo{Name: new("n"), Command: &mesos.CommandInfo{Value: new("true"), User: new("u")}})
	w.ask(detached.Run{Name: "n", Role: role, Demand: demand.Demand{CPUs: cpus}, Spec: spec, Instances: n}, func(a detached.Answer) {
		if a.Verdict != detached.Done || len(a.Tasks) != n {
			w.t.Fatalf("run: %+v", a)
		}
		for _, id := range a.Tasks {
			w.promised[id] = true
		}
	})
}

// kill kills as an operator does: a task of our framework's core, else one of the cluster's.
func (w *detachedWorld) kill(t *rapid.T) {
	if len(w.promised) == 0 {
		t.Skip("no task")
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(w.promised))).Draw(t, "task")
	w.ask(detached.Kill{Task: id}, func(a detached.Answer) {
		if a.Verdict == detached.Done {
			w.killed[id] = true
			w.never[id] = a.Agent == ""
		}
	})
}

func (w *detachedWorld) check() {
	for id, n := range w.runs {
		if n > 1 {
			w.t.Fatalf("%s was run %d times", id, n)
		}
	}
}

// flow lets a little of everything happen.
func (w *detachedWorld) flow(t *rapid.T) {
	for _, a := range w.agents {
		if rapid.Bool().Draw(t, "connects") {
			a.connect()
		}
		a.receive(rapid.IntRange(0, 4).Draw(t, "commands"))
	}
	w.write(rapid.IntRange(0, 3).Draw(t, "writes"))
	w.sleep(5 * time.Millisecond)
}

// calmDown lets everything that was begun come to its end.
func (w *detachedWorld) calmDown() {
	for range 200 {
		for _, a := range w.agents {
			a.connect()
			a.receive(len(a.inbox))
			a.progress()
		}
		w.write(len(w.unwritten))
		w.sleep(10 * time.Second)
	}
}

func (w *detachedWorld) checkEnd() {
	w.check()
	for id := range w.promised {
		if !w.killed[id] && w.runs[id] != 1 {
			w.t.Errorf("%s was promised, and has run %d times", id, w.runs[id])
		}
	}
	for _, a := range w.agents {
		for id, task := range a.tasks {
			w.t.Errorf("agent %s has %s still, %s", a.id, id, task.state)
		}
	}
	state, err := w.reg.Load(nil)
	if err != nil || len(state.DetachedTasks) > 0 {
		w.t.Errorf("remembered: %v, %v", state.DetachedTasks, err)
	}
	for o := range w.m.loop.core.View().Offers.All() {
		w.t.Errorf("offer %s of %s is held while nothing waits", o.ID, o.Agent.ID)
	}
}

// fakeAgent keeps what an agent's journal would: tasks, and their statuses until they are acknowledged.
type fakeAgent struct {
	w     *detachedWorld
	id    ids.AgentID
	link  cluster.LinkID
	inbox []cluster.Command
	tasks map[ids.TaskID]*fakeTask
}

type fakeTask struct {
	framework cluster.FrameworkInfo
	info      cluster.TaskInfo
	state     mesos.TaskState
	unacked   []cluster.Status
	statuses  []cluster.Status
	told      mesos.TaskState
	killed    bool
}

func (a *fakeAgent) send(c cluster.Command) { a.inbox = append(a.inbox, c) }
func (a *fakeAgent) Finish(error)           { a.link, a.inbox = 0, nil }
func (a *fakeAgent) Close(error)            { a.link, a.inbox = 0, nil }

func (a *fakeAgent) connect() {
	if a.link != 0 {
		return
	}
	a.w.links++
	a.link = a.w.links
	in := cluster.AgentSubscribe{Link: a.link, ID: a.id,
		Info: cluster.AgentInfo{Hostname: string(a.id), Resources: resources.MustParse("cpus:4")}}
	for _, id := range slices.Sorted(maps.Keys(a.tasks)) {
		t := a.tasks[id]
		in.Frameworks = []cluster.FrameworkInfo{t.framework}
		in.Tasks = append(in.Tasks, cluster.AgentTask{Framework: t.framework.ID, Info: t.info, State: t.state, Told: t.told, Statuses: t.statuses})
	}
	a.w.step(delivery{in: in, link: a})
}

func (a *fakeAgent) disconnect() {
	if a.link == 0 {
		return
	}
	link := a.link
	a.link, a.inbox = 0, nil
	a.w.step(delivery{in: cluster.LinkClosed{Link: link, Reason: "broken"}})
}

// receive takes commands in.
func (a *fakeAgent) receive(n int) {
	for range n {
		if len(a.inbox) == 0 {
			return
		}
		command := a.inbox[0]
		a.inbox = a.inbox[1:]
		switch c := command.(type) {
		case cluster.RunTask:
			a.w.runs[c.Task.ID]++
			if a.w.never[c.Task.ID] {
				a.w.t.Fatalf("%s runs after it was killed", c.Task.ID)
			}
			a.tasks[c.Task.ID] = &fakeTask{framework: c.Framework.Info, info: c.Task, state: mesos.TaskState_TASK_STAGING}
			a.move(a.tasks[c.Task.ID], mesos.TaskState_TASK_STARTING)
		case cluster.KillTask:
			if t := a.tasks[c.Task]; t != nil {
				t.killed = true
			}
		case cluster.AcknowledgeUpdate:
			a.acknowledged(c)
		case cluster.Welcome, cluster.UpdateFramework:
			a.resend()
		}
	}
}

func (a *fakeAgent) acknowledged(c cluster.AcknowledgeUpdate) {
	t := a.tasks[c.Task]
	if t == nil || len(t.unacked) == 0 || t.unacked[0].UUID != c.UUID {
		return
	}
	t.unacked = t.unacked[1:]
	if len(t.unacked) == 0 && cluster.Terminal(t.state) {
		delete(a.tasks, c.Task)
		return
	}
	a.forward(t)
}

// progress lets every task come one state further.
func (a *fakeAgent) progress() {
	for _, id := range slices.Sorted(maps.Keys(a.tasks)) {
		switch t := a.tasks[id]; {
		case cluster.Terminal(t.state):
		case t.killed:
			a.move(t, mesos.TaskState_TASK_KILLED)
		case t.state == mesos.TaskState_TASK_STARTING:
			a.move(t, mesos.TaskState_TASK_RUNNING)
		default:
			a.move(t, mesos.TaskState_TASK_FINISHED)
		}
	}
}

func (a *fakeAgent) move(t *fakeTask, state mesos.TaskState) {
	t.state = state
	id := uuid.New()
	status, err := clusterpb.StatusFrom(clusterpb.Encode(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(string(t.info.ID))},
		State: &state, AgentId: &mesos.AgentID{Value: new(string(a.id))}, Uuid: id[:],
		Timestamp: new(core.Time{Wall: time.Now()}.Seconds())}))
	if err != nil {
		a.w.t.Fatal(err)
	}
	t.unacked = append(t.unacked, status)
	t.statuses = append(t.statuses, status)
	if len(t.unacked) == 1 {
		a.forward(t)
	}
}

// forward sends the oldest status that is not acknowledged.
func (a *fakeAgent) forward(t *fakeTask) {
	if len(t.unacked) == 0 {
		return
	}
	t.told = t.unacked[0].State
	if a.link != 0 {
		a.w.step(delivery{in: cluster.AgentUpdate{Link: a.link, Framework: t.framework.ID, Status: t.unacked[0], Latest: t.state}})
	}
}

func (a *fakeAgent) resend() {
	for _, id := range slices.Sorted(maps.Keys(a.tasks)) {
		if t := a.tasks[id]; t != nil {
			a.forward(t)
		}
	}
}

var _ agentConn = (*fakeAgent)(nil)
var _ registry.Registry = (*registrytest.Master)(nil)
