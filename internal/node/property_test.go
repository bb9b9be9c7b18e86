package node

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// world is everything around a core, as bad as it can be: a disk that is slow and loses what was not
// synced, a master that comes and goes and acknowledges what it likes, supervisors that die, executors
// that reconnect, and an agent that crashes between any two inputs. It checks what the package comment
// promises while the core runs.
type world struct {
	t     *rapid.T
	node  *Node
	now   core.Time
	runs  byte
	boots int
	trace []string

	// disk
	log     []Record                 // durable
	file    []Persist                // written, and not durable
	pending []Persist                // not written
	status  map[UUID]*worldStatus    // in the log or the file, or lost from it
	known   map[ids.ContainerID]bool // containers whose record is in the log
	over    map[ids.ContainerID]bool // containers whose end is in the log
	command map[ids.TaskID]ids.ContainerID
	order   map[ids.TaskID][]UUID // statuses of a task in the order in which they were written

	// supervisor
	started  map[ids.ContainerID]bool // ever
	running  map[ids.ContainerID]bool
	ended    map[ids.ContainerID]End // not collected
	starting []StartContainer        // asked for, not answered

	// master
	link  LinkID
	tasks []ids.TaskID
	owed  map[ids.TaskID]UUID   // sent to the master and not acknowledged yet
	acked map[UUID]bool         // the master acknowledged it
	seen  map[ids.TaskID][]UUID // in the order in which the master first saw them
	last  map[ids.TaskID]mesos.TaskState

	// executors
	executors map[ids.ExecutorID]*fakeExecutor
	promised  map[UUID]ids.TaskID // statuses that executors were told are safe
	serial    uint16
	stream    StreamID
	request   RequestID
}

// worldStatus is a status that was written.
type worldStatus struct {
	safety safety
	needs  safety // before it may be said
	void   bool   // the machine was rebooted since: it need not reach the master any more
	lost   bool   // with the machine
}

// fakeExecutor is a custom executor.
type fakeExecutor struct {
	container ids.ContainerID
	stream    StreamID
	tasks     []ids.TaskID        // it has and has not ended
	unacked   []ExecutorUpdate    // not safe yet, oldest first
	told      map[ids.TaskID]bool // tasks of which some status is safe
	launched  map[ids.TaskID]bool
}

const worldFramework = ids.FrameworkID("F")

