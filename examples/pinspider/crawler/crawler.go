// Package crawler is the executor of the example: the program that an agent starts and that reads
// pages.
//
// A task is a URL, in the task's data. The crawler says TASK_RUNNING, gets the page, parses it, sends
// what it found to the scheduler as a framework message, and says TASK_FINISHED. A page that does
// not come gives TASK_FAILED with the cause; a page that is a mess gives empty values, and is
// finished.
//
// What is worth copying is the shape. Callbacks come one at a time, so work must not be done in
// them: each task has a goroutine and a context of its own. KillTask and Shutdown only cancel
// contexts. And the goroutine is the only one to send the task's last update, so that there is
// exactly one, whatever happens at the same moment.
//
// Start reading at [Crawler.LaunchTask].
package crawler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
)

// Crawler is an executor.Executor.
type Crawler struct {
	executor.Base // does nothing for the callbacks that do not matter here

	// immutable after New
	kind   Kind
	client *http.Client
	log    *slog.Logger

	tasks sync.WaitGroup // the goroutines of all tasks

	mu     sync.Mutex                         // guards cancel
	cancel map[string]context.CancelCauseFunc // by task id, of the tasks that run
}

// PageTimeout is how long a page may take.
const PageTimeout = 30 * time.Second

var (
	errKilled   = errors.New("killed on request")
	errShutdown = errors.New("the executor shuts down")
)

// New makes a crawler that looks for kind on the pages that the client gets.
func New(kind Kind, client *http.Client, log *slog.Logger) *Crawler {
	return &Crawler{
		kind:   kind,
		client: client,
		log:    log,
		cancel: map[string]context.CancelCauseFunc{},
	}
}

// LaunchTask starts to crawl the URL in the task's data.
func (c *Crawler) LaunchTask(d executor.Driver, task *mesos.TaskInfo) {
	id, url := task.GetTaskId(), string(task.GetData())
	ctx, cancel := context.WithCancelCause(context.Background())
	c.mu.Lock()
	c.cancel[id.GetValue()] = cancel
	c.mu.Unlock()

	c.log.Info("crawl", "task", id.GetValue(), "url", url)
	d.SendStatusUpdate(&mesos.TaskStatus{TaskId: id, State: mesos.TaskState_TASK_RUNNING.Enum()})
	c.tasks.Go(func() {
		err := c.crawl(ctx, d, url)
		c.mu.Lock()
		delete(c.cancel, id.GetValue())
		c.mu.Unlock()
		d.SendStatusUpdate(c.ended(id, err, context.Cause(ctx)))
		cancel(nil)
	})
}

// crawl gets the page and reports what is on it.
func (c *Crawler) crawl(ctx context.Context, d executor.Driver, url string) error {
	html, err := get(ctx, c.client, url)
	if err != nil {
		return err
	}
	report, err := c.kind.report(url, html)
	if err != nil {
		return err
	}
	// Messages are best effort, which is good enough for a page that can be read again. A result that
	// must not get lost belongs into the data of the last status update.
	d.SendFrameworkMessage(report)
	return nil
}

// ended is the last update of a task.
func (c *Crawler) ended(id *mesos.TaskID, err, cancelled error) *mesos.TaskStatus {
	status := &mesos.TaskStatus{TaskId: id, State: mesos.TaskState_TASK_FINISHED.Enum()}
	switch {
	case err == nil:
		return status
	case cancelled != nil:
		status.State, err = mesos.TaskState_TASK_KILLED.Enum(), cancelled
	default:
		status.State = mesos.TaskState_TASK_FAILED.Enum()
	}
	status.Message = new(err.Error())
	c.log.Warn("not finished", "task", id.GetValue(), "state", status.GetState(), "cause", err)
	return status
}

// KillTask ends a task. One that has just ended by itself needs no more updates.
func (c *Crawler) KillTask(_ executor.Driver, id *mesos.TaskID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.cancel[id.GetValue()]; cancel != nil {
		cancel(errKilled)
	}
}

// Shutdown ends all tasks and returns when the last update of each has been handed to the driver.
func (c *Crawler) Shutdown(executor.Driver) { c.stop() }

// Error is called when all is lost: the agent would not listen any more.
func (c *Crawler) Error(_ executor.Driver, err error) { c.log.Error("executor aborted", "cause", err) }

// stop ends all tasks. It can be called twice.
func (c *Crawler) stop() {
	c.mu.Lock()
	for _, cancel := range c.cancel {
		cancel(errShutdown)
	}
	c.mu.Unlock()
	c.tasks.Wait()
	c.client.CloseIdleConnections()
}
