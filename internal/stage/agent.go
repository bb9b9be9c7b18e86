package stage

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// AgentConfig says what an agent is like.
type AgentConfig struct {
	Name       string // its host name; its executor API is at port 5051 of it
	Resources  resources.List
	Attributes []*mesos.Attribute

	Play func(*Process) Exit // what runs in its containers
	Lord func() Lord         // whoever leads at the moment, or nil
	Taps *Taps

	// RecoveryTimeout is how long its executors wait for it to come back.
	RecoveryTimeout time.Duration
}

// Agent is a machine with an agent on it. What is not of one run of the agent outlives it.
type Agent struct {
	w       *World
	config  AgentConfig
	encoder agentwire.Encoder

	disk       []node.Record
	containers map[ids.ContainerID]*container
	launched   []*container // the same, in order
	pids       int
	tasks      map[taskKey]order // those that it was ever told to run
	executors  map[executorKey]*mesos.ExecutorInfo
	lost       bool // the machine is gone
	cut        bool // nothing comes through between it and the master
	cuts       int  // how often that has begun
	runs       int

	// Of the present run.
	up       bool
	core     *node.Node
	decoder  agentwire.Decoder
	born     time.Duration
	alarm    alarm
	starting map[ids.ContainerID]*container
	stopped  chan struct{} // closed at its end
	streams  map[node.StreamID]*subscriber
	answers  map[node.RequestID]chan<- node.Answer
	requests node.RequestID
	link     *Link
	links    node.LinkID
	accepted bool // a master has taken it
}

type (
	// order is a task that an agent was told to run.
	order struct {
		info *mesos.TaskInfo
		turn time.Duration
	}
	taskKey struct {
		framework ids.FrameworkID
		task      ids.TaskID
	}
	executorKey struct {
		framework ids.FrameworkID
		executor  ids.ExecutorID
	}
)

// NewAgent adds a machine to a world and starts its agent.
func NewAgent(w *World, config AgentConfig) *Agent {
	a := &Agent{
		w: w, config: config,
		containers: make(map[ids.ContainerID]*container),
		tasks:      make(map[taskKey]order),
		executors:  make(map[executorKey]*mesos.ExecutorInfo),
		pids:       1000,
	}
	a.encoder = agentwire.Encoder{Info: a.info}
	w.serve(a.address(), a.routes())
	w.Do(a.start)
	return a
}

// Name is the agent's host name.
func (a *Agent) Name() string { return a.config.Name }

func (a *Agent) address() string { return a.config.Name + ":5051" }

// ID is the id that the master gave it, empty before.
func (a *Agent) ID() ids.AgentID { return a.core.Identity().Agent }

// Accepted says whether a master has taken the agent. It is asked inside Do.
func (a *Agent) Accepted() bool { return a.accepted }

// info is what the agent says of itself.
func (a *Agent) info(id ids.AgentID) *mesos.AgentInfo {
	info := &mesos.AgentInfo{
		Hostname:   new(a.config.Name),
		Port:       new(int32(5051)),
		Resources:  resourcepb.ToProto(a.config.Resources, resourcepb.Stacked),
		Attributes: a.config.Attributes,
	}
	if id != "" {
		info.Id = &mesos.AgentID{Value: new(string(id))}
	}
	return info
}

// ---- one run

// start begins a run on what the disk remembers.
func (a *Agent) start() {
	a.runs++
	a.up, a.accepted, a.born, a.alarm = true, false, a.w.Now(), alarm{at: core.Never}
	a.decoder = agentwire.Decoder{}
	a.starting = make(map[ids.ContainerID]*container)
	a.streams = make(map[node.StreamID]*subscriber)
	a.answers = make(map[node.RequestID]chan<- node.Answer)
	a.stopped = make(chan struct{})
	var seed node.UUID
	copy(seed[:], a.config.Name)
	binary.BigEndian.PutUint32(seed[12:], uint32(a.runs)<<16)
	a.core = node.New(node.Config{Seed: seed, Boot: "boot", WorkDir: "/var/lib/meseta/agent"})
	for _, r := range a.disk {
		a.step(node.Replayed{Record: r})
	}
	a.step(node.Recovered{Containers: a.survivors()})
	a.w.Net.Open(a.address())
	a.step(node.Accepting{})
	a.after(linkTime, a.connect)
}

// stop ends the run: its connections break, its containers go on.
func (a *Agent) stop() {
	a.up = false
	close(a.stopped)
	if l := a.link; l != nil {
		a.link = nil
		if a.cut { // the master learns it late
			a.w.after(silentTime, func() { l.end(silentTime) })
		} else {
			l.Break()
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.streams)) {
		a.streams[id].close(errDead)
	}
	a.w.Net.Shut(a.address())
}

// after has something happen a while later, if the agent still runs then.
func (a *Agent) after(d time.Duration, f func()) {
	run := a.runs
	a.w.after(d, func() {
		if a.up && a.runs == run {
			f()
		}
	})
}

func (a *Agent) clock() core.Time {
	now := a.w.clock()
	now.Mono -= a.born
	return now
}

