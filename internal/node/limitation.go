package node

import (
	"fmt"
	"strconv"

	"github.com/meseta/meseta/api/mesos/v1"
)

// A container that takes more than its share of what cannot be taken back is ended, and its tasks are told what
// it took.

// Limited is what there was too much of.
type Limited struct {
	Resource string // "mem" or "disk"
	Bytes    int64  // "mem": the most that was used; "disk": the share that was exceeded
}

// diskUsed ends a container that has more on the disk than it asked for. One that asked for none is not
// measured against anything, as in Mesos.
func (n *Node) diskUsed(in DiskUsed) {
	e := n.containers[in.Container]
	if e == nil || e.state == executorGone || e.killed || e.cause != nil {
		return
	}
	quota := e.demand().Disk
	if quota == 0 || in.Bytes <= quota {
		return
	}
	n.endLimited(e, &cause{
		reason:  mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK,
		message: fmt.Sprintf("Disk usage (%s) exceeds quota (%s)", sizeText(in.Bytes), sizeText(quota)),
		limited: &Limited{Resource: "disk", Bytes: quota},
	})
}

// noteOutOfMemory makes memory the cause of a container's end, unless there was another one.
func (n *Node) noteOutOfMemory(e *executor, o *OutOfMemory) {
	if o == nil || e.killed || e.cause != nil {
		return
	}
	message := fmt.Sprintf("Memory limit exceeded: Requested: %s Maximum Used: %s", sizeText(o.Limit), sizeText(o.Peak))
	if o.Limit == 0 {
		message = "The machine ran out of memory. Maximum Used: " + sizeText(o.Peak)
	}
	e.cause = &cause{
		reason:  mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY,
		message: message,
		limited: &Limited{Resource: "mem", Bytes: o.Peak},
	}
	n.noteLimited(e)
}

// endLimited ends a container at once, for a reason that its tasks are told.
func (n *Node) endLimited(e *executor, c *cause) {
	e.cause = c
	n.noteLimited(e)
	if !e.builtin {
		n.timers.stop(&e.deadline)
		n.enter(e, executorTerminating)
	}
	n.killContainer(e, 0)
}

func (n *Node) noteLimited(e *executor) {
	n.emit(Notice{What: NoticeLimited, Framework: e.framework.ID, Executor: e.id, Container: e.container, Detail: e.cause.message})
}

// causeStatus tells a task why the agent ended its executor.
func (n *Node) causeStatus(t *task, c *cause) *Status {
	s := n.agentStatus(t, mesos.TaskState_TASK_FAILED, c.reason, c.message)
	s.Limited = c.limited
	return s
}

// sizeText writes a size as Mesos does: in the largest unit that leaves no fraction.
func sizeText(bytes int64) string {
	units := [...]string{"B", "KB", "MB", "GB", "TB"}
	unit := 0
	for bytes != 0 && bytes%1024 == 0 && unit < len(units)-1 {
		bytes /= 1024
		unit++
	}
	return strconv.FormatInt(bytes, 10) + units[unit]
}
