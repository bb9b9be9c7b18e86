package node

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// containerStarted says that a container runs.
func (n *Node) containerStarted(in ContainerStarted) {
	e := n.containers[in.Container]
	if e == nil || e.state == executorGone || e.pid != 0 {
		return
	}
	e.pid = in.PID
	if e.builtin {
		n.commandStarted(e)
		return
	}
	n.executorStarted(e)
}

// containerStartFailed says that a container never ran.
func (n *Node) containerStartFailed(in ContainerStartFailed) {
	e := n.containers[in.Container]
	if e == nil || e.state == executorGone {
		return
	}
	if e.builtin {
		n.commandNotStarted(e, in)
	} else {
		n.executorNotStarted(e, in)
	}
	n.containerGone(e)
}

// neverStarted ends an executor whose container was not even asked for.
func (n *Node) neverStarted(e *executor) {
	n.containerStartFailed(ContainerStartFailed{Container: e.container, Cause: CauseKilled})
}

// containerEnded says that a container is gone. Ends are repeated until they are collected, and collected
// when they are durable.
func (n *Node) containerEnded(in ContainerEnded) {
	e := n.containers[in.Container]
	switch {
	case e == nil:
		n.emit(CollectContainer{Container: in.Container})
		return
	case e.state == executorGone:
		return
	}
	n.noteOutOfMemory(e, in.OutOfMemory)
	if e.builtin {
		n.commandEnded(e, in.End)
	} else {
		n.executorEnded(e, in.End)
	}
	n.containerGone(e)
}

// containerGone forgets an executor. Its container stays known until that is durable: only then may the
// supervisor forget it too.
func (n *Node) containerGone(e *executor) {
	n.removeExecutor(e)
	n.after(durable, func() {
		delete(n.containers, e.container)
		n.emit(CollectContainer{Container: e.container, Sandbox: n.sandbox(e)})
	})
	n.dropFrameworkIfOver(e.framework)
	n.dropFrameworkIfIdle(e.framework)
}

// killContainer ends a container, or keeps it from being started.
func (n *Node) killContainer(e *executor, grace time.Duration) {
	e.killed = true
	if e.launched {
		n.emit(KillContainer{Container: e.container, Grace: grace})
	}
}

// deadlineAlarm is an executor that did not do in time what it should have done.
type deadlineAlarm executor

func (a *deadlineAlarm) rings(n *Node) {
	e := (*executor)(a)
	switch {
	case e.builtin:
		n.commandOverdue(e)
	case e.state == executorTerminating:
		n.killContainer(e, 0)
	case e.stream == 0:
		n.executorOverdue(e)
	}
}

// neverLaunched is the end of a task whose container was recorded and never asked for.
func (n *Node) neverLaunched(t *task) *Status {
	return n.agentStatus(t, t.framework.lost(), mesos.TaskStatus_REASON_AGENT_RESTARTED,
		"Task launched during agent restart")
}
