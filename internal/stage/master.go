package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/core"
)

const heartbeatInterval = 15 * time.Second

// master is a leading master: its core, and the shell around it. Everything is called inside Do.
type master struct {
	c        *Cluster
	w        *World
	core     *cluster.Cluster
	born     time.Duration
	dead     bool
	alarm    alarm
	greeting clusterpb.Greeting
	leader   clusterpb.Leader

	streams    map[cluster.StreamID]*stream
	nextStream int
	links      map[cluster.LinkID]*Link
}

func newMaster(c *Cluster) *master {
	epoch := c.registry.Elect()
	id := fmt.Sprintf("M%d", epoch)
	m := &master{
		c: c, w: c.World, born: c.World.Now(), alarm: alarm{at: core.Never},
		core: cluster.New(cluster.Config{MasterID: id, AgentTimeout: silentTime}),
		greeting: clusterpb.Greeting{Heartbeat: heartbeatInterval, Master: &mesos.MasterInfo{
			Id: &id, Ip: new(uint32(0x0100007f)), Port: new(uint32(5050)), Hostname: new("master"), Pid: new("master@" + MasterName)}},
		leader: clusterpb.Leader{ClusterID: "stage", MasterID: id, Epoch: epoch,
			PingInterval: silentTime / 5, MaxMissedPings: 5},
		streams: make(map[cluster.StreamID]*stream),
		links:   make(map[cluster.LinkID]*Link),
	}
	m.w.Logf("master", "leads as %s", id)
	m.step(c.registry.Load(), nil)
	return m
}

// die ends the master. Its connections break.
func (m *master) die() {
	m.dead = true
	for _, id := range slices.Sorted(maps.Keys(m.streams)) {
		m.streams[id].Close(errDead)
	}
	for _, id := range slices.Sorted(maps.Keys(m.links)) {
		m.links[id].Break()
	}
}

// clock starts at the birth of the master, as that of a process does.
func (m *master) clock() core.Time {
	now := m.w.clock()
	now.Mono -= m.born
	return now
}

// step applies an input and carries out what follows.
func (m *master) step(in cluster.Input, answer func(cluster.Answer)) {
	if m.dead {
		return
	}
	for _, out := range m.core.Step(m.clock(), in) {
		m.carryOut(out, answer)
	}
	next := m.core.NextDeadline()
	if next != core.Never {
		next += m.born
	}
	m.alarm.set(m.w, next, func() { m.step(cluster.Tick{}, nil) })
}

func (m *master) carryOut(out cluster.Output, answer func(cluster.Answer)) {
	switch out := out.(type) {
	case cluster.Answer:
		answer(out)
	case cluster.Send:
		m.send(out)
	case cluster.CloseStream:
		if s := m.streams[out.Stream]; s != nil {
			s.Finish(errFinished)
		}
	case cluster.ToAgent:
		m.command(out)
	case cluster.CloseLink:
		if l := m.links[out.Link]; l != nil {
			m.w.after(linkTime, l.Break)
		}
	case cluster.Persist:
		for _, r := range out.Records {
			m.c.registry.Apply(r)
		}
		m.w.after(diskTime, func() { m.step(cluster.Persisted{Ticket: out.Ticket}, nil) })
	case cluster.Notice:
		if out.Level > cluster.LevelDebug {
			m.w.Logf("master", "%s%s", out.Text, attrs(out.Attrs))
		}
	}
	// What else a core says is for operators, of whom there is none here.
}

// attrs words the pairs of a notice.
func attrs(pairs []any) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, " %v=%v", pairs[i], pairs[i+1])
	}
	return b.String()
}

// Accept implements Lord.
func (m *master) Accept(l *Link) (hear func(*linkpb.AgentMessage), closed func(time.Duration)) {
	m.c.nextLink++
	id := cluster.LinkID(m.c.nextLink)
	m.links[id] = l
	hear = func(msg *linkpb.AgentMessage) { m.hear(id, l, msg) }
	closed = func(silent time.Duration) {
		delete(m.links, id)
		m.step(cluster.LinkClosed{Link: id, Reason: "the connection broke", Silent: silent}, nil)
	}
	return hear, closed
}

func (m *master) hear(id cluster.LinkID, l *Link, msg *linkpb.AgentMessage) {
	var in cluster.Input
	var err error
	if s := msg.GetSubscribe(); s != nil {
		in, err = clusterpb.AgentSubscribeFrom(id, s, l.agent.config.Name)
	} else if msg.Session == uint64(id) && msg.Epoch == m.leader.Epoch {
		in, err = clusterpb.AgentInputFrom(id, msg)
	}
	if err != nil {
		panic(fmt.Sprintf("stage: message of %s: %v", l.agent.config.Name, err))
	}
	if in != nil {
		m.step(in, nil)
	}
}

func (m *master) command(out cluster.ToAgent) {
	l := m.links[out.Link]
	if l == nil {
		return
	}
	switch c := out.Command.(type) {
	case cluster.RunTask:
		if fate(m.c.Taps.Launch, c.Task.ID).Lost {
			m.w.Logf("master", "the launch of task %s is lost on its way to %s", c.Task.ID, l.agent.config.Name)
			m.w.after(linkTime, l.Break)
			return
		}
	case cluster.FrameworkMessage:
		if fate(m.c.Taps.Message, c.Executor).Lost {
			m.w.Logf("master", "a message to %s is lost", c.Executor)
			return
		}
	}
	l.Tell(m.leader.CommandTo(uint64(out.Link), out.Command))
}
