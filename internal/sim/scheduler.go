package sim

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	"github.com/meseta/meseta/internal/sdk/schedulercore"
)

// tenant is somebody who wants to run tasks: what stays when its scheduler dies.
type tenant struct {
	w    *World
	name string
	site site
	skew time.Duration
	born time.Duration

	info      *mesos.FrameworkInfo // without an id
	aware     bool
	explicit  bool // acknowledges updates itself
	failover  time.Duration
	custom    int // percent of its tasks that have an executor of their own
	executors int // how many ExecutorInfos it has

	id        ids.FrameworkID // as its scheduler has noted it
	scheduler *scheduler      // the latest; perhaps dead
	ended     bool            // torn down, removed, or given up
	launched  int
	goal      int
	serial    int
}

func (w *World) newTenant() *tenant {
	n := len(w.tenants)
	t := &tenant{
		w:         w,
		name:      fmt.Sprintf("scheduler %c", 'A'+n),
		site:      site(fmt.Sprintf("site %c", 'A'+n)),
		skew:      w.between(-time.Second, time.Second),
		born:      w.now,
		aware:     w.chance(60),
		explicit:  w.chance(30),
		failover:  w.between(0, 3*time.Minute),
		custom:    w.rng.IntN(100),
		executors: 1 + w.rng.IntN(3),
		goal:      w.climate.tasksPerTenant,
	}
	t.info = &mesos.FrameworkInfo{
		User:            new("nobody"),
		Name:            &t.name,
		FailoverTimeout: new(t.failover.Seconds()),
		Checkpoint:      new(true),
	}
	can := func(c mesos.FrameworkInfo_Capability_Type) {
		t.info.Capabilities = append(t.info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
	}
	if t.aware {
		can(mesos.FrameworkInfo_Capability_PARTITION_AWARE)
	}
	if w.chance(50) {
		can(mesos.FrameworkInfo_Capability_TASK_KILLING_STATE)
	}
	switch w.rng.IntN(3) {
	case 0:
		can(mesos.FrameworkInfo_Capability_MULTI_ROLE)
		t.info.Roles = []string{"dev", "ops"}
	case 1:
		t.info.Role = new("dev")
	}
	w.tenants = append(w.tenants, t)
	return t
}

// scheduler is one run of a tenant's scheduler: the driver's core, and the shell around it. What the author
// of the scheduler decides is in whims.go.
type scheduler struct {
	process
	tenant *tenant
	core   *schedulercore.Core
	lines  map[uint64]*line
	stream uint64                     // the latest
	raw    map[*schedulerpb.Call]bool // calls beside the driver

	connected  bool
	suppressed bool
	stopping   bool
	calling    bool // a callback is out
	over       bool // the driver has finished
	held       []*mesos.Offer
	used       []*mesos.OfferID
	tasks      map[ids.TaskID]*belief
	offered    int // offers since the quiet began
}

// belief is what a scheduler knows of one of its tasks.
type belief struct {
	state    mesos.TaskState
	agent    *mesos.AgentID
	executor *mesos.ExecutorID
	index    int    // of the latest status, in the order in which its agent recorded them; -1 for none
	ended    bool   // it was told so by the task's agent
	refused  string // it was told, for good, that the task will not run
	killed   bool   // it has asked for the task's end
}

// alive says whether the scheduler takes the task for alive.
func (b *belief) alive() bool {
	switch b.state {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_UNREACHABLE:
		return true
	}
	return false
}

// startScheduler begins a run of a tenant's scheduler, which takes its framework over if it knows of one.
func (t *tenant) startScheduler() {
	w := t.w
	if t.ended {
		return
	}
	s := &scheduler{
		process: w.newProcess(t.name, t.site, t.skew),
		tenant:  t,
		lines:   make(map[uint64]*line),
		raw:     make(map[*schedulerpb.Call]bool),
		tasks:   make(map[ids.TaskID]*belief),
	}
	info := proto.CloneOf(t.info)
	if t.id != "" {
		info.Id = &mesos.FrameworkID{Value: new(string(t.id))}
	}
	s.core = schedulercore.New(schedulercore.Config{
		Framework:          info,
		Explicit:           t.explicit,
		HeartbeatTolerance: 5,
		BackoffMin:         500 * time.Millisecond,
		BackoffMax:         15 * time.Second,
		SubscribeTimeout:   30 * time.Second,
		StopTimeout:        5 * time.Second,
		Pending:            mailbox.Limits{Items: w.climate.mailbox, Bytes: 1 << 20},
		MaxUnanswered:      1000,
		Random:             w.rng.Uint64,
	})
	t.scheduler = s
	s.logf("starts as %q", t.id)
	s.step(schedulercore.Start{})
	s.whim()
}

// comeBack starts the next scheduler a while later, unless there is one by then.
func (t *tenant) comeBack(later time.Duration) {
	t.w.schedule(nil, later, func() {
		if t.scheduler == nil || t.scheduler.dead {
			t.startScheduler()
		}
	})
}

// end is the tenant's end. While there is noise, somebody else comes in its place.
func (t *tenant) end() {
	if t.ended {
		return
	}
	t.ended = true
	if t.w.phase == noisy {
		t.w.schedule(nil, t.w.between(0, 5*time.Second), func() { t.w.newTenant().startScheduler() })
	}
}

// crash ends the scheduler; the next one comes a while later.
func (s *scheduler) crash() {
	if s.dead {
		return
	}
	s.logf("CRASH")
	s.die(false)
	later := s.w.faults.downtime()
	if s.w.phase == noisy && s.w.chance(15) {
		s.w.count(FaultSchedulerAway)
		later = s.tenant.failover + s.w.between(time.Second, 20*time.Second)
	}
	if s.tenant.scheduler == s {
		s.tenant.comeBack(later)
	}
}

func (s *scheduler) step(in schedulercore.Input) {
	if s.dead {
		return
	}
	s.w.stepped()
	outs := s.core.Step(s.clock(), in)
	for _, out := range outs {
		if s.doomed() {
			s.w.count(FaultBetweenOutputs)
			s.crash()
			return
		}
		s.carryOut(out)
	}
	if !s.dead {
		s.arm(s.core.NextDeadline(), func() { s.step(schedulercore.Tick{}) })
	}
}

func (s *scheduler) carryOut(out schedulercore.Output) {
	switch out := out.(type) {
	case schedulercore.Subscribe:
		s.stream = out.Stream
		s.lines[out.Stream] = openLine(&s.process, "master stream", s.master, out.Call, s.reports(out.Stream))
	case schedulercore.Send:
		if s.w.recording {
			s.logf("→ master: %s", describeCall(out.Call))
		}
		s.lines[out.Stream].send(out.Call)
	case schedulercore.Disconnect:
		s.logf("gives its subscription up: %v", out.Cause)
		s.lines[out.Stream].close(out.Cause)
	case schedulercore.Finished:
		s.finished(out.TornDown)
	case schedulercore.Callback:
		s.calling = true
		s.after(s.w.faults.callbackTime(), func() {
			s.behave(out)
			s.calling = false
			s.step(schedulercore.Returned{})
			if s.over {
				s.leave()
			}
		})
	}
}

func (s *scheduler) master() (*process, func(*conn)) {
	m := s.w.master
	return &m.process, m.acceptHTTP
}

func (s *scheduler) reports(stream uint64) lineReports {
	return lineReports{
		received: func(event any) {
			s.step(schedulercore.Received{Stream: stream, Event: event.(*schedulerpb.Event), Size: 100})
		},
		answered: func(m any, what outcome.Outcome, err error) {
			call := m.(*schedulerpb.Call)
			if s.raw[call] {
				delete(s.raw, call)
				return
			}
			s.step(schedulercore.Answered{Stream: stream, Call: call, Outcome: what, Err: err})
		},
		closed: func(refused bool, err error) {
			s.step(schedulercore.Closed{Stream: stream, Refused: refused, Err: err})
			delete(s.lines, stream-8) // those before are long gone
		},
	}
}

// finished is the end of the driver, and so of the process, once the last callback has returned.
func (s *scheduler) finished(tornDown bool) {
	s.logf("driver finished, torn down: %v", tornDown)
	s.over = true
	if tornDown || s.stopping {
		s.tenant.end()
	}
	if !s.calling {
		s.leave()
	}
}

func (s *scheduler) leave() {
	s.die(false)
	if s.tenant.scheduler == s {
		s.tenant.comeBack(s.w.faults.downtime())
	}
}

// behave is a callback.
func (s *scheduler) behave(cb schedulercore.Callback) {
	w := s.w
	if w.recording {
		s.logf("%s", describeSchedulerCallback(cb))
	}
	switch cb := cb.(type) {
	case schedulercore.Registered:
		w.count(EventRegistered)
		s.registered(ids.FrameworkID(cb.Framework.GetValue()))
	case schedulercore.Reregistered:
		w.count(EventReregistered)
		s.connected = true
	case schedulercore.Disconnected:
		w.count(EventDisconnected)
		s.connected = false
		s.held = nil
	case schedulercore.ResourceOffers:
		for range cb.Offers {
			w.count(EventOffer)
		}
		s.offered += len(cb.Offers)
		s.consider(cb.Offers)
	case schedulercore.OfferRescinded:
		w.count(EventRescind)
		s.forget(cb.Offer)
	case schedulercore.StatusUpdate:
		s.learn(cb.Status)
	case schedulercore.FrameworkMessage:
		w.count(EventToScheduler)
	case schedulercore.AgentLost:
		w.count(EventAgentLost)
	case schedulercore.ExecutorLost:
		w.count(EventExecutorLost)
	case schedulercore.Error:
		w.count(EventAborted)
		s.aborted(cb.Err)
	}
}

// registered notes the framework's id before anything else, so that the next scheduler can take it over.
func (s *scheduler) registered(id ids.FrameworkID) {
	t := s.tenant
	s.connected = true
	switch {
	case t.id == "":
		t.id = id
	case t.id != id:
		s.w.fail("%s took over %s and was registered as %s", s.name, t.id, id)
	}
}

// aborted is the end of a scheduler that the master does not want.
func (s *scheduler) aborted(err error) {
	switch {
	case strings.Contains(err.Error(), "removed"):
		s.logf("its framework has been removed")
		s.tenant.end()
	case strings.Contains(err.Error(), "failed over"):
	default:
		s.w.fail("%s aborted: %v", s.name, err)
	}
}

// learn takes a status in.
func (s *scheduler) learn(status *mesos.TaskStatus) {
	w := s.w
	w.count(stateEvents[status.GetState()])
	id := ids.TaskID(status.TaskId.GetValue())
	b := s.tasks[id]
	if b == nil {
		b = &belief{index: -1}
		s.tasks[id] = b
	}
	w.truth.told(s, id, b, status)
	b.state = status.GetState()
	if !b.alive() || b.state == mesos.TaskState_TASK_UNREACHABLE { // whatever comes back has to be killed anew
		b.killed = false
	}
	if status.AgentId != nil {
		b.agent = status.AgentId
	}
	if status.ExecutorId != nil {
		b.executor = status.ExecutorId
	}
	if s.tenant.explicit && len(status.Uuid) > 0 {
		late := w.between(0, 300*time.Millisecond)
		if w.phase == noisy && w.chance(5) {
			late = w.between(time.Second, 30*time.Second)
		}
		s.after(late, func() {
			w.count(EventExplicitAck)
			s.step(schedulercore.Acknowledge{Status: status})
		})
	}
}

var stateEvents = map[mesos.TaskState]Kind{
	mesos.TaskState_TASK_STAGING:     "TASK_STAGING",
	mesos.TaskState_TASK_STARTING:    EventStarting,
	mesos.TaskState_TASK_RUNNING:     EventRunning,
	mesos.TaskState_TASK_KILLING:     EventKilling,
	mesos.TaskState_TASK_FINISHED:    EventFinished,
	mesos.TaskState_TASK_FAILED:      EventFailed,
	mesos.TaskState_TASK_KILLED:      EventKilled,
	mesos.TaskState_TASK_LOST:        EventLost,
	mesos.TaskState_TASK_DROPPED:     EventDropped,
	mesos.TaskState_TASK_ERROR:       EventError,
	mesos.TaskState_TASK_UNREACHABLE: EventUnreachable,
	mesos.TaskState_TASK_UNKNOWN:     EventUnknown,
	mesos.TaskState_TASK_GONE:        EventGone,
}
