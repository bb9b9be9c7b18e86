package node

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// The built-in executor of a command task: what Mesos runs as a process beside the command is the part of
// this core in this file, so that a command task costs one process and not two or three.

// commandStarted says TASK_RUNNING.
func (n *Node) commandStarted(e *executor) {
	n.enter(e, executorRunning)
	if e.killed {
		return // its end is on the way and says more
	}
	t := e.task()
	if t.state == mesos.TaskState_TASK_STAGING {
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_STARTING, ""))
	}
	n.report(t, n.commandStatus(t, mesos.TaskState_TASK_RUNNING, ""))
	if t.maxTime > 0 {
		n.timers.set(&e.deadline, n.in(t.maxTime), (*deadlineAlarm)(e))
	}
}

// commandEnded turns a wait status into the last status of the task.
func (n *Node) commandEnded(e *executor, end End) {
	t := e.task()
	message := "Command " + end.Text
	switch {
	case end.Lost != "":
		n.report(t, n.agentStatus(t, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, end.Lost))
	case e.cause != nil && e.cause.limited != nil:
		n.report(t, n.causeStatus(t, e.cause))
	case e.cause != nil:
		s := n.commandStatus(t, mesos.TaskState_TASK_FAILED, message)
		s.Reason = e.cause.reason
		n.report(t, s)
	case e.killed || end.Killed:
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_KILLED, message))
	case end.Status == 0:
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_FINISHED, message))
	default:
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_FAILED, message))
	}
}

// commandNotStarted words the end of a command that never ran. A program that cannot be executed looks as
// in Mesos, where a process of the executor dies of it; the sandbox's stderr names the cause.
func (n *Node) commandNotStarted(e *executor, in ContainerStartFailed) {
	t := e.task()
	switch in.Cause {
	case CauseExec:
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_FAILED, "Command exited with status 1"))
	case CauseKilled:
		n.report(t, n.killedBeforeDelivery(t))
	default:
		n.report(t, n.launchFailed(t, in))
	}
}

// launchFailed is the status of a task whose container could not be made.
func (n *Node) launchFailed(t *task, in ContainerStartFailed) *Status {
	why := in.Detail
	if in.Cause == CauseFetch {
		why = fmt.Sprintf("Failed to fetch all URIs for container '%s': %s", in.Container, in.Detail)
	}
	return n.agentStatus(t, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED,
		"Failed to launch container: "+why)
}

// killedBeforeDelivery is the status of a task that was killed before anything ran for it.
func (n *Node) killedBeforeDelivery(t *task) *Status {
	return n.agentStatus(t, mesos.TaskState_TASK_KILLED, mesos.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH,
		"Killed before delivery to the executor")
}

// killCommand ends a command. TASK_KILLING is for frameworks that know the state, and for commands that
// run: before that there is nothing to see.
func (n *Node) killCommand(e *executor, grace time.Duration) {
	t := e.task()
	if !e.killed && e.state == executorRunning && e.framework.KillingState {
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_KILLING, ""))
	}
	n.killContainer(e, grace)
}

// commandOverdue ends a command that ran longer than its task allows.
func (n *Node) commandOverdue(e *executor) {
	if e.killed {
		return
	}
	e.cause = &cause{reason: mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED}
	n.killContainer(e, e.task().grace)
}