func newWorld(t *rapid.T) *world {
	w := &world{
		t:         t,
		now:       core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)},
		status:    make(map[UUID]*worldStatus),
		known:     make(map[ids.ContainerID]bool),
		over:      make(map[ids.ContainerID]bool),
		command:   make(map[ids.TaskID]ids.ContainerID),
		order:     make(map[ids.TaskID][]UUID),
		started:   make(map[ids.ContainerID]bool),
		running:   make(map[ids.ContainerID]bool),
		ended:     make(map[ids.ContainerID]End),
		owed:      make(map[ids.TaskID]UUID),
		acked:     make(map[UUID]bool),
		seen:      make(map[ids.TaskID][]UUID),
		last:      make(map[ids.TaskID]mesos.TaskState),
		executors: make(map[ids.ExecutorID]*fakeExecutor),
		promised:  make(map[UUID]ids.TaskID),
	}
	w.boot()
	return w
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.trace[max(0, len(w.trace)-60):] {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

// boot starts an agent on what is on the disk.
func (w *world) boot() {
	w.runs++
	w.trace = append(w.trace, fmt.Sprintf("--- run %d", w.runs))
	w.file, w.pending, w.starting, w.link = nil, nil, nil, 0
	clear(w.owed)
	for _, e := range w.executors {
		e.stream = 0
	}
	w.node = New(Config{Isolation: Isolation{Mem: true, CPU: true}, Seed: UUID{w.runs}, Boot: fmt.Sprint("boot ", w.boots), MaxCompletedTasks: 5})
	for _, r := range w.log {
		w.node.Step(w.now, Replayed{r})
	}
	var containers []ContainerState
	for c := range w.running {
		containers = append(containers, ContainerState{Container: c, PID: 7})
	}
	for c, end := range w.ended {
		containers = append(containers, ContainerState{Container: c, End: &end})
	}
	slices.SortFunc(containers, func(a, b ContainerState) int { return cmpString(a.Container, b.Container) })
	w.step(Recovered{Containers: containers})
	w.step(Accepting{})
}

func cmpString[S ~string](a, b S) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// step applies an input and looks at every output.
func (w *world) step(in Input) {
	w.t.Helper()
	w.trace = append(w.trace, fmt.Sprintf("> %T %+v", in, in))
	for _, out := range slices.Clone(w.node.Step(w.now, in)) {
		w.trace = append(w.trace, "  "+describe(out))
		w.look(out)
	}
}

func (w *world) look(out Output) {
	switch out := out.(type) {
	case Persist:
		if n := len(w.pending); n > 0 && out.Ticket != w.pending[n-1].Ticket+1 {
			w.fail("ticket %d follows %d", out.Ticket, w.pending[n-1].Ticket)
		}
		for _, r := range out.Records {
			if r, ok := r.(TaskRecord); ok && r.Executor == "" {
				w.command[r.Task] = r.Container
			}
		}
		w.pending = append(w.pending, out)
	case StartContainer:
		c := out.Sandbox.Container
		if !w.known[c] {
			w.fail("container %s is started before its record is durable", nameContainer(c))
		}
		if w.started[c] {
			w.fail("container %s is started twice", nameContainer(c))
		}
		w.started[c] = true
		w.starting = append(w.starting, out)
	case LimitContainer:
		if c := out.Container; !w.started[c] || w.over[c] {
			w.fail("container %s is held to something while it is not there", nameContainer(c))
		}
	case KillContainer:
		w.killed(out.Container)
	case CollectContainer:
		if w.running[out.Container] {
			w.fail("container %s is collected while it runs", nameContainer(out.Container))
		}
		if w.started[out.Container] && !w.over[out.Container] {
			w.fail("container %s is collected before its end is durable", nameContainer(out.Container))
		}
		delete(w.ended, out.Container)
	case ToMaster:
		if u, ok := out.Body.(Update); ok && u.Status.UUID != (UUID{}) {
			w.updated(u)
		}
	case ToExecutor:
		w.heard(out)
	}
}

// killed ends a container, or keeps it from being started.
func (w *world) killed(c ids.ContainerID) {
	for i, s := range w.starting {
		if s.Sandbox.Container == c {
			w.starting = slices.Delete(w.starting, i, i+1)
			w.ended[c] = End{Status: 15, Text: "terminated with signal Terminated", Killed: true}
			return
		}
	}
	if w.running[c] {
		delete(w.running, c)
		w.ended[c] = End{Status: 15, Text: "terminated with signal Terminated", Killed: true}
	}
}

// updated checks what the master is told.
func (w *world) updated(u Update) {
	id := u.Status.UUID
	if s := w.status[id]; s == nil || s.safety < s.needs {
		w.fail("status %s of %s is forwarded before it is safe", nameUUID(id), u.Task)
	}
	if seen := w.seen[u.Task]; slices.Contains(seen, id) && seen[len(seen)-1] != id {
		w.fail("status %s of %s comes again behind %s", nameUUID(id), u.Task, nameUUID(seen[len(seen)-1]))
	}
	for _, earlier := range w.order[u.Task] {
		if earlier == id {
			break
		}
		if !w.acked[earlier] && !w.status[earlier].void {
			w.fail("status %s of %s overtakes %s", nameUUID(id), u.Task, nameUUID(earlier))
		}
	}
	if !slices.Contains(w.seen[u.Task], id) {
		w.seen[u.Task] = append(w.seen[u.Task], id)
		if IsTerminal(w.last[u.Task]) {
			w.fail("task %s becomes %s after %s", u.Task, u.Status.State, w.last[u.Task])
		}
		w.last[u.Task] = u.Status.State
	}
	w.owed[u.Task] = id
}

// heard checks what executors are told.
func (w *world) heard(out ToExecutor) {
	for _, e := range w.executors {
		if e.stream != out.Stream {
			continue
		}
		switch event := out.Event.(type) {
		case ExecutorLaunch:
			id := ids.TaskID(string(event.Task)[len("info of "):])
			if e.launched[id] {
				w.fail("task %s is handed over twice", id)
			}
			if rapid.Bool().Draw(w.t, "launch arrives") {
				e.launched[id] = true
				e.tasks = append(e.tasks, id)
			} else {
				w.step(StreamClosed{Stream: e.stream})
				e.stream = 0
			}
		case ExecutorAcknowledged:
			if s := w.status[event.UUID]; s == nil || s.safety < durable {
				w.fail("status %s is called safe before it is durable", nameUUID(event.UUID))
			}
			w.promised[event.UUID] = event.Task
			e.told[event.Task] = true
			e.unacked = slices.DeleteFunc(e.unacked, func(u ExecutorUpdate) bool { return u.Status.UUID == event.UUID })
		}
		return
	}
}

// ---- what can happen

func (w *world) sync() {
	if len(w.pending) == 0 {
		return
	}
	n := rapid.IntRange(1, len(w.pending)).Draw(w.t, "synced")
	w.write(n)
	needSync := slices.ContainsFunc(w.file, func(p Persist) bool { return p.Sync })
	if !needSync && rapid.Bool().Draw(w.t, "only written") {
		w.step(Written{w.file[len(w.file)-1].Ticket})
		return
	}
	w.persisted(w.flush())
}

func (w *world) persisted(upTo Ticket) { w.step(Persisted{upTo}) }

// write puts as many records as are given into the file.
func (w *world) write(n int) {
	for _, p := range w.pending[:n] {
		for _, r := range p.Records {
			r, ok := r.(StatusRecord)
			if !ok || w.status[r.Status.UUID] != nil {
				continue
			}
			w.order[r.Task] = append(w.order[r.Task], r.Status.UUID)
			t := &task{}
			if w.command[r.Task] == "" {
				t.owner = "E"
			}
			w.status[r.Status.UUID] = &worldStatus{safety: written, needs: t.needs(r.Status)}
		}
	}
	w.file = append(w.file, w.pending[:n]...)
	w.pending = w.pending[n:]
}

// flush makes durable what is in the file, and says how far that is.
func (w *world) flush() (upTo Ticket) {
	for _, p := range w.file {
		w.keep(p)
		upTo = p.Ticket
	}
	w.file = nil
	return upTo
}

// keep makes records durable.
func (w *world) keep(p Persist) {
	for _, r := range p.Records {
		w.log = append(w.log, r)
		switch r := r.(type) {
		case StatusRecord:
			w.status[r.Status.UUID].safety = durable
			if c := w.command[r.Task]; c != "" && IsTerminal(r.Status.State) {
				w.over[c] = true
			}
		case TaskRecord:
			w.known[r.Container] = true
		case ExecutorGone:
			w.over[r.Container] = true
		case ExecutorRecord:
			w.known[r.Container] = true
		}
	}
}

// crash is the end of the process. It loses what was not written, or a part of that.
func (w *world) crash() {
	w.write(rapid.IntRange(0, len(w.pending)).Draw(w.t, "kept"))
	w.flush()
	for _, s := range w.starting { // the supervisor may have got the request
		if rapid.Bool().Draw(w.t, "request arrived") {
			w.run(s)
		}
	}
	w.boot()
}

// reboot is the end of the machine. It loses what was not durable, or a part of that, and all that runs.
func (w *world) reboot() {
	w.write(len(w.pending))
	kept := rapid.IntRange(0, len(w.file)).Draw(w.t, "kept by the disk")
	for _, p := range w.file[kept:] {
		for _, r := range p.Records {
			if r, ok := r.(StatusRecord); ok && w.status[r.Status.UUID].safety < durable {
				w.status[r.Status.UUID].lost = true
			}
		}
	}
	w.file = w.file[:kept]
	w.flush()
	for _, s := range w.status {
		s.void = s.void || s.lost || s.needs == written
	}
	clear(w.running)
	clear(w.ended)
	clear(w.executors)
	w.boots++
	w.boot()
}

func (w *world) run(s StartContainer) {
	c := s.Sandbox.Container
	w.running[c] = true
	if s.Task == "" {
		w.executors[s.Sandbox.Executor] = &fakeExecutor{container: c, told: map[ids.TaskID]bool{}, launched: map[ids.TaskID]bool{}}
	}
}

func (w *world) connect() {
	w.link++
	clear(w.owed)
	w.step(LinkOpened{w.link})
	w.step(FromMaster{Link: w.link, Session: uint64(w.runs)*1000 + uint64(w.link), Epoch: 1, Body: Subscribed{Agent: "A", Cluster: "C"}})
}

func (w *world) order1(body MasterBody) {
	if w.node.link.up {
		w.step(FromMaster{Link: w.link, Session: w.node.link.session, Epoch: 1, Body: body})
	}
}

func (w *world) runTask() {
	if !w.node.link.up {
		return
	}
	id := ids.TaskID(fmt.Sprint("t", len(w.tasks)))
	args := []string{string(worldFramework), string(id)}
	switch rapid.IntRange(0, 3).Draw(w.t, "kind") {
	case 0, 1:
		args = append(args, "exec=E"+string(rune('0'+rapid.IntRange(0, 1).Draw(w.t, "executor"))))
	case 2:
		args = append(args, "uri")
	}
	args = append(args, fmt.Sprintf("disk=%d", rapid.SampledFrom([]int{0, 1000, 2000}).Draw(w.t, "disk")))
	w.tasks = append(w.tasks, id)
	w.order1(runOf(args))
}

func (w *world) acknowledge() {
	if len(w.owed) == 0 {
		return
	}
	id := rapid.SampledFrom(sortedKeys(w.owed)).Draw(w.t, "acknowledged")
	uuid := w.owed[id]
	if rapid.IntRange(0, 5).Draw(w.t, "wrong") == 0 {
		uuid[15] ^= 0xff
		w.order1(Acknowledge{worldFramework, id, uuid})
		return
	}
	delete(w.owed, id)
	w.acked[uuid] = true
	w.order1(Acknowledge{worldFramework, id, uuid})
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (w *world) answerStart() {
	if len(w.starting) == 0 {
		return
	}
	s := w.starting[0]
	w.starting = w.starting[1:]
	if rapid.IntRange(0, 4).Draw(w.t, "fails") == 0 {
		w.step(ContainerStartFailed{Container: s.Sandbox.Container, Cause: StartCause(rapid.IntRange(0, 3).Draw(w.t, "cause")), Detail: "because"})
		return
	}
	w.run(s)
	w.step(ContainerStarted{Container: s.Sandbox.Container, PID: 7})
}

func (w *world) exit() {
	if len(w.running) == 0 {
		return
	}
	c := rapid.SampledFrom(sortedKeys(w.running)).Draw(w.t, "exits")
	delete(w.running, c)
	w.ended[c] = End{Status: 0, Text: "exited with status 0"}
	if rapid.IntRange(0, 3).Draw(w.t, "out of memory") == 0 {
		w.ended[c] = End{Status: 9, Text: "terminated with signal Killed", OutOfMemory: &OutOfMemory{Limit: 1, Peak: 1}}
	}
}

// fill measures a sandbox, of something that was started at some time.
func (w *world) fill() {
	if len(w.started) > 0 {
		c := rapid.SampledFrom(sortedKeys(w.started)).Draw(w.t, "fills")
		w.step(DiskUsed{Container: c, Bytes: rapid.Int64Range(0, 3000).Draw(w.t, "bytes")})
	}
}

// tellExit repeats an end that was not collected, as supervisors do.
func (w *world) tellExit() {
	if len(w.ended) == 0 {
		return
	}
	c := rapid.SampledFrom(sortedKeys(w.ended)).Draw(w.t, "told")
	w.step(ContainerEnded{Container: c, End: w.ended[c]})
}

// loseSupervisor ends every container without a status.
func (w *world) loseSupervisor() {
	for _, c := range sortedKeys(w.running) {
		delete(w.running, c)
		w.ended[c] = End{Lost: "the supervisor died"}
	}
}

func (w *world) liveExecutors() []*fakeExecutor {
	var live []*fakeExecutor
	for _, id := range sortedKeys(w.executors) {
		if e := w.executors[id]; w.running[e.container] {
			live = append(live, e)
		}
	}
	return live
}

func (w *world) idOf(e *fakeExecutor) ids.ExecutorID {
	for id, other := range w.executors {
		if other == e {
			return id
		}
	}
	return ""
}

func (w *world) subscribe(e *fakeExecutor) {
	w.stream++
	w.request++
	e.stream = w.stream
	in := ExecutorSubscribes{Request: w.request, Stream: w.stream, Framework: worldFramework, Executor: w.idOf(e), Updates: slices.Clone(e.unacked)}
	for id := range e.launched {
		if !e.told[id] {
			in.Tasks = append(in.Tasks, id)
		}
	}
	slices.Sort(in.Tasks)
	w.step(in)
}

func (w *world) executorActs() {
	live := w.liveExecutors()
	if len(live) == 0 {
		return
	}
	e := rapid.SampledFrom(live).Draw(w.t, "executor")
	switch what := rapid.IntRange(0, 5).Draw(w.t, "does"); {
	case e.stream == 0 || what == 0:
		w.subscribe(e)
	case what == 1:
		stream := e.stream
		e.stream = 0
		w.step(StreamClosed{Stream: stream})
	case len(e.tasks) > 0:
		i := rapid.IntRange(0, len(e.tasks)-1).Draw(w.t, "task")
		state := mesos.TaskState_TASK_RUNNING
		id := e.tasks[i]
		if what > 3 {
			state = mesos.TaskState_TASK_FINISHED
			e.tasks = slices.Delete(e.tasks, i, i+1)
		}
		w.serial++
		u := ExecutorUpdate{Task: id, Status: Status{UUID: UUID{14: byte(w.serial >> 8), 15: byte(w.serial)}, State: state,
			Source: mesos.TaskStatus_SOURCE_EXECUTOR, Reason: NoReason, Data: []byte("data")}}
		e.unacked = append(e.unacked, u)
		w.request++
		w.step(ExecutorUpdates{Request: w.request, Framework: worldFramework, Executor: w.idOf(e), Update: u})
	}
}

func (w *world) passTime() {
	d := time.Duration(rapid.Int64Range(0, int64(40*time.Second)).Draw(w.t, "passes"))
	w.now = w.now.Add(d)
	w.step(Tick{})
}

// TestWhateverHappensThePromisesHold plays random histories, then lets the faults end and everything come
// to rest: whatever was promised has to have been kept by then.
func TestWhateverHappensThePromisesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.connect()
		t.Repeat(map[string]func(*rapid.T){
			"run":         func(*rapid.T) { w.runTask() },
			"sync":        func(*rapid.T) { w.sync() },
			"sync too":    func(*rapid.T) { w.sync() },
			"acknowledge": func(*rapid.T) { w.acknowledge() },
			"started":     func(*rapid.T) { w.answerStart() },
			"exit":        func(*rapid.T) { w.exit() },
			"fill":        func(*rapid.T) { w.fill() },
			"tell exit":   func(*rapid.T) { w.tellExit() },
			"executor":    func(*rapid.T) { w.executorActs() },
			"executor 2":  func(*rapid.T) { w.executorActs() },
			"time":        func(*rapid.T) { w.passTime() },
			"kill": func(t *rapid.T) {
				if len(w.tasks) > 0 {
					w.order1(KillTask{Framework: worldFramework, Task: rapid.SampledFrom(w.tasks).Draw(t, "killed")})
				}
			},
			"shutdown": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "really") == 0 {
					w.order1(ShutdownExecutor{worldFramework, "E0"})
				}
			},
			"connect":    func(*rapid.T) { w.connect() },
			"disconnect": func(*rapid.T) { w.step(LinkClosed{w.link}) },
			"crash":      func(*rapid.T) { w.crash() },
			"reboot":     func(*rapid.T) { w.reboot() },
			"supervisor": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "really") == 0 {
					w.loseSupervisor()
				}
			},
			"": func(*rapid.T) { w.checkSnapshot() },
		})
		w.rest()
	})
}

