package sim

import (
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// greetTime is how long a master may take to answer Subscribe.
const greetTime = 15 * time.Second

// agent is an agent: its core, and the shell around it.
type agent struct {
	process
	host     *host
	core     *node.Node
	journal  journal
	launcher launcher

	recovered bool // the core lives
	stopping  bool // it was told to end everything
	serving   bool // the executor API accepts

	link     *conn // the latest; perhaps closed
	linkID   node.LinkID
	accepted bool
	session  uint64
	epoch    uint64
	pause    time.Duration // bound of the wait before the next attempt to reach a master

	streams     map[node.StreamID]*conn
	nextStream  node.StreamID
	nextRequest node.RequestID
	busyUntil   time.Duration

	decoder agentwire.Decoder
	encoder agentwire.Encoder
	steps   int
}

const minPause, maxPause = 50 * time.Millisecond, 2 * time.Second

// startAgent begins a run of a machine's agent on what its disk remembers.
func (w *World) startAgent(h *host) {
	a := &agent{
		process: w.newProcess("agent "+string(h.site), h.site, h.skew),
		host:    h,
		core: node.New(node.Config{Seed: node.UUID(w.uuid()), Boot: h.boot(), WorkDir: "/var/lib/meseta",
			MaxCompletedTasks: w.climate.historyLimit, MaxUnacknowledged: w.climate.maxUnacknowledged}),
		pause:   minPause,
		decoder: agentwire.Decoder{UserProblem: userProblem},
		encoder: agentwire.Encoder{Info: h.agentInfo},
		streams: make(map[node.StreamID]*conn),
	}
	a.journal = journal{a: a, disk: &h.disk}
	a.launcher = launcher{a: a, starting: make(map[ids.ContainerID]*launch)}
	h.agent = a
	h.disk.full = false
	h.settle(len(h.disk.cached)) // who opens a journal makes it durable first
	w.bugs.atRestart(&h.disk)
	a.logf("starts with %d records", len(h.disk.kept))
	if len(h.disk.kept) > 0 {
		w.count(EventReplay)
	}
	for _, r := range h.disk.kept {
		a.step(node.Replayed{Record: r}, nil)
	}
	a.after(w.between(5*time.Millisecond, 300*time.Millisecond), a.revive)
}

// userProblem is that of the one account that no machine has.
func userProblem(user string) string {
	if user == "ghost" {
		return "No such user 'ghost'"
	}
	return ""
}

// revive meets what lives on the machine.
func (a *agent) revive() {
	a.host.bury()
	if !a.host.settled() {
		a.after(20*time.Millisecond, a.revive)
		return
	}
	a.recovered = true
	a.step(node.Recovered{Containers: a.host.list()}, nil)
	a.soon(func() {
		a.serving = true
		a.step(node.Accepting{}, nil)
		a.connect()
	})
}

// crash ends the agent; the next one comes a while later.
func (a *agent) crash() {
	if !a.dead {
		a.down(false)
		a.host.comeBack(a.w.faults.downtime())
	}
}

// stop has everything on the machine ended and the agent leave. If that takes too long the machine sees to it.
func (a *agent) stop() {
	a.logf("is stopped")
	a.stopping = true
	a.after(time.Minute, a.crash)
	a.step(node.EndAll{}, nil)
}

// leave is the end of an agent that has ended everything.
func (a *agent) leave(reason string) {
	if !a.stopping || reason != "" {
		a.w.fail("%s ended everything: %s", a.name, reason)
		return
	}
	a.w.count(EventAgentLeaves)
	a.logf("leaves")
	a.die(false)
	a.journal.cut()
	a.host.comeBack(a.w.faults.downtime())
}

// down is the end of the process.
func (a *agent) down(machineToo bool) {
	a.logf("CRASH")
	a.die(machineToo)
	a.journal.cut()
}

// step applies an input and carries out what follows.
func (a *agent) step(in node.Input, answer func(node.Answer)) {
	if a.dead {
		return
	}
	a.w.stepped()
	outs := a.core.Step(a.clock(), in)
	a.w.checkAgentStep(a, in, outs)
	for _, out := range outs {
		if a.doomed() {
			a.w.count(FaultBetweenOutputs)
			a.crash()
			return
		}
		a.carryOut(out, answer)
	}
	if a.steps++; a.steps%64 == 0 && a.recovered {
		a.w.checkKnown(a)
	}
	a.arm(a.core.NextDeadline(), func() { a.step(node.Tick{}, nil) })
}

func (a *agent) carryOut(out node.Output, answer func(node.Answer)) {
	switch out := out.(type) {
	case node.Persist:
		a.journal.append(out)
		a.meetFate(a.crash)
	case node.ToMaster:
		a.toMaster(out)
	case node.CloseLink:
		if a.link != nil && a.linkID == out.Link {
			a.link.close(0)
			a.soon(func() { a.linkClosed(out.Link) })
		}
	case node.Answer:
		answer(out)
	case node.ToExecutor:
		a.toExecutor(out)
	case node.CloseStream:
		if c := a.streams[out.Stream]; c != nil {
			c.close(1)
			a.soon(func() { a.streamClosed(out.Stream) })
		}
	case node.StartContainer:
		a.launcher.start(out)
	case node.KillContainer:
		a.launcher.kill(out)
	case node.CollectContainer:
		a.after(a.w.between(time.Millisecond, 50*time.Millisecond), func() { a.host.collect(out.Container) })
	case node.AllEnded:
		a.leave(out.Reason)
	case node.GiveUp:
		a.w.fail("%s gives up: %s", a.name, out.Reason)
	case node.Notice:
		if out.What == node.NoticeTaskRefused {
			a.w.count(EventRefused)
		}
		a.note(out)
	}
}

func (a *agent) note(n node.Notice) {
	if a.w.recording {
		a.logf("%s %s", n.What, describeNotice(n))
	}
}

// ---- the master

// connect looks for the leading master until one takes the agent.
func (a *agent) connect() {
	a.w.dial(&a.process, "link", func() (*process, func(*conn)) {
		m := a.w.master
		return &m.process, m.acceptLink
	}, a.connected)
}

func (a *agent) connected(c *conn) {
	if c == nil {
		a.reconnect()
		return
	}
	a.linkID++
	id := a.linkID
	a.link, a.accepted = c, false
	c.ends[0].receive = func(msg any) { a.hear(id, msg.(*linkpb.MasterMessage)) }
	c.ends[0].closed = func(string) { a.linkClosed(id) }
	a.step(node.LinkOpened{Link: id}, nil)
	a.after(greetTime, func() {
		if a.linkID == id && !a.accepted && c.ends[0].open {
			c.close(0)
			a.linkClosed(id)
		}
	})
}

func (a *agent) reconnect() {
	a.after(minPause/2+a.w.between(0, a.pause), a.connect)
	a.pause = min(2*a.pause, maxPause)
}

func (a *agent) linkClosed(id node.LinkID) {
	if id != a.linkID || a.link == nil {
		return
	}
	a.link = nil
	if a.accepted {
		a.pause = minPause
	}
	a.step(node.LinkClosed{Link: id}, nil)
	a.reconnect()
}

func (a *agent) hear(id node.LinkID, msg *linkpb.MasterMessage) {
	if id == a.linkID && msg.GetSubscribed() != nil {
		a.accepted, a.session, a.epoch = true, msg.Session, msg.Epoch
	}
	in := node.FromMaster{Link: id, Session: msg.Session, Epoch: msg.Epoch, Body: a.decoder.Decode(msg)}
	a.w.bugs.toAgent(a, in)
	if in.Body != nil {
		a.w.truth.agentHears(a, in)
		a.step(in, nil)
	}
}

func (a *agent) toMaster(out node.ToMaster) {
	if a.link == nil || a.linkID != out.Link {
		return
	}
	if a.w.recording {
		a.logf("→ master: %s", describeToMaster(out))
	}
	a.link.send(0, a.encoder.Message(a.core.Identity().Agent, out))
}

// ---- executors

// accept serves a connection of an executor.
func (a *agent) accept(c *conn) {
	c.ends[1].receive = func(msg any) { a.serve(c, msg.(request)) }
}

func (a *agent) serve(c *conn, r request) {
	if a.w.now < a.busyUntil {
		a.w.count(FaultBusy)
		c.send(1, response{number: r.number, status: 503, text: "Not taken"})
		return
	}
	a.nextRequest++
	call := r.call.(*executorpb.Call)
	if call.GetType() == executorpb.Call_SUBSCRIBE {
		a.serveSubscribe(c, call)
		return
	}
	in := agentwire.CallInput(a.nextRequest, call)
	a.w.bugs.executorCalls(a, in)
	a.step(in, func(out node.Answer) {
		c.send(1, response{number: r.number, status: out.Status, text: out.Text})
	})
}

func (a *agent) serveSubscribe(c *conn, call *executorpb.Call) {
	a.nextStream++
	id := a.nextStream
	a.streams[id] = c
	c.ends[1].closed = func(string) { a.streamClosed(id) }
	a.step(agentwire.SubscribeInput(a.nextRequest, id, call), func(out node.Answer) {
		c.send(1, response{status: out.Status, text: out.Text})
		if out.Status != 200 {
			a.soon(func() { a.streamClosed(id) })
		}
	})
}

func (a *agent) streamClosed(id node.StreamID) {
	if a.streams[id] != nil {
		delete(a.streams, id)
		a.step(node.StreamClosed{Stream: id}, nil)
	}
}

func (a *agent) toExecutor(out node.ToExecutor) {
	c := a.streams[out.Stream]
	if c == nil {
		return
	}
	if ack, ok := out.Event.(node.ExecutorAcknowledged); ok {
		a.w.truth.receipt(a, c.ends[0].p.executor.framework, ack)
	}
	if a.w.recording {
		a.logf("→ %s: %s", c.ends[0].p.name, describeToExecutor(out.Event))
	}
	c.send(1, record{a.encoder.Event(out.Event)})
}
