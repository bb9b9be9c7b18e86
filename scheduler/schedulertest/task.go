package schedulertest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
)

// ErrKilled is what a task's waits return when the task has been killed, or when what it ran in is gone.
var ErrKilled = errors.New("killed")

// Task is a task that runs, as its script sees it. Its methods are for the script.
type Task struct {
	// Info is what the scheduler launched. It must not be changed.
	Info *mesos.TaskInfo

	c      *Cluster
	driver executor.Driver // nil for a command
	ctx    context.Context
	cancel context.CancelCauseFunc
	asked  chan struct{} // closed when somebody asks for its end
	once   sync.Once     // closes asked
	ignore atomic.Bool

	mu      sync.Mutex
	inbox   [][]byte      // guarded by mu
	arrived chan struct{} // holds a token when the inbox is not empty
}

func newTask(ctx context.Context, c *Cluster, info *mesos.TaskInfo, d executor.Driver) *Task {
	t := &Task{Info: info, c: c, driver: d, asked: make(chan struct{}), arrived: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	return t
}

// ID is the task's id.
func (t *Task) ID() string { return t.Info.GetTaskId().GetValue() }

// Sleep lets virtual time pass. It returns ErrKilled at once when the task is killed.
func (t *Task) Sleep(d time.Duration) error {
	if t.ctx.Err() != nil {
		return ErrKilled
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.ctx.Done():
		return ErrKilled
	}
}

// Hang waits until the task is killed.
func (t *Task) Hang() error {
	<-t.ctx.Done()
	return ErrKilled
}

// IgnoreKill makes the task take no notice of being asked to end. What it cannot ignore is the end of what it runs
// in: a command is killed when its grace period is over, an executor when it is shut down.
func (t *Task) IgnoreKill() { t.ignore.Store(true) }

// Killed is closed when somebody has asked for the task's end, whether it is ignored or not.
func (t *Task) Killed() <-chan struct{} { return t.asked }

// Context ends when the task is killed.
func (t *Task) Context() context.Context { return t.ctx }

// Send sends bytes to the scheduler, from the task's executor.
func (t *Task) Send(data []byte) {
	if t.driver == nil {
		t.c.t.Errorf("schedulertest: task %q sends a message, but is a command: only an executor can, so give it an ExecutorInfo", t.ID())
		return
	}
	t.driver.SendFrameworkMessage(data)
}

// Receive waits for the next message of the scheduler to the task's executor. Each of its tasks gets a copy.
func (t *Task) Receive() ([]byte, error) {
	for {
		t.mu.Lock()
		if len(t.inbox) > 0 {
			data := t.inbox[0]
			t.inbox = t.inbox[1:]
			t.mu.Unlock()
			return data, nil
		}
		t.mu.Unlock()
		select {
		case <-t.arrived:
		case <-t.ctx.Done():
			return nil, ErrKilled
		}
	}
}

// Update sends a status before the last one, for instance TASK_RUNNING with some data. The task's id is filled in.
func (t *Task) Update(status *mesos.TaskStatus) {
	if t.driver == nil {
		t.c.t.Errorf("schedulertest: task %q sends a status, but is a command, whose agent does: give it an ExecutorInfo", t.ID())
		return
	}
	t.send(status)
}

func (t *Task) send(status *mesos.TaskStatus) {
	if status.TaskId == nil {
		status.TaskId = t.Info.TaskId
	}
	t.driver.SendStatusUpdate(status)
}

// EndAs makes the error by which a script ends its task with a status of its own: another state, a reason, data.
func EndAs(status *mesos.TaskStatus) error { return endAs{status} }

type endAs struct{ status *mesos.TaskStatus }

func (e endAs) Error() string { return "ended as " + e.status.GetState().String() }

// askToEnd is somebody's wish.
func (t *Task) askToEnd() {
	t.once.Do(func() { close(t.asked) })
	if !t.ignore.Load() {
		t.cancel(ErrKilled)
	}
}

// deliver puts a message into the inbox.
func (t *Task) deliver(data []byte) {
	t.mu.Lock()
	t.inbox = append(t.inbox, data)
	t.mu.Unlock()
	select {
	case t.arrived <- struct{}{}:
	default:
	}
}

// killed says whether the task was killed and has to say so.
func (t *Task) killed() bool { return t.ctx.Err() != nil }
