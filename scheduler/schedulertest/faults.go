package schedulertest

import (
	"slices"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/stage"
)

// FailOver is the end of the leading master. Another one leads after a while: offers are void, tasks go on, and the
// scheduler hears Disconnected and Reregistered.
func (c *Cluster) FailOver(after time.Duration) { c.stage.FailOver(after) }

// Disconnect breaks the connections of all schedulers to the master, and lets none through for a while. A framework
// whose failover timeout is shorter than that is removed.
func (c *Cluster) Disconnect(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.schedulers {
		c.stage.Disconnect(name, d)
	}
}

// RescindOffers takes all offers back, as it happens when agents lose their connection to the master for a moment.
// New offers follow.
func (c *Cluster) RescindOffers() {
	for _, a := range c.stage.Agents {
		a.Blink()
	}
}

// Teardown removes all frameworks, as an operator does: their tasks are killed, and the driver aborts when it tries to
// subscribe again.
func (c *Cluster) Teardown() { c.stage.Teardown() }

// Kill kills a task, as an operator does with meseta kill: the scheduler hears of it by TASK_KILLED only.
func (c *Cluster) Kill(task string) {
	c.t.Helper()
	if err := c.stage.Kill(ids.TaskID(task)); err != nil {
		c.t.Errorf("schedulertest: task %q is not killed: %v", task, err)
	}
}

// SendError ends every subscription with an ERROR event, which aborts the driver: Scheduler.Error is called. The
// framework's tasks go on until its failover timeout has passed.
func (c *Cluster) SendError(message string) { c.stage.Fail(message) }

// order is a fault that waits for messages to happen to.
type order struct {
	to    messageKind
	n     int      // how many more
	tasks []string // of these tasks; empty for all
	fate  stage.Fate
}

type messageKind int

const (
	updates messageKind = iota
	acknowledgements
	launches
	messages
)

// LoseUpdates loses the next n status updates, of the given tasks or of all, on their way from an agent to the
// master. The agent sends them again after 10 s, 20 s and so on.
func (c *Cluster) LoseUpdates(n int, tasks ...string) {
	c.order(order{to: updates, n: n, tasks: tasks, fate: stage.Fate{Lost: true}})
}

// DelayUpdates lets the next n status updates, of the given tasks or of all, take so much longer from an agent to the
// master.
func (c *Cluster) DelayUpdates(n int, d time.Duration, tasks ...string) {
	c.order(order{to: updates, n: n, tasks: tasks, fate: stage.Fate{Late: d}})
}

// LoseAcknowledgements loses the next n acknowledgements, for the given tasks or for all, behind the scheduler's back.
// The updates then come again, after 10 s and more.
func (c *Cluster) LoseAcknowledgements(n int, tasks ...string) {
	c.order(order{to: acknowledgements, n: n, tasks: tasks, fate: stage.Fate{Lost: true}})
}

// DelayAcknowledgements lets the next n acknowledgements, for the given tasks or for all, take so much longer from the
// scheduler to the master.
func (c *Cluster) DelayAcknowledgements(n int, d time.Duration, tasks ...string) {
	c.order(order{to: acknowledgements, n: n, tasks: tasks, fate: stage.Fate{Late: d}})
}

// LoseLaunches loses the next n launches, of the given tasks or of all, on their way from the master to an agent, and
// the agent's connection with them. The task is TASK_LOST, or TASK_DROPPED for frameworks with PARTITION_AWARE.
func (c *Cluster) LoseLaunches(n int, tasks ...string) {
	c.order(order{to: launches, n: n, tasks: tasks, fate: stage.Fate{Lost: true}})
}

// LoseMessages loses the next n messages between schedulers and executors, in either direction. Nobody sends them again.
func (c *Cluster) LoseMessages(n int) {
	c.order(order{to: messages, n: n, fate: stage.Fate{Lost: true}})
}

func (c *Cluster) order(o order) {
	c.stage.World.Do(func() { c.orders = append(c.orders, &o) })
}

// fate says what becomes of a message, by the oldest order that is about it.
func (c *Cluster) fate(kind messageKind, task ids.TaskID) stage.Fate {
	for _, o := range c.orders {
		if o.to == kind && o.n > 0 && (len(o.tasks) == 0 || slices.Contains(o.tasks, string(task))) {
			o.n--
			return o.fate
		}
	}
	return stage.Fate{}
}

func (c *Cluster) taps() stage.Taps {
	return stage.Taps{
		SchedulerCalls:  c.log.called,
		SchedulerHears:  c.log.heard,
		Update:          func(s *mesos.TaskStatus) stage.Fate { return c.fate(updates, ids.TaskID(s.GetTaskId().GetValue())) },
		Acknowledgement: func(task ids.TaskID) stage.Fate { return c.fate(acknowledgements, task) },
		Launch:          func(task ids.TaskID) stage.Fate { return c.fate(launches, task) },
		Message:         func(ids.ExecutorID) stage.Fate { return c.fate(messages, "") },
	}
}

// Agent is one of the cluster's agents.
type Agent struct {
	c *Cluster
	a *stage.Agent
}

// Name is the agent's host name: "agent-0", "agent-1".
func (a *Agent) Name() string { return a.a.Name() }

// Lose is the end of the machine, with everything on it. The master notices after 75 s without a sign of life: its
// tasks are TASK_LOST (TASK_UNREACHABLE for frameworks with PARTITION_AWARE), and AgentLost is called.
func (a *Agent) Lose() { a.a.Lose() }

// Restart ends the agent's process, which comes back after a while and finds its tasks: nobody but their executors,
// and schedulers with offers of it, notices, unless the while is longer than 75 s, when it is lost as with Partition.
func (a *Agent) Restart(after time.Duration) { a.a.Restart(after) }

// Partition cuts the agent off from the master for a while. From 75 s on it is lost as with Lose; but its tasks go on,
// and are back when it is.
func (a *Agent) Partition(d time.Duration) { a.a.Partition(d) }

// KillExecutor kills an executor's process: ExecutorLost is called, and its tasks are TASK_FAILED.
func (a *Agent) KillExecutor(id string) {
	a.c.t.Helper()
	if !a.a.KillExecutor(ids.ExecutorID(id)) {
		a.c.t.Errorf("schedulertest: no executor %q runs on %s", id, a.Name())
	}
}
