package node

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
)

// Whatever lives here is described to each master in one message, when the agent subscribes: frameworks,
// executors, tasks and what was said of them last. So what may live at once is bounded in bytes of that message:
// beyond MaxDescribed no more tasks are taken, and a quarter beyond it no more statuses of executors, which are put
// off. What a task may still need for the statuses that the agent itself makes of it is counted from its beginning.
// With the history, which has its own bound, [Config.MaxSubscribe] is the longest message.

// What the description of one thing has beside the names in it, in bytes; a test holds them against the messages.
const (
	frameworkRest = 64
	executorRest  = 128
	taskRest      = 192
	statusRest    = 256
	ownStatuses   = 4   // that the agent itself makes of a command task: starting, running, killing, ended
	ownMessage    = 512 // of such a status
)

// longestName is the longest id that a name in a description can be.
const longestName = 255

// MaxSubscribe is how long the description of everything can become, beside that of the machine.
func (c Config) MaxSubscribe() int {
	c = c.withDefaults()
	task := taskRest + 6*(statusRest+4*longestName) // of the history's tasks, beside what their weight counts
	return c.MaxDescribed + c.MaxDescribed/4 + c.MaxCompletedBytes + c.MaxCompletedTasks*task
}

// described is what a framework's description costs.
func (f *framework) described() int { return len(f.Info) + frameworkRest }

// described is what a custom executor's description costs.
func (e *executor) described() int {
	return len(e.info) + len(e.framework.ID) + executorRest
}

// described is what the description of a task that lives costs.
func (t *task) described() int {
	names := len(t.id) + len(t.framework.ID) + max(len(t.owner), len(t.id)) + longestName
	cost := len(t.info) + taskRest + names + max(0, ownStatuses-len(t.statuses))*(statusRest+names+ownMessage)
	for _, s := range t.statuses {
		cost += s.size() + statusRest + names
	}
	return cost
}

// describedTooMuch says why there is no room to describe a task with all that it brings; "" if there is. Rather
// than refuse a task the agent forgets its past.
func (n *Node) describedTooMuch(m RunTask) (mesos.TaskStatus_Reason, string) {
	for n.described+m.size() > n.config.MaxDescribed && len(n.history.tasks) > 0 {
		n.forgetOldest()
	}
	if n.described+m.size() <= n.config.MaxDescribed {
		return 0, ""
	}
	return mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, fmt.Sprintf(
		"The agent's tasks and executors are described in %d bytes, and this one in %d; at most %d are taken", n.described, m.size(), n.config.MaxDescribed)
}

// noStatuses says why statuses of an executor are put off; "" if they are taken.
func (n *Node) noStatuses(f *framework, updates ...ExecutorUpdate) string {
	if much := n.owesTooMuch(f, 2); much != "" {
		return "The framework has " + much
	}
	size := 0
	for _, u := range updates {
		size += u.Status.size() + statusRest + 4*longestName
	}
	if most := n.config.MaxDescribed + n.config.MaxDescribed/4; n.described+size > most {
		return fmt.Sprintf("The agent's tasks and what was said of them are described in %d bytes, and this in %d; at most %d are taken", n.described, size, most)
	}
	return ""
}
