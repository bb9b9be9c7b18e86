package sim

import (
	"strings"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// truth is what somebody has seen who stands outside and forgets nothing: what became durable on which
// machine, what ran, and what schedulers were told. The promises are held against it.
type truth struct {
	w         *World
	tasks     map[cluster.TaskKey]*taskFact
	order     []*taskFact
	statuses  map[node.UUID]*statusFact
	recorded  map[ids.ContainerID]bool // its task or executor is durable
	executors map[executorName]amounts // what an executor needs
	removed   map[ids.FrameworkID]bool // a master has asked to have it remembered so
	ending    map[ending]bool          // frameworks whose end was ordered on a machine
	commands  map[cluster.TaskKey]bool // tasks that have no executor of their own
}

type executorName struct {
	framework ids.FrameworkID
	executor  ids.ExecutorID
}

type ending struct {
	host      *host
	framework ids.FrameworkID
}

// taskFact is what has been seen of a task.
type taskFact struct {
	key      cluster.TaskKey
	needs    amounts
	statuses []*statusFact // in the order in which its agent recorded them
	ended    bool          // the last of them is terminal
	wanted   bool          // a scheduler has launched it
	runs     int           // how often something was started for it
	running  bool
	refused  string // the scheduler was told, for good, that it will not run
}

// statusFact is a status that was written by an agent.
type statusFact struct {
	task    *taskFact
	host    *host
	index   int
	uuid    node.UUID
	state   mesos.TaskState
	told    bool // to a scheduler of its framework
	receipt bool // its executor was told that it is safe
	durable bool
	passing bool // of a command that lives: it may be said when it is written
	void    bool // the machine was rebooted since, which a later status says
}

// sayable says whether an agent may show the status.
func (s *statusFact) sayable() bool { return s != nil && (s.durable || s.passing) }

func newTruth(w *World) truth {
	return truth{
		w:         w,
		tasks:     make(map[cluster.TaskKey]*taskFact),
		statuses:  make(map[node.UUID]*statusFact),
		recorded:  make(map[ids.ContainerID]bool),
		executors: make(map[executorName]amounts),
		removed:   make(map[ids.FrameworkID]bool),
		ending:    make(map[ending]bool),
		commands:  make(map[cluster.TaskKey]bool),
	}
}

func (t *truth) task(f ids.FrameworkID, id ids.TaskID) *taskFact {
	key := cluster.TaskKey{Framework: f, Task: id}
	fact := t.tasks[key]
	if fact == nil {
		fact = &taskFact{key: key}
		t.tasks[key] = fact
		t.order = append(t.order, fact)
	}
	return fact
}

// ---- what is written, and becomes durable

// written sees a record in a file.
func (t *truth) written(h *host, r node.Record) {
	switch r := r.(type) {
	case node.TaskRecord:
		t.commands[cluster.TaskKey{Framework: r.Framework, Task: r.Task}] = r.Executor == ""
	case node.StatusRecord:
		t.recordStatus(h, r)
	case node.FrameworkRecord:
		t.ending[ending{h, r.Framework.ID}] = r.Ending
	case node.FrameworkGone:
		t.ending[ending{h, r.Framework}] = true
	}
}

// durable sees a record on a disk.
func (t *truth) durable(r node.Record) {
	switch r := r.(type) {
	case node.ExecutorRecord:
		t.recorded[r.Container] = true
	case node.TaskRecord:
		t.recorded[r.Container] = true
	case node.StatusRecord:
		t.statuses[r.Status.UUID].durable = true
	}
}

// lost sees a record go that was written and not durable.
func (t *truth) lost(r node.Record) {
	if r, ok := r.(node.StatusRecord); ok {
		if s := t.statuses[r.Status.UUID]; !s.durable {
			s.void = true
			s.task.ended = s.task.ended && !node.IsTerminal(s.state)
		}
	}
}

// rebooted sees a machine begin anew: what commands said while they lived means nothing any more.
func (t *truth) rebooted(h *host) {
	for _, s := range t.statuses {
		s.void = s.void || s.host == h && s.passing
	}
}

func (t *truth) recordStatus(h *host, r node.StatusRecord) {
	if t.statuses[r.Status.UUID] != nil {
		t.w.fail("the status %s of %s is recorded twice", r.Status.State, r.Task)
		return
	}
	fact := t.task(r.Framework, r.Task)
	if fact.ended {
		t.w.fail("%s is recorded for %s after its end %s", r.Status.State, r.Task, fact.statuses[len(fact.statuses)-1].state)
	}
	if r.Status.State == mesos.TaskState_TASK_STARTING && len(fact.statuses) > 0 {
		t.w.fail("TASK_STARTING is recorded for %s after %s", r.Task, fact.statuses[len(fact.statuses)-1].state)
	}
	s := &statusFact{task: fact, host: h, index: len(fact.statuses), uuid: r.Status.UUID, state: r.Status.State}
	s.passing = t.commands[fact.key] && r.Status.Source == mesos.TaskStatus_SOURCE_EXECUTOR && !node.IsTerminal(s.state)
	fact.statuses = append(fact.statuses, s)
	fact.ended = node.IsTerminal(r.Status.State)
	t.statuses[r.Status.UUID] = s
}

// registryAsked sees what a master wants remembered.
func (t *truth) registryAsked(records []cluster.Record) {
	for _, r := range records {
		if r, ok := r.(cluster.RemoveFramework); ok {
			t.removed[r.ID] = true
		}
	}
}

// ---- what runs

// containerRuns sees a container begin.
func (t *truth) containerRuns(c *container) {
	if !t.recorded[c.id] {
		t.w.fail("container %s (%s) runs before it is durable", c.id, c.what())
	}
	if c.spec.Task != "" {
		t.begins(t.task(c.spec.Sandbox.Framework, c.spec.Task))
	}
}

// taskBegins sees a custom executor begin a task.
func (t *truth) taskBegins(x *executor, id ids.TaskID) {
	t.begins(t.task(x.framework, id))
}

func (t *truth) begins(fact *taskFact) {
	fact.runs++
	fact.running = true
	if !fact.wanted {
		t.w.fail("%s is started, and nobody has launched it", fact.key.Task)
	}
	if fact.runs > 1 {
		t.w.fail("%s is started for the %d. time", fact.key.Task, fact.runs)
	}
	if fact.refused != "" {
		t.w.fail("%s is started although its scheduler was told: %s", fact.key.Task, fact.refused)
	}
}

func (t *truth) taskEnds(key cluster.TaskKey) { t.tasks[key].running = false }

// containerGone sees the end of a container and all that ran in it.
func (t *truth) containerGone(c *container) {
	if c.spec.Task != "" {
		t.task(c.spec.Sandbox.Framework, c.spec.Task).running = false
	} else if c.executor != nil {
		for id := range c.executor.tasks {
			t.task(c.executor.framework, id).running = false
		}
	}
}

// ---- what is said

// agentHears sees a message of the master on its way into an agent's core.
func (t *truth) agentHears(a *agent, in node.FromMaster) {
	switch body := in.Body.(type) {
	case node.RunTask:
		info := agentwire.Decode[mesos.TaskInfo](body.Task.Info)
		t.task(body.Framework.ID, body.Task.ID).needs = amountsOf(info.Resources)
		if body.Executor != nil {
			t.executors[executorName{body.Framework.ID, body.Executor.ID}] = amountsOf(info.Executor.Resources)
		}
	case node.Acknowledge:
		if s := t.statuses[body.UUID]; s != nil && !s.told && !t.removed[body.Framework] {
			t.w.fail("%s of %s is acknowledged, and no scheduler was told", s.state, body.Task)
		}
	}
}

// receipt sees an agent tell an executor that a status is safe. One that came too late to count is.
func (t *truth) receipt(a *agent, framework ids.FrameworkID, ack node.ExecutorAcknowledged) {
	t.w.count(EventReceipt)
	fact := t.task(framework, ack.Task)
	switch s := t.statuses[ack.UUID]; {
	case s != nil && s.durable:
		s.receipt = true
	case fact.ended, t.ending[ending{a.host, framework}]:
	default:
		t.w.fail("a status of %s is acknowledged to its executor before it is durable", ack.Task)
	}
}

// told sees a scheduler being told of a task.
func (t *truth) told(s *scheduler, id ids.TaskID, b *belief, status *mesos.TaskStatus) {
	fact := t.task(s.tenant.id, id)
	if len(status.Uuid) == 0 {
		t.toldByMaster(s, fact, b, status)
		return
	}
	said := t.statuses[node.UUID(status.Uuid)]
	switch {
	case said == nil || said.task != fact || said.state != status.GetState():
		t.w.fail("%s hears %s of %s, which no agent has recorded", s.name, status.GetState(), id)
		return
	case said.index < b.index:
		t.w.fail("%s hears %s of %s after %s", s.name, said.state, id, fact.statuses[b.index].state)
	case said.index == b.index:
		t.w.count(EventRepeatedStatus)
	case b.refused != "" && !node.IsTerminal(said.state):
		t.w.fail("%s hears %s of %s after it was told: %s", s.name, said.state, id, b.refused)
	}
	for i := b.index + 1; i < said.index; i++ {
		if missed := fact.statuses[i]; !missed.told && !missed.void {
			t.w.fail("%s hears %s of %s, but nobody ever heard %s", s.name, said.state, id, missed.state)
		}
	}
	said.told = true
	b.index = max(b.index, said.index)
	b.ended = b.ended || node.IsTerminal(said.state)
}

// toldByMaster sees a status that the master, or the driver, has made itself. Of a task that it has forgotten,
// asked for on an agent that is unreachable, it can only say that it is unreachable too.
func (t *truth) toldByMaster(s *scheduler, fact *taskFact, b *belief, status *mesos.TaskStatus) {
	forgotten := status.GetReason() == mesos.TaskStatus_REASON_RECONCILIATION && status.GetState() == mesos.TaskState_TASK_UNREACHABLE
	if b.ended && !forgotten && (&belief{state: status.GetState()}).alive() {
		t.w.fail("%s hears %s of %s (%s), which has ended", s.name, status.GetState(), fact.key.Task, status.GetMessage())
	}
	if forGood(status) {
		b.refused = status.GetState().String() + " " + status.GetMessage()
		fact.refused = b.refused
		if fact.running {
			t.w.fail("%s hears of %s, which runs: %s", s.name, fact.key.Task, fact.refused)
		}
	}
}

// forGood says whether a status without a uuid says that a task will certainly not run, or not any more.
func forGood(status *mesos.TaskStatus) bool {
	switch status.GetReason() {
	case mesos.TaskStatus_REASON_TASK_INVALID, mesos.TaskStatus_REASON_INVALID_OFFERS, mesos.TaskStatus_REASON_MASTER_DISCONNECTED:
		return true
	case mesos.TaskStatus_REASON_RECONCILIATION:
		return strings.HasPrefix(status.GetMessage(), "Task is unknown to the agent") || status.GetState() == mesos.TaskState_TASK_GONE
	}
	return false
}

// ---- amounts

// amounts are the resources that the simulator deals in.
type amounts struct {
	cpus, mem resources.Scalar
	ports     resources.Ranges
	twice     bool // a port was added twice
}

func amountsOf(m []*mesos.Resource) amounts {
	return amountsIn(agentwire.Must(resourcepb.FromProto(m)))
}

func amountsIn(l resources.List) amounts {
	return amounts{cpus: l.Scalar("cpus"), mem: l.Scalar("mem"), ports: l.Ranges("ports")}
}

func (a *amounts) add(b amounts) {
	a.cpus += b.cpus
	a.mem += b.mem
	if !b.ports.IsEmpty() {
		both := a.ports.Plus(b.ports)
		a.twice = a.twice || both.Count() < a.ports.Count()+b.ports.Count()
		a.ports = both
	}
}

func (a *amounts) exceeds(total amounts) bool {
	return a.cpus > total.cpus || a.mem > total.mem || a.twice || !total.ports.Contains(a.ports)
}

func (a *amounts) equal(b amounts) bool {
	return a.cpus == b.cpus && a.mem == b.mem && a.ports.Equal(b.ports)
}

func (a amounts) String() string {
	return "cpus:" + a.cpus.String() + " mem:" + a.mem.String() + " ports:" + a.ports.String()
}
