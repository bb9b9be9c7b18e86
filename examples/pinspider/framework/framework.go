// Package framework is the scheduler of the example: it takes offers, launches crawlers on them and
// prints what they find.
//
// What is worth copying: a scheduler is a struct with a plan and some counters, and a few
// callbacks that look at both. Callbacks come one at a time, so there is no lock. Everything
// else, finding the leading master, subscribing again, acknowledging, reconciling, is the driver's.
//
// Start reading at [Framework.ResourceOffers], then [Framework.StatusUpdate]; [Run] is everything around.
package framework

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/scheduler"
)

// Framework is a scheduler.Scheduler.
type Framework struct {
	scheduler.Base // does nothing for the callbacks that do not matter here

	// immutable after New
	plan plan
	out  io.Writer // what the crawlers found
	log  *slog.Logger

	// touched by callbacks only
	launched int             // tasks of the plan, from its start
	finished map[string]bool // by task id
	failure  error           // why the driver was aborted
}

func newFramework(p plan, out io.Writer, log *slog.Logger) *Framework {
	return &Framework{plan: p, out: out, log: log, finished: map[string]bool{}}
}

// Registered is the begin.
func (f *Framework) Registered(_ scheduler.Driver, id *mesos.FrameworkID, master *mesos.MasterInfo) {
	f.log.Info("registered", "framework", id.GetValue(), "master", master.GetId())
}

// Reregistered comes after Disconnected. The driver asks by itself what has become of the tasks.
func (f *Framework) Reregistered(_ scheduler.Driver, master *mesos.MasterInfo) {
	f.log.Info("registered again", "master", master.GetId())
}

// Disconnected needs no reaction.
func (f *Framework) Disconnected(scheduler.Driver) { f.log.Warn("master lost") }

// ResourceOffers launches as many tasks as the offers hold.
func (f *Framework) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	before := f.launched
	for _, offer := range offers {
		room := sum(offer.GetResources())
		f.log.Info("offer", "offer", offer.GetId().GetValue(), "cpus", room.cpus(), "mem", room.mem())
		var tasks []*mesos.TaskInfo
		for f.launched < f.plan.tasks && room.take(perTask) {
			task := f.plan.task(f.launched, offer.GetAgentId())
			f.log.Info("launch", "task", task.GetTaskId().GetValue(), "url", string(task.GetData()), "executor", task.GetExecutor().GetName())
			tasks = append(tasks, task)
			f.launched++
		}
		// Without tasks this declines the offer. What the tasks leave over is declined too.
		d.LaunchTasks([]*mesos.OfferID{offer.GetId()}, tasks, nil)
	}
	if before < f.launched && f.launched == f.plan.tasks {
		d.SuppressOffers() // let others have them
	}
}

// StatusUpdate counts tasks that have finished, and gives up when one has failed. Updates come at least
// once, so a task can be reported finished twice.
func (f *Framework) StatusUpdate(d scheduler.Driver, status *mesos.TaskStatus) {
	id, state := status.GetTaskId().GetValue(), status.GetState()
	f.log.Info("status", "task", id, "state", state)
	switch state {
	case mesos.TaskState_TASK_FINISHED:
		f.finished[id] = true
		if len(f.finished) == f.plan.tasks {
			d.Stop(false)
		}
	case mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED, mesos.TaskState_TASK_LOST,
		mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_GONE_BY_OPERATOR:
		reason, source, message := said(status.Reason), said(status.Source), status.GetMessage()
		f.log.Error("giving up", "task", id, "state", state, "reason", reason, "source", source, "message", message)
		f.failure = fmt.Errorf("task %s: %v (%s, %s): %s", id, state, reason, source, message)
		d.Abort()
	}
}

// said is the name of an optional value. A field that is not set reads as the first value of its type,
// which nobody said: executors, for one, rarely give a reason.
func said[T fmt.Stringer](value *T) string {
	if value == nil {
		return "not given"
	}
	return (*value).String()
}

// FrameworkMessage prints what a crawler found.
func (f *Framework) FrameworkMessage(_ scheduler.Driver, executor *mesos.ExecutorID, _ *mesos.AgentID, data []byte) {
	label, known := labels[executor.GetValue()]
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil || !known {
		f.log.Error("message that makes no sense", "executor", executor.GetValue(), "error", err)
		return
	}
	fmt.Fprintf(f.out, "%s : %s\n", label, &line)
}

// labels are what the messages of an executor are printed under.
var labels = map[string]string{
	executorNames[crawler.Profile]: "userprofile",
	executorNames[crawler.Board]:   "userboard",
}

// ExecutorLost is followed by updates about the tasks that this costs.
func (f *Framework) ExecutorLost(_ scheduler.Driver, executor *mesos.ExecutorID, agent *mesos.AgentID, status int) {
	f.log.Warn("executor lost", "executor", executor.GetValue(), "agent", agent.GetValue(), "status", status)
}

// AgentLost is followed by updates about the tasks that this costs.
func (f *Framework) AgentLost(_ scheduler.Driver, agent *mesos.AgentID) {
	f.log.Warn("agent lost", "agent", agent.GetValue())
}

// Error is the end.
func (f *Framework) Error(_ scheduler.Driver, err error) {
	f.log.Error("driver aborted", "error", err)
	f.failure = err
}

// outcome says what is to be reported once no callback runs any more.
func (f *Framework) outcome(status scheduler.Status) error {
	switch {
	case f.failure != nil:
		return f.failure
	case status != scheduler.Stopped:
		return fmt.Errorf("the driver ended as %v", status)
	case len(f.finished) < f.plan.tasks:
		return fmt.Errorf("interrupted when %d of %d tasks had finished", len(f.finished), f.plan.tasks)
	}
	return nil
}
