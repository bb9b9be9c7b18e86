package schedulertest

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/stage"
)

// patience is how long the methods that wait do so, in virtual time.
const patience = time.Hour

// log is what was said between the schedulers and the master.
type log struct {
	calls   []*schedulerpb.Call
	updates stage.Updates
}

func (l *log) called(_ ids.FrameworkID, call *schedulerpb.Call) {
	l.calls = append(l.calls, call)
	if ack := call.GetAcknowledge(); ack != nil {
		l.updates.Acknowledge(ack.GetUuid())
	}
}

func (l *log) heard(_ ids.FrameworkID, event *schedulerpb.Event) {
	if s := event.GetUpdate().GetStatus(); s != nil {
		l.updates.Add(s)
	}
}

// WaitFor waits until the scheduler has been told that a task is in a state, and has dealt with it. What WaitFor has
// once found for a task, it does not find again: to wait for TASK_RUNNING, TASK_UNREACHABLE and TASK_RUNNING is
// possible. But a state that the task is in is always found.
func (c *Cluster) WaitFor(task string, state mesos.TaskState) *mesos.TaskStatus {
	c.t.Helper()
	var status *mesos.TaskStatus
	if !c.stage.World.Await(c.t.Context(), patience, func() bool {
		status = c.log.updates.Find(task, state)
		return status != nil
	}) {
		c.t.Fatalf("schedulertest: task %q is not %v after %v; %s", task, state, patience, c.whatOf(task))
	}
	synctest.Wait()
	return status
}

// Wait waits until something is the case: holds is asked again and again, whenever something has happened in the
// cluster and every tenth of a second. What says what it is, for the failure.
func (c *Cluster) Wait(what string, holds func() bool) {
	c.t.Helper()
	if !c.stage.World.Poll(c.t.Context(), patience, holds) {
		c.t.Fatalf("schedulertest: after %v still not: %s", patience, what)
	}
}

// whatOf says what schedulers know of a task.
func (c *Cluster) whatOf(task string) string {
	var told string
	c.stage.World.Do(func() { told = c.log.updates.Words(task) })
	if told != "" {
		return "its scheduler was told: " + told
	}
	if !slices.ContainsFunc(c.Launched(), func(t *mesos.TaskInfo) bool { return t.GetTaskId().GetValue() == task }) {
		return fmt.Sprintf("it was never launched (launched were: %s)", namesOf(c.Launched()))
	}
	return "it was launched, and its scheduler was told nothing"
}

func namesOf(tasks []*mesos.TaskInfo) string {
	if len(tasks) == 0 {
		return "none"
	}
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.GetTaskId().GetValue()
	}
	return strings.Join(names, ", ")
}

// Calls gives the calls of a type that schedulers have made, in order.
func (c *Cluster) Calls(typ schedulerpb.Call_Type) (calls []*schedulerpb.Call) {
	c.stage.World.Do(func() {
		for _, call := range c.log.calls {
			if call.GetType() == typ {
				calls = append(calls, call)
			}
		}
	})
	return calls
}

// Launched gives the tasks that schedulers have launched, in order, whatever became of them.
func (c *Cluster) Launched() (tasks []*mesos.TaskInfo) {
	for _, call := range c.Calls(schedulerpb.Call_ACCEPT) {
		for _, op := range call.GetAccept().GetOperations() {
			tasks = append(tasks, op.GetLaunch().GetTaskInfos()...)
			tasks = append(tasks, op.GetLaunchGroup().GetTaskGroup().GetTasks()...)
		}
	}
	return tasks
}

// Declined gives the offers that schedulers have declined as a whole, in order.
func (c *Cluster) Declined() (offers []*mesos.OfferID) {
	for _, call := range c.Calls(schedulerpb.Call_DECLINE) {
		offers = append(offers, call.GetDecline().GetOfferIds()...)
	}
	return offers
}

// Updates gives what schedulers were told about a task, in order, repetitions included.
func (c *Cluster) Updates(task string) (told []*mesos.TaskStatus) {
	c.stage.World.Do(func() { told = c.log.updates.Of(task) })
	return told
}

// Unacknowledged waits a moment, as Settle does, and gives the updates that want an acknowledgement and have not got
// it, each once.
func (c *Cluster) Unacknowledged() (owed []*mesos.TaskStatus) {
	c.t.Helper()
	c.Settle()
	c.stage.World.Do(func() { owed = c.log.updates.Unacknowledged() })
	return owed
}
