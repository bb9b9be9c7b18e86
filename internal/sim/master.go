package sim

import (
	"fmt"
	"strings"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"

	"google.golang.org/protobuf/proto"
)

const (
	clusterID         = "bottle"
	heartbeatInterval = 15 * time.Second
)

// master is a leading master: its core, and the shell around it.
type master struct {
	process
	core      *cluster.Cluster
	greeting  clusterpb.Greeting
	leader    clusterpb.Leader
	registrar registrar

	streams    map[cluster.StreamID]*conn
	links      map[cluster.LinkID]*conn
	latest     map[site]cluster.LinkID // the link that each machine subscribed on last
	nextStream int
	nextLink   cluster.LinkID
	busyUntil  time.Duration
}

// startMaster makes the next leader.
func (w *World) startMaster() {
	epoch := w.registry.Elect()
	id := fmt.Sprintf("M%d", epoch)
	m := &master{
		process: w.newProcess("master", "master", 0),
		core: cluster.New(cluster.Config{
			MasterID:            id,
			AgentTimeout:        w.climate.agentTimeout,
			AgentReturn:         w.climate.agentReturn,
			CompletedTasks:      w.climate.completedTasks,
			CompletedFrameworks: w.climate.completedFrameworks,
		}),
		greeting: clusterpb.Greeting{Master: &mesos.MasterInfo{Id: &id, Ip: new(uint32(1)), Port: new(uint32(5050))},
			Heartbeat: heartbeatInterval},
		leader: clusterpb.Leader{ClusterID: clusterID, MasterID: id, Epoch: epoch,
			PingInterval: 15 * time.Second, MaxMissedPings: 5},
		streams: make(map[cluster.StreamID]*conn),
		links:   make(map[cluster.LinkID]*conn),
		latest:  make(map[site]cluster.LinkID),
	}
	m.registrar.m = m
	w.master = m
	m.logf("leads as %s", id)
	m.step(w.registry.Load(), nil)
}

// crash ends the master. The next one leads after a while.
func (m *master) crash() {
	if m.dead {
		return
	}
	m.logf("CRASH")
	m.registrar.cut()
	m.die(false)
	m.w.schedule(nil, m.w.between(200*time.Millisecond, 8*time.Second), m.w.startMaster)
}

// step applies an input and carries out what follows.
func (m *master) step(in cluster.Input, answer func(cluster.Answer)) {
	if m.dead {
		return
	}
	m.w.stepped()
	outs := m.core.Step(m.clock(), in)
	m.w.checkStale(m, in, outs)
	m.w.checkBooks(m, in, outs)
	for _, out := range outs {
		if m.doomed() {
			m.w.count(FaultBetweenOutputs)
			m.crash()
			return
		}
		m.carryOut(out, answer)
	}
	m.arm(m.core.NextDeadline(), func() { m.step(cluster.Tick{}, nil) })
}

func (m *master) carryOut(out cluster.Output, answer func(cluster.Answer)) {
	switch out := out.(type) {
	case cluster.Answer:
		answer(out)
	case cluster.Send:
		m.send(out)
	case cluster.CloseStream:
		if c := m.streams[out.Stream]; c != nil {
			m.closeStream(out.Stream, c)
		}
	case cluster.ToAgent:
		m.command(out)
	case cluster.CloseLink:
		if c := m.links[out.Link]; c != nil {
			c.close(1)
			m.soon(func() { m.linkClosed(out.Link, "finished by the master", 0) })
		}
	case cluster.Persist:
		m.w.truth.registryAsked(out.Records)
		m.registrar.put(out)
		m.meetFate(m.crash)
	case cluster.Notice:
		m.note(out)
	}
}

// note counts what notices tell. Books that do not agree are a bug, whatever comes of it.
func (m *master) note(n cluster.Notice) {
	m.logf("%s %v", n.Text, n.Attrs)
	switch n.Text {
	case "agent registered":
		m.w.count(EventAgentNew)
	case "agent registered again":
		m.w.count(EventAgentBack)
	case "agent removed":
		m.w.count(EventAgentRemoved)
	case "framework removed":
		if strings.Contains(fmt.Sprint(n.Attrs...), "timeout") {
			m.w.count(EventFrameworkGone)
		} else {
			m.w.count(EventTeardown)
		}
	}
	if n.Level >= cluster.LevelError {
		m.w.fail("the master complains: %s %v", n.Text, n.Attrs)
	}
}

// ---- schedulers

// acceptHTTP serves a connection of a scheduler.
func (m *master) acceptHTTP(c *conn) {
	c.ends[1].receive = func(msg any) { m.serve(c, msg.(request)) }
}

