package schedulertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/stage"
)

// OnTask sets what the tasks do that begin from now on. The script is called on a goroutine of its own for each
// task, once the task is TASK_RUNNING, and returns when it ends.
func (c *Cluster) OnTask(script func(*Task) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script = script
}

// OnExecutor sets what the executors are that begin from now on: one of the author's, which is run by the real driver,
// or nil, for one that runs the script. The context ends when the executor's process does: whatever it has
// started has to end then, as it would with a real process.
func (c *Cluster) OnExecutor(begin func(ctx context.Context, info *mesos.ExecutorInfo) executor.Executor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.executors = begin
}

// play is what runs in a container.
func (c *Cluster) play(p *stage.Process) stage.Exit {
	if p.Task != nil {
		return c.playCommand(p)
	}
	c.mu.Lock()
	executors := c.executors
	c.mu.Unlock()
	if executors != nil {
		if x := executors(p.Context, p.Executor); x != nil {
			return p.RunExecutor(x)
		}
	}
	x := &scripted{c: c, process: p, tasks: make(map[string]*Task)}
	exit := p.RunExecutor(x)
	x.end()
	return exit
}

// run runs the script of a task.
func (c *Cluster) run(t *Task) error {
	c.mu.Lock()
	script := c.script
	c.mu.Unlock()
	if script == nil {
		return t.Hang()
	}
	return script(t)
}

// playCommand is a command: its end is an exit status, and its agent makes a status of that.
func (c *Cluster) playCommand(p *stage.Process) stage.Exit {
	t := newTask(p.Context, c, p.Task, nil)
	defer t.cancel(nil)
	ended := make(chan struct{})
	var watch sync.WaitGroup
	defer watch.Wait()
	defer close(ended)
	watch.Go(func() {
		select {
		case <-p.Asked:
			t.askToEnd()
		case <-ended:
		}
	})
	err := c.run(t)
	if _, own := errors.AsType[endAs](err); own {
		c.t.Errorf("schedulertest: task %q ends with a status of its own, but is a command, whose agent makes the status: give it an ExecutorInfo", t.ID())
	}
	switch {
	case t.killed():
		return stage.Terminated()
	case err != nil:
		return stage.Exit{Status: 1 << 8, Text: fmt.Sprintf("exited with status 1: %v", err)}
	}
	return stage.Exited(0)
}

// scripted is an executor whose tasks run the script.
type scripted struct {
	executor.Base
	c       *Cluster
	process *stage.Process
	wg      sync.WaitGroup // the tasks

	mu    sync.Mutex
	tasks map[string]*Task // those that run
}

// LaunchTask implements executor.Executor.
func (x *scripted) LaunchTask(d executor.Driver, info *mesos.TaskInfo) {
	t := newTask(x.process.Context, x.c, info, d)
	x.mu.Lock()
	x.tasks[t.ID()] = t
	x.mu.Unlock()
	t.send(&mesos.TaskStatus{State: mesos.TaskState_TASK_RUNNING.Enum()})
	turn := x.process.Turn(info)
	x.wg.Go(func() {
		defer t.cancel(nil)
		time.Sleep(turn)
		status := t.last(x.c.run(t))
		x.mu.Lock()
		delete(x.tasks, t.ID())
		x.mu.Unlock()
		t.send(status)
	})
}

// last is the last status of a task.
func (t *Task) last(err error) *mesos.TaskStatus {
	own, isOwn := errors.AsType[endAs](err)
	switch {
	case isOwn:
		return own.status
	case t.killed():
		return &mesos.TaskStatus{State: mesos.TaskState_TASK_KILLED.Enum()}
	case err != nil:
		return &mesos.TaskStatus{State: mesos.TaskState_TASK_FAILED.Enum(), Message: new(err.Error())}
	}
	return &mesos.TaskStatus{State: mesos.TaskState_TASK_FINISHED.Enum()}
}

// KillTask implements executor.Executor.
func (x *scripted) KillTask(_ executor.Driver, id *mesos.TaskID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t := x.tasks[id.GetValue()]; t != nil {
		t.askToEnd()
	}
}

// FrameworkMessage implements executor.Executor.
func (x *scripted) FrameworkMessage(_ executor.Driver, data []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, t := range x.tasks {
		t.deliver(data)
	}
}

// Shutdown implements executor.Executor. Nobody can ignore it.
func (x *scripted) Shutdown(executor.Driver) { x.end() }

func (x *scripted) end() {
	x.mu.Lock()
	for _, t := range x.tasks {
		t.cancel(ErrKilled)
	}
	x.mu.Unlock()
	x.wg.Wait()
}