// step applies an input and carries out what follows.
func (a *Agent) step(in node.Input) {
	if !a.up {
		return
	}
	for _, out := range a.core.Step(a.clock(), in) {
		a.carryOut(out)
	}
	next := a.core.NextDeadline()
	if next != core.Never {
		next += a.born
	}
	run := a.runs
	a.alarm.set(a.w, next, func() {
		if a.runs == run {
			a.step(node.Tick{})
		}
	})
}

func (a *Agent) carryOut(out node.Output) {
	switch out := out.(type) {
	case node.Persist:
		a.disk = append(a.disk, out.Records...)
		a.after(diskTime, func() { a.step(node.Persisted{Ticket: out.Ticket}) })
	case node.ToMaster:
		a.toMaster(out)
	case node.CloseLink:
		if l := a.link; l != nil && l.id == out.Link {
			a.after(linkTime, l.Break)
		}
	case node.Answer:
		if answer := a.answers[out.Request]; answer != nil {
			delete(a.answers, out.Request)
			answer <- out
		}
	case node.ToExecutor:
		a.toExecutor(out)
	case node.CloseStream:
		if s := a.streams[out.Stream]; s != nil {
			s.finish()
		}
	case node.PrepareSandbox:
	case node.StartContainer:
		a.startContainer(out)
	case node.KillContainer:
		a.killContainer(out)
	case node.CollectContainer:
		a.forget(out.Container)
	case node.AllEnded:
		a.w.Logf(a.config.Name, "has ended everything: %s", out.Reason)
	case node.GiveUp:
		a.w.Logf(a.config.Name, "gives up: %s", out.Reason)
	case node.Notice:
		if !saidElsewhere[out.What] {
			a.w.Logf(a.config.Name, "%s", describeNotice(out))
		}
	}
}

// saidElsewhere are notices about what history tells already.
var saidElsewhere = map[node.What]bool{
	node.NoticeRegistered:         true,
	node.NoticeRecovered:          true,
	node.NoticeTaskEnded:          true,
	node.NoticeExecutorSubscribed: true,
	node.NoticeExecutorEnded:      true,
}

func describeNotice(n node.Notice) string {
	text := n.What.String()
	for _, word := range []string{string(n.Framework), string(n.Executor), string(n.Task), n.Detail} {
		if word != "" {
			text += " " + word
		}
	}
	return text
}

// ---- the master

// connect looks for a master until one is there.
func (a *Agent) connect() {
	lord := a.config.Lord()
	if lord == nil || a.cut {
		a.after(retryTime, a.connect)
		return
	}
	a.links++
	l := &Link{agent: a, id: a.links, open: true}
	a.link = l
	l.hear, l.closed = lord.Accept(l)
	a.step(node.LinkOpened{Link: l.id})
}

func (a *Agent) linkClosed(l *Link) {
	if l != a.link {
		return
	}
	a.link = nil
	a.step(node.LinkClosed{Link: l.id})
	a.after(10*linkTime, a.connect)
}

func (a *Agent) hear(l *Link, m *linkpb.MasterMessage) {
	if l != a.link {
		return
	}
	if m.GetSubscribed() != nil {
		a.accepted = true
	}
	if run := m.GetRunTask(); run != nil {
		a.remember(run)
	}
	if body := a.decoder.Decode(m); body != nil {
		a.step(node.FromMaster{Link: l.id, Session: m.Session, Epoch: m.Epoch, Body: body})
	}
}

// remember keeps what whoever plays a task will want to know.
func (a *Agent) remember(run *linkpb.RunTask) {
	framework := ids.FrameworkID(agentwire.Decode[mesos.FrameworkInfo](run.FrameworkInfo).Id.GetValue())
	info := agentwire.Decode[mesos.TaskInfo](run.TaskInfo)
	a.tasks[taskKey{framework, ids.TaskID(info.TaskId.GetValue())}] = order{info, a.w.turn()}
	if x := info.Executor; x != nil {
		a.executors[executorKey{framework, ids.ExecutorID(x.ExecutorId.GetValue())}] = x
	}
}

func (a *Agent) toMaster(out node.ToMaster) {
	if a.link == nil || a.link.id != out.Link {
		return
	}
	m := a.encoder.Message(a.core.Identity().Agent, out)
	on := a.fateOf(m)
	if !on.Lost {
		a.link.report(m, on.Late)
	}
}

// fateOf says what becomes of a message to the master.
func (a *Agent) fateOf(m *linkpb.AgentMessage) Fate {
	if sent := m.GetMessage(); sent != nil {
		on := fate(a.config.Taps.Message, ids.ExecutorID(sent.ExecutorId))
		if on.Lost {
			a.w.Logf(a.config.Name, "a message of %s is lost", sent.ExecutorId)
		}
		return on
	}
	if m.GetUpdate() == nil {
		return Fate{}
	}
	status := agentwire.Decode[mesos.TaskStatus](m.GetUpdate().Status)
	on := a.config.Taps.update(status)
	switch {
	case on.Lost:
		a.w.Logf(a.config.Name, "update %s is lost on its way to the master", DescribeStatus(status))
	case on.Late > 0:
		a.w.Logf(a.config.Name, "update %s takes %v to the master", DescribeStatus(status), on.Late)
	}
	return on
}