func (m *master) serve(c *conn, r request) {
	if m.w.now < m.busyUntil {
		m.w.count(FaultBusy)
		c.send(1, response{number: r.number, status: 503, text: "Try again"})
		return
	}
	call := r.call.(*schedulerpb.Call)
	if problem := clusterpb.CallProblem(call); problem != "" {
		m.w.fail("a driver sent a bad call: %s: %v", problem, call)
		return
	}
	if call.GetType() == schedulerpb.Call_SUBSCRIBE {
		m.serveSubscribe(c, call)
		return
	}
	if call.GetType() == schedulerpb.Call_ACCEPT {
		call = proto.CloneOf(call) // its tasks are taken over, and the driver keeps the call
	}
	body, err := clusterpb.CallFrom(call)
	if err != nil {
		c.send(1, response{number: r.number, status: 501, text: err.Error()})
		return
	}
	m.step(cluster.SchedulerCall{
		Framework: ids.FrameworkID(call.GetFrameworkId().GetValue()),
		Stream:    cluster.StreamID(r.stream),
		Call:      body,
	}, func(a cluster.Answer) { c.send(1, response{number: r.number, status: int(a.Code), text: a.Text}) })
}

func (m *master) serveSubscribe(c *conn, call *schedulerpb.Call) {
	m.nextStream++
	id := cluster.StreamID(fmt.Sprintf("%s-stream-%d", m.leader.MasterID, m.nextStream))
	m.streams[id] = c
	c.send(1, response{status: 200, stream: string(id)})
	c.ends[1].closed = func(why string) { m.streamClosed(id) }
	m.step(clusterpb.SubscribeFrom(id, proto.CloneOf(call).Subscribe), nil)
}

func (m *master) closeStream(id cluster.StreamID, c *conn) {
	c.close(1)
	m.soon(func() { m.streamClosed(id) })
}

func (m *master) streamClosed(id cluster.StreamID) {
	delete(m.streams, id)
	m.step(cluster.StreamClosed{Stream: id}, nil)
}

func (m *master) send(out cluster.Send) {
	c := m.streams[out.Stream]
	if c == nil {
		return
	}
	event := clusterpb.EventTo(out.Event, &m.greeting)
	if m.w.recording {
		m.logf("→ %s: %s", out.Stream, describeEvent(event))
	}
	if m.w.bugs.loses(m, out) {
		return
	}
	c.send(1, record{event})
	if event.GetType() == schedulerpb.Event_SUBSCRIBED {
		m.heartbeat(c)
	}
}

var heartbeatEvent = &schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()}

func (m *master) heartbeat(c *conn) {
	if c.ends[1].open {
		c.send(1, record{heartbeatEvent})
		m.after(heartbeatInterval, func() { m.heartbeat(c) })
	}
}

// ---- agents

// acceptLink serves an agent link. Its number is its session.
func (m *master) acceptLink(c *conn) {
	m.nextLink++
	id := m.nextLink
	c.ends[1].receive = func(msg any) { m.hear(id, c, msg.(*linkpb.AgentMessage)) }
	c.ends[1].closed = func(why string) { m.linkClosed(id, why, c.ends[1].silent) }
}

func (m *master) hear(id cluster.LinkID, c *conn, msg *linkpb.AgentMessage) {
	if s := msg.GetSubscribe(); s != nil {
		in, err := clusterpb.AgentSubscribeFrom(id, s, string(c.ends[0].p.site))
		if err != nil {
			m.w.fail("an agent's Subscribe is refused: %v", err)
			return
		}
		m.links[id] = c
		m.latest[c.ends[0].p.site] = max(id, m.latest[c.ends[0].p.site])
		m.step(in, nil)
		return
	}
	if msg.Session != uint64(id) || msg.Epoch != m.leader.Epoch {
		return
	}
	in, err := clusterpb.AgentInputFrom(id, msg)
	if err != nil {
		m.w.fail("an agent's message is refused: %v", err)
		return
	}
	if in != nil {
		m.step(in, nil)
	}
}

func (m *master) linkClosed(id cluster.LinkID, why string, silent time.Duration) {
	if _, subscribed := m.links[id]; !subscribed {
		return
	}
	delete(m.links, id)
	m.step(cluster.LinkClosed{Link: id, Reason: why, Silent: silent}, nil)
}

func (m *master) command(out cluster.ToAgent) {
	c := m.links[out.Link]
	if c == nil {
		return
	}
	if m.w.bugs.forgets(out.Command) {
		return
	}
	msg := m.leader.CommandTo(uint64(out.Link), out.Command)
	if m.w.recording {
		m.logf("→ %s: %s", c.ends[0].p.name, describeCommand(out.Command))
	}
	m.w.bugs.beforeCommand(c, out)
	c.send(1, msg)
	m.w.bugs.afterCommand(m, c, out)
}
