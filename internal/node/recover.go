package node

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// Recovery: the log is replayed, then compared with what the supervisors know. A container's record is
// older than its start, and the record of its end older than its collection; so what is recorded and not
// known to a supervisor was never started, unless something else was recorded of its life.

// replay applies one record. It tolerates repetitions, since a snapshot may contain what follows it.
func (n *Node) replay(r Record) {
	if n.live {
		return
	}
	switch r := r.(type) {
	case IdentityRecord:
		n.identity = r
	case FrameworkRecord:
		n.replayFramework(r)
	case FrameworkGone:
		n.replayFrameworkGone(r)
	case ExecutorRecord:
		n.replayExecutor(r)
	case ExecutorGone:
		if e := n.containers[r.Container]; e != nil {
			n.forgetContainer(e)
		}
	case TaskRecord:
		n.replayTask(r)
	case StatusRecord:
		n.replayStatus(r)
	case AckRecord:
		n.replayAck(r)
	}
}

func (n *Node) replayFramework(r FrameworkRecord) {
	f := n.frameworks[r.Framework.ID]
	if f == nil {
		f = n.addFramework(r.Framework)
	}
	n.replaceFramework(f, r.Framework)
	f.ending = r.Ending
}

func (n *Node) replayFrameworkGone(r FrameworkGone) {
	f := n.frameworks[r.Framework]
	if f == nil {
		return
	}
	for _, e := range f.orderedExecutors() {
		n.forgetContainer(e)
	}
	for _, e := range f.orderedBuiltins() {
		n.forgetContainer(e)
	}
	n.forgetFramework(f)
}

func (n *Node) replayExecutor(r ExecutorRecord) {
	f := n.frameworks[r.Framework]
	if f == nil || n.containers[r.Container] != nil {
		return
	}
	n.addExecutor(f, executor{id: r.Executor, container: r.Container, info: r.Info, own: r.Demand, grace: r.Grace})
}

func (n *Node) replayTask(r TaskRecord) {
	f := n.frameworks[r.Framework]
	if f == nil || f.tasks[r.Task] != nil {
		return
	}
	e := n.containers[r.Container]
	if e == nil && r.Executor == "" && r.Container != "" {
		e = n.addExecutor(f, executor{id: ids.ExecutorID(r.Task), container: r.Container, builtin: true})
	}
	n.addTask(f, r, e)
}

func (n *Node) replayStatus(r StatusRecord) {
	f := n.frameworks[r.Framework]
	if f == nil {
		return
	}
	t := f.tasks[r.Task]
	if t == nil || n.replayedBefore(t, r.Status.UUID) {
		return
	}
	t.state = r.Status.State
	n.remember(t, r.Status)
	if t.owner != "" && r.Status.Source == mesos.TaskStatus_SOURCE_EXECUTOR {
		t.see(r.Status.UUID)
		if t.executor != nil {
			t.executor.met, t.executor.delivered = true, true
		}
	}
	if r.Acknowledged {
		t.told = r.Status.State
	} else {
		n.owe(t, r.Status, mark{})
	}
	if !IsTerminal(t.state) {
		return
	}
	if e := t.executor; e != nil {
		e.removeTask(t)
		t.executor = nil
		if e.builtin {
			n.forgetContainer(e)
		}
	}
	if t.past() {
		n.moveToHistory(t)
	}
}

// replayedStatus names a status that was replayed.
type replayedStatus struct {
	task *task
	uuid UUID
}

// replayedBefore reports whether this status was replayed before, and notes that it is now. The statuses of the
// task would not do: they are only the last for each state.
func (n *Node) replayedBefore(t *task, u UUID) bool {
	key := replayedStatus{t, u}
	_, before := n.replayed[key]
	n.replayed[key] = struct{}{}
	return before
}

func (n *Node) replayAck(r AckRecord) {
	if f := n.frameworks[r.Framework]; f != nil {
		if t := f.tasks[r.Task]; t != nil && len(t.owed) > 0 && t.owed[0].UUID == r.UUID {
			n.acknowledged(t)
		}
	}
}

// forgetContainer drops an executor whose end is in the log.
func (n *Node) forgetContainer(e *executor) {
	n.removeExecutor(e)
	delete(n.containers, e.container)
}