// checkSnapshot holds a snapshot against itself: what is replayed from it has the same snapshot.
func (w *world) checkSnapshot() {
	w.t.Helper()
	want := w.node.Snapshot()
	again := New(w.node.config)
	for _, r := range want {
		again.Step(w.now, Replayed{r})
	}
	if diff := cmp.Diff(want, again.Snapshot()); diff != "" {
		w.fail("a snapshot gives another state back:\n%s", diff)
	}
}

// rest ends the faults and lets everything come to its end.
func (w *world) rest() {
	w.t.Helper()
	w.connect()
	for round := 0; ; round++ {
		if round > 200 {
			w.fail("it does not come to rest: owed %v, pending %d", w.owed, len(w.pending))
		}
		busy := len(w.pending) + len(w.starting) + len(w.running) + len(w.ended) + len(w.owed)
		for _, s := range slices.Clone(w.starting) {
			w.starting = w.starting[1:]
			w.run(s)
			w.step(ContainerStarted{Container: s.Sandbox.Container, PID: 7})
		}
		for len(w.pending) > 0 {
			w.write(1)
			w.persisted(w.flush())
		}
		for _, e := range w.liveExecutors() {
			if e.stream == 0 {
				w.subscribe(e)
			}
		}
		for _, id := range sortedKeys(w.owed) {
			uuid := w.owed[id]
			delete(w.owed, id)
			w.acked[uuid] = true
			w.order1(Acknowledge{worldFramework, id, uuid})
		}
		if round > 3 {
			for _, c := range sortedKeys(w.running) {
				delete(w.running, c)
				w.ended[c] = End{Status: 256, Text: "exited with status 1"}
			}
		}
		for _, c := range sortedKeys(w.ended) {
			w.step(ContainerEnded{Container: c, End: w.ended[c]})
		}
		w.now = w.now.Add(time.Second)
		w.step(Tick{})
		if busy == 0 && round > 5 {
			break
		}
	}
	w.checkRest()
}

