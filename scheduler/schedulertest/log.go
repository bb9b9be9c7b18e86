package schedulertest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
)

// patience is how long the methods that wait do so, in virtual time.
const patience = time.Hour

// log is what was said between the schedulers and the master.
type log struct {
	calls   []*schedulerpb.Call
	updates []*mesos.TaskStatus
	waited  map[string]int // by task: the updates before this one have been waited for
}

func (l *log) called(_ ids.FrameworkID, call *schedulerpb.Call) { l.calls = append(l.calls, call) }

func (l *log) heard(_ ids.FrameworkID, event *schedulerpb.Event) {
	if s := event.GetUpdate().GetStatus(); s != nil {
		l.updates = append(l.updates, s)
	}
}

// find looks for a state that a task is in, or that it has come into since the last one that was waited for.
func (l *log) find(task string, state mesos.TaskState) *mesos.TaskStatus {
	for i := len(l.updates) - 1; i >= 0; i-- {
		if s := l.updates[i]; s.GetTaskId().GetValue() == task {
			if s.GetState() == state {
				return l.found(task, i)
			}
			break
		}
	}
	for i := l.waited[task]; i < len(l.updates); i++ {
		if s := l.updates[i]; s.GetTaskId().GetValue() == task && s.GetState() == state {
			return l.found(task, i)
		}
	}
	return nil
}

func (l *log) found(task string, i int) *mesos.TaskStatus {
	if l.waited == nil {
		l.waited = make(map[string]int)
	}
	l.waited[task] = max(l.waited[task], i+1)
	return l.updates[i]
}

// WaitFor waits until the scheduler has been told that a task is in a state, and has dealt with it. What WaitFor has
// once found for a task, it does not find again: to wait for TASK_RUNNING, TASK_UNREACHABLE and TASK_RUNNING is
// possible. But a state that the task is in is always found.
func (c *Cluster) WaitFor(task string, state mesos.TaskState) *mesos.TaskStatus {
	c.t.Helper()
	var status *mesos.TaskStatus
	if !c.stage.World.Await(c.t.Context(), patience, func() bool {
		status = c.log.find(task, state)
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
	for begin := c.stage.World.Now(); ; {
		synctest.Wait()
		if holds() {
			return
		}
		if c.stage.World.Now()-begin >= patience {
			c.t.Fatalf("schedulertest: after %v still not: %s", patience, what)
		}
		before := len(c.stage.World.History())
		c.stage.World.Await(c.t.Context(), 100*time.Millisecond, func() bool { return c.stage.World.Length() > before })
	}
}

// whatOf says what schedulers know of a task.
func (c *Cluster) whatOf(task string) string {
	told := c.Updates(task)
	if len(told) == 0 {
		if !slices.ContainsFunc(c.Launched(), func(t *mesos.TaskInfo) bool { return t.GetTaskId().GetValue() == task }) {
			return fmt.Sprintf("it was never launched (launched were: %s)", namesOf(c.Launched()))
		}
		return "it was launched, and its scheduler was told nothing"
	}
	words := make([]string, len(told))
	for i, s := range told {
		words[i] = s.GetState().String()
		if s.GetMessage() != "" {
			words[i] += fmt.Sprintf(" (%s)", s.GetMessage())
		}
	}
	return "its scheduler was told: " + strings.Join(words, ", ")
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
	c.stage.World.Do(func() {
		for _, s := range c.log.updates {
			if s.GetTaskId().GetValue() == task {
				told = append(told, s)
			}
		}
	})
	return told
}

// Unacknowledged waits a moment, as Settle does, and gives the updates that want an acknowledgement and have not got
// it, each once.
func (c *Cluster) Unacknowledged() (owed []*mesos.TaskStatus) {
	c.t.Helper()
	c.Settle()
	c.stage.World.Do(func() {
		for i, s := range c.log.updates {
			if len(s.Uuid) > 0 && !c.log.acknowledged(s) && !slices.ContainsFunc(c.log.updates[:i], func(earlier *mesos.TaskStatus) bool {
				return bytes.Equal(earlier.Uuid, s.Uuid)
			}) {
				owed = append(owed, s)
			}
		}
	})
	return owed
}

func (l *log) acknowledged(s *mesos.TaskStatus) bool {
	return slices.ContainsFunc(l.calls, func(call *schedulerpb.Call) bool {
		return call.GetType() == schedulerpb.Call_ACKNOWLEDGE && bytes.Equal(call.GetAcknowledge().GetUuid(), s.Uuid)
	})
}