// recovered compares the log with what really runs, and lives from there on.
func (n *Node) recovered(in Recovered) {
	if n.live {
		return
	}
	n.live, n.replayed = true, nil
	rebooted := n.identity.Boot != "" && n.identity.Boot != n.config.Boot
	if rebooted {
		n.emit(Notice{What: NoticeRebooted, Detail: n.identity.Boot})
	}
	found := make(map[ids.ContainerID]ContainerState, len(in.Containers))
	for _, c := range in.Containers {
		found[c.Container] = c
	}
	n.emit(Notice{What: NoticeRecovered, Detail: fmt.Sprintf("%d frameworks, %d containers recorded, %d found",
		len(n.frameworks), len(n.containers), len(found))})
	n.endOrphans(in.Containers)
	for _, e := range byCreation(n.containers, func(e *executor) uint64 { return e.created }) {
		c, ok := found[e.container]
		e.launched = true
		n.demandChanged(e)
		n.meetAgain(e, c, ok, rebooted)
	}
	for _, f := range n.orderedFrameworks() {
		if rebooted {
			n.dropVoid(f)
		}
		n.goOnEnding(f)
		n.dropFrameworkIfIdle(f)
	}
	if n.identity.Boot != n.config.Boot {
		n.identity.Boot = n.config.Boot
		n.record(n.identity)
	}
}

// dropVoid settles what commands said before the machine went down, where something newer is to be said: it may
// have been acknowledged, and the acknowledgement lost. A framework must not hear it behind what is newer.
func (n *Node) dropVoid(f *framework) {
	for _, t := range f.orderedTasks() {
		for len(t.owed) > 1 && t.needs(t.owed[0].Status) == written {
			n.record(AckRecord{Framework: f.ID, Task: t.id, UUID: t.owed[0].UUID})
			n.acknowledged(t)
			t.owed[0].after = n.commits.mark(durable)
			n.after(durable, func() { n.forward(t) })
		}
	}
}

// meetAgain brings what is known of one executor up to date.
func (n *Node) meetAgain(e *executor, c ContainerState, found, rebooted bool) {
	switch {
	case found && c.Failure != nil:
		n.containerStartFailed(*c.Failure)
	case found && c.End != nil && !(rebooted && c.End.Lost != ""):
		n.containerEnded(ContainerEnded{Container: e.container, End: *c.End})
	case rebooted: // perhaps it never began; nobody knows
		n.containerEnded(ContainerEnded{Container: e.container, End: End{Lost: "The machine was rebooted"}})
	case found && e.builtin && !e.hasRun():
		n.containerStarted(ContainerStarted{Container: e.container, PID: c.PID})
	case found:
		e.pid = c.PID
		n.goOnRunning(e)
	case e.hasRun():
		n.containerEnded(ContainerEnded{Container: e.container, End: End{Lost: "The container's supervisor died"}})
	default:
		n.neverBegan(e)
	}
}

// hasRun reports whether the log proves that the container was started.
func (e *executor) hasRun() bool {
	if !e.builtin {
		return e.met
	}
	switch e.task().state {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING:
		return false
	}
	return true
}

// goOnRunning picks up an executor that lived through our absence.
func (n *Node) goOnRunning(e *executor) {
	if !e.builtin {
		return // it waits for Accepting
	}
	n.enter(e, executorRunning)
	t := e.task()
	if t.state == mesos.TaskState_TASK_KILLING {
		n.killContainer(e, t.grace)
	}
	if t.maxTime > 0 {
		n.timers.set(&e.deadline, n.in(t.maxTime-t.runningFor(n)), (*deadlineAlarm)(e))
	}
}

// neverBegan ends an executor that was recorded and never asked for.
func (n *Node) neverBegan(e *executor) {
	if e.builtin {
		n.report(e.task(), n.neverLaunched(e.task()))
	} else {
		n.executorGone(e, noStatus, n.neverLaunched)
	}
	n.containerGone(e)
}

// endOrphans ends the containers that nobody knows, and collects those that ended.
func (n *Node) endOrphans(containers []ContainerState) {
	for _, c := range containers {
		switch {
		case n.containers[c.Container] != nil:
		case c.End != nil || c.Failure != nil:
			n.emit(CollectContainer{Container: c.Container})
		default:
			n.emit(Notice{What: NoticeOrphan, Container: c.Container})
			n.emit(KillContainer{Container: c.Container})
		}
	}
}

// goOnEnding picks up the shutdown of a framework.
func (n *Node) goOnEnding(f *framework) {
	if f.ending {
		n.endExecutors(f)
		n.dropFrameworkIfOver(f)
	}
}

// accepting gives the executors of the last run their time to come back. One that may never have been
// subscribed gets the time of a new one.
func (n *Node) accepting() {
	for _, f := range n.orderedFrameworks() {
		for _, e := range f.orderedExecutors() {
			if e.state != executorStarting || e.stream != 0 || e.pid == 0 || n.timers.isSet(&e.deadline) {
				continue
			}
			limit := n.config.ExecutorRegistrationTimeout
			if e.met {
				limit = n.config.ExecutorReregistrationTimeout
			}
			n.timers.set(&e.deadline, n.in(limit), (*deadlineAlarm)(e))
		}
	}
}