// checkRest looks at what became of everything.
func (w *world) checkRest() {
	w.t.Helper()
	for uuid, task := range w.promised {
		if !slices.Contains(w.seen[task], uuid) {
			w.fail("status %s of %s was called safe and never reached the master", nameUUID(uuid), task)
		}
	}
	for _, r := range w.log {
		if r, ok := r.(TaskRecord); ok && !IsTerminal(w.last[r.Task]) {
			w.fail("task %s was recorded and ended as %s", r.Task, w.last[r.Task])
		}
	}
	for task, order := range w.order {
		seen := w.seen[task]
		due := slices.DeleteFunc(order, func(u UUID) bool { return w.status[u].void && !slices.Contains(seen, u) })
		if !slices.Equal(due, seen) {
			w.fail("task %s: the log has %v, the master saw %v", task, due, seen)
		}
	}
	if f := w.node.frameworks[worldFramework]; f != nil && len(f.tasks)+len(f.executors)+len(f.builtins)+f.owed > 0 {
		w.fail("left over: %d tasks, %d executors, %d commands, %d statuses", len(f.tasks), len(f.executors), len(f.builtins), f.owed)
	}
	waiting := len(w.node.commits.waiting[written]) + len(w.node.commits.waiting[durable])
	if len(w.node.containers)+len(w.node.timers.heap)+waiting > 0 {
		w.fail("left over: %d containers, %d timers, %d waiting", len(w.node.containers), len(w.node.timers.heap), waiting)
	}
}
