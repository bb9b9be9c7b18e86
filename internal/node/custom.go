package node

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/duration"
	"github.com/meseta/meseta/internal/ids"
)

// The life of custom executors, as their containers, streams and deadlines tell it.

// executorStarted gives an executor the time to subscribe.
func (n *Node) executorStarted(e *executor) {
	n.emit(Notice{What: NoticeExecutorStarted, Framework: e.framework.ID, Executor: e.id, Container: e.container})
	if e.state == executorStarting && !n.timers.isSet(&e.deadline) {
		n.timers.set(&e.deadline, n.in(n.config.ExecutorRegistrationTimeout), (*deadlineAlarm)(e))
	}
	if in := e.early; in != nil {
		e.early = nil
		n.greet(e, *in)
	}
}

// executorOverdue ends an executor that did not subscribe in time.
func (n *Node) executorOverdue(e *executor) {
	n.emit(Notice{What: NoticeExecutorTimeout, Framework: e.framework.ID, Executor: e.id, Container: e.container})
	e.cause = &cause{
		reason:  mesos.TaskStatus_REASON_EXECUTOR_REGISTRATION_TIMEOUT,
		message: "Executor did not register within " + duration.Format(n.config.ExecutorRegistrationTimeout),
	}
	if e.met {
		e.cause = &cause{
			reason:  mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
			message: "Executor did not reregister within " + duration.Format(n.config.ExecutorReregistrationTimeout),
		}
	}
	n.enter(e, executorTerminating)
	n.killContainer(e, 0)
}

// endExecutor asks an executor to end and gives it its grace period.
func (n *Node) endExecutor(e *executor) {
	if e.state >= executorTerminating {
		return
	}
	n.enter(e, executorTerminating)
	if e.stream == 0 {
		n.timers.stop(&e.deadline)
		n.killContainer(e, e.grace)
		return
	}
	n.emit(ToExecutor{Stream: e.stream, Event: ExecutorShutdown{}})
	n.timers.set(&e.deadline, n.in(e.grace), (*deadlineAlarm)(e))
}

// executorEnded says what its tasks became: nothing, unless they ended before.
func (n *Node) executorEnded(e *executor, end End) {
	c := cause{reason: mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, message: "Executor terminated"}
	status := end.Status
	switch {
	case e.cause != nil:
		c = *e.cause
	case end.Lost != "":
		c.message = end.Lost
	}
	if end.Lost != "" {
		status = lostStatus
	}
	n.executorGone(e, status, func(t *task) *Status {
		return n.causeStatus(t, &c)
	})
}

// lostStatus stands for an exit status that nobody knows: killed, as everything in a lost container is.
const lostStatus = 9

// noStatus stands for the exit status of an executor that never ran.
const noStatus = -1

// executorNotStarted words the end of an executor that never ran.
func (n *Node) executorNotStarted(e *executor, in ContainerStartFailed) {
	n.executorGone(e, noStatus, func(t *task) *Status {
		if in.Cause == CauseKilled && e.cause == nil {
			return n.agentStatus(t, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, "Executor terminated")
		}
		return n.launchFailed(t, in)
	})
}

// executorGone tells the master, and gives each task that is left its last status.
func (n *Node) executorGone(e *executor, status int, last func(*task) *Status) {
	f := e.framework
	n.emit(Notice{What: NoticeExecutorEnded, Framework: f.ID, Executor: e.id, Container: e.container})
	n.tell(ExecutorExited{Framework: f.ID, Executor: e.id, Status: status})
	if !f.ending {
		n.record(ExecutorGone{Framework: f.ID, Executor: e.id, Container: e.container})
	}
	for len(e.tasks) > 0 {
		n.report(e.tasks[0], last(e.tasks[0]))
	}
}

// deliver hands over the tasks that wait, as far as their records are durable.
func (n *Node) deliver(e *executor) {
	if e.stream == 0 || e.state != executorRunning {
		return
	}
	for _, t := range e.tasks {
		if !t.queued {
			continue
		}
		if !n.commits.has(t.mark) {
			return
		}
		t.queued, e.delivered = false, true
		n.emit(ToExecutor{Stream: e.stream, Event: ExecutorLaunch{Task: t.info}})
	}
}

// frameworkMessage passes a scheduler's message on, if somebody listens.
func (n *Node) frameworkMessage(in FrameworkMessage) {
	var e *executor
	if f := n.frameworks[in.Framework]; f != nil {
		e = f.executors[in.Executor]
	}
	if e == nil || e.stream == 0 {
		n.emit(Notice{What: NoticeMessageDropped, Framework: in.Framework, Executor: in.Executor,
			Detail: "from the scheduler; the executor is not subscribed"})
		return
	}
	n.emit(ToExecutor{Stream: e.stream, Event: ExecutorHears{Data: in.Data}})
}

// shutdownExecutor is the scheduler's wish. For a command task, which has an executor in the eyes of its
// scheduler, it is a kill.
func (n *Node) shutdownExecutor(in ShutdownExecutor) {
	f := n.frameworks[in.Framework]
	if f == nil {
		return
	}
	if e := f.executors[in.Executor]; e != nil {
		n.endExecutor(e)
		return
	}
	if t := f.tasks[ids.TaskID(in.Executor)]; t != nil && t.executor != nil && t.executor.builtin {
		n.killCommand(t.executor, t.grace)
	}
}
