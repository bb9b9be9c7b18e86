package sim

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// Bug is a mistake that can be planted into the wiring between the cores, to show that the promises notice
// it. Each is one that somebody has made in a real cluster.
type Bug int

// The bugs.
const (
	NoBug Bug = iota
	// LateRun hands a RunTask that was buffered for a link that is gone to the session after it.
	LateRun
	// EarlyReceipt tells an executor that its status is safe before it is durable.
	EarlyReceipt
	// LostTail drops the last status of the journal when the agent restarts.
	LostTail
	// ReusedOffer launches on an offer that was already answered.
	ReusedOffer
	// SecretEnd forgets to report the end of a container, now and then.
	SecretEnd
	// LostStatus loses a status on its way from master to scheduler, and acknowledges it all the same.
	LostStatus
	// ForgottenKill loses the order to end a framework on an agent.
	ForgottenKill
)

var bugNames = [...]string{"none", "late run", "early receipt", "lost tail", "reused offer", "secret end", "lost status", "forgotten kill"}

// String is the bug's name.
func (b Bug) String() string { return bugNames[b] }

// bugs are the places where bugs are planted. Without one they do nothing.
type bugs struct {
	w   *World
	bug Bug
}

func (b *bugs) is(bug Bug, percent int) bool {
	return b.bug == bug && b.w.phase == noisy && b.w.chance(percent)
}

// toAgent looks at what an agent's core is about to hear.
func (b *bugs) toAgent(a *agent, in node.FromMaster) {
	if run, ok := in.Body.(node.RunTask); ok && in.Link != a.linkID && b.bug == LateRun {
		b.w.logf("bug", "%s keeps %s for later", a.name, run.Task.ID)
		a.after(b.w.between(100*time.Millisecond, 3*time.Second), func() {
			if a.link != nil && a.accepted {
				again := node.FromMaster{Link: a.linkID, Session: a.session, Epoch: a.epoch, Body: run}
				b.w.truth.agentHears(a, again)
				a.step(again, nil)
			}
		})
	}
}

// executorCalls looks at a call of an executor on its way into the core.
func (b *bugs) executorCalls(a *agent, in node.Input) {
	u, ok := in.(node.ExecutorUpdates)
	if !ok || !b.is(EarlyReceipt, 20) {
		return
	}
	for _, id := range sortedKeys(a.streams) {
		x := a.streams[id].ends[0].p.executor
		if x.framework == u.Framework && x.container.spec.Sandbox.Executor == u.Executor {
			receipt := node.ExecutorAcknowledged{Task: u.Update.Task, UUID: u.Update.Status.UUID}
			a.toExecutor(node.ToExecutor{Stream: id, Event: receipt})
			return
		}
	}
}

// atRestart looks at the disk of an agent that starts.
func (b *bugs) atRestart(d *disk) {
	if b.bug != LostTail || len(d.kept) == 0 {
		return
	}
	if _, ok := d.kept[len(d.kept)-1].(node.StatusRecord); ok {
		d.kept = slices.Clone(d.kept[:len(d.kept)-1])
	}
}

// beforeCommand looks at a command that is about to be sent to an agent. To see what LateRun makes of it, a
// link has to break under it.
func (b *bugs) beforeCommand(c *conn, out cluster.ToAgent) {
	if _, ok := out.Command.(cluster.RunTask); ok && b.is(LateRun, 3) {
		c.doom, c.late = true, true
	}
}

// afterCommand looks at a command that has been sent to an agent.
func (b *bugs) afterCommand(m *master, c *conn, out cluster.ToAgent) {
	run, ok := out.Command.(cluster.RunTask)
	if !ok || !b.is(ReusedOffer, 20) {
		return
	}
	msg := m.leader.CommandTo(uint64(out.Link), run)
	info := agentwire.Decode[mesos.TaskInfo](msg.GetRunTask().TaskInfo)
	info.TaskId.Value = new(info.TaskId.GetValue() + "-again")
	msg.GetRunTask().TaskInfo = agentwire.Must(proto.Marshal(info))
	c.send(1, msg)
}

// containerEnds looks at a container that has just ended.
func (b *bugs) containerEnds(c *container) {
	c.hidden = b.is(SecretEnd, 10)
}

// forgets says whether a command is never sent.
func (b *bugs) forgets(c cluster.Command) bool {
	_, ok := c.(cluster.ShutdownFramework)
	return ok && b.bug == ForgottenKill
}

// loses says whether an event is lost on its way to a scheduler. The agent is told that it arrived.
func (b *bugs) loses(m *master, out cluster.Send) bool {
	u, ok := out.Event.(cluster.Update)
	if !ok || !b.is(LostStatus, 5) || u.Status.UUID == (cluster.UUID{}) {
		return false
	}
	view := m.core.View()
	for f := range view.Frameworks.All() {
		for a := range view.Agents.All() {
			if c := m.links[a.Link]; f.Stream == out.Stream && a.ID == u.Status.Agent && c != nil {
				c.send(1, m.leader.CommandTo(uint64(a.Link), cluster.AcknowledgeUpdate{
					Framework: f.Info.ID, Task: u.Status.Task, UUID: u.Status.UUID}))
			}
		}
	}
	return true
}
