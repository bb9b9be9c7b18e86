package sim

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// executor is a custom executor in its container: the driver's core, the shell around it, and the author's
// part, which runs tasks that only take time.
type executor struct {
	process
	container *container
	framework ids.FrameworkID
	core      *executorcore.Core
	lines     map[uint64]*line

	tasks   map[ids.TaskID]bool // that run
	served  int                 // tasks so far
	leaving bool
	hung    bool
}

// startExecutor begins the program of a container.
func (w *World) startExecutor(c *container) {
	sandbox := c.spec.Sandbox
	x := &executor{
		process:   w.newProcess(fmt.Sprintf("executor %s/%s", sandbox.Framework, sandbox.Executor), c.host.site, c.host.skew),
		container: c,
		framework: sandbox.Framework,
		lines:     make(map[uint64]*line),
		tasks:     make(map[ids.TaskID]bool),
	}
	c.executor, x.process.executor = x, x
	x.core = executorcore.New(executorcore.Config{
		Framework:        sandbox.Framework,
		Executor:         sandbox.Executor,
		Checkpoint:       true,
		RecoveryTimeout:  15 * time.Minute,
		BackoffMax:       2 * time.Second,
		GracePeriod:      c.spec.Grace,
		FirstTimeout:     time.Minute,
		SubscribeTimeout: 30 * time.Second,
		Heartbeat:        30 * time.Minute,
		Pending:          mailbox.Limits{Items: w.climate.mailbox, Bytes: 1 << 20},
		MaxUnanswered:    1000,
		Random:           w.rng.Uint64,
		NewUUID:          w.uuid,
	})
	if c.program.silent {
		w.count(FaultSilentExecutor)
		return
	}
	x.after(w.between(10*time.Millisecond, 300*time.Millisecond), func() { x.step(executorcore.Start{}) })
}

// crash ends the executor, and so its container.
func (x *executor) crash() {
	if !x.dead {
		x.logf("CRASH")
		x.container.exits(11, "terminated with signal Segmentation fault")
	}
}

func (x *executor) step(in executorcore.Input) {
	if x.dead {
		return
	}
	x.w.stepped()
	outs := x.core.Step(x.clock(), in)
	for _, out := range outs {
		if x.doomed() {
			x.w.count(FaultBetweenOutputs)
			x.crash()
			return
		}
		x.carryOut(out)
	}
	x.arm(x.core.NextDeadline(), func() { x.step(executorcore.Tick{}) })
}

func (x *executor) carryOut(out executorcore.Output) {
	switch out := out.(type) {
	case executorcore.Subscribe:
		x.lines[out.Stream] = openLine(&x.process, "agent stream", x.agent, out.Call, x.reports(out.Stream))
	case executorcore.Send:
		x.lines[out.Stream].send(out.Call)
	case executorcore.Disconnect:
		x.lines[out.Stream].close(out.Cause)
	case executorcore.Finished:
		x.leaving = true
		x.soon(func() { x.container.exits(0, "exited with status 0") })
	case executorcore.Callback:
		x.callBack(out)
	}
}

func (x *executor) agent() (*process, func(*conn)) {
	a := x.container.host.agent
	if a == nil || a.dead || !a.serving {
		return nil, nil
	}
	return &a.process, a.accept
}

func (x *executor) reports(stream uint64) lineReports {
	return lineReports{
		received: func(event any) {
			x.step(executorcore.Received{Stream: stream, Event: event.(*executorpb.Event), Size: 100})
		},
		answered: func(call any, what outcome.Outcome, err error) {
			x.step(executorcore.Answered{Stream: stream, Call: call.(*executorpb.Call), Outcome: what, Err: err})
		},
		closed: func(refused bool, err error) {
			x.step(executorcore.Closed{Stream: stream, Refused: refused, Err: err})
		},
	}
}

// callBack lets the author's part run, which takes some time, or for ever.
func (x *executor) callBack(cb executorcore.Callback) {
	w := x.w
	if w.faults.hangs() {
		w.count(FaultHungExecutor)
		x.logf("hangs in %T", cb)
		x.hung = true
		return
	}
	x.after(w.faults.callbackTime(), func() {
		x.behave(cb)
		x.step(executorcore.Returned{})
	})
}

func (x *executor) behave(cb executorcore.Callback) {
	if x.w.recording {
		x.logf("%s", describeCallback(cb))
	}
	switch cb := cb.(type) {
	case executorcore.Registered:
		x.w.count(EventExecutorRegistered)
	case executorcore.Reregistered:
		x.w.count(EventExecutorBack)
	case executorcore.Disconnected:
		x.w.count(EventExecutorDisconnected)
	case executorcore.LaunchTask:
		x.launch(cb.Task)
	case executorcore.KillTask:
		x.w.count(EventExecutorKill)
		x.kill(ids.TaskID(cb.Task.GetValue()))
	case executorcore.FrameworkMessage:
		x.w.count(EventToExecutor)
		x.step(executorcore.Message{Data: cb.Data})
	case executorcore.Shutdown:
		x.w.count(EventExecutorShutdown)
		for _, id := range sortedKeys(x.tasks) {
			x.finish(id, mesos.TaskState_TASK_KILLED)
		}
	case executorcore.Error:
		x.soon(func() { x.container.exits(1<<8, "exited with status 1") })
	}
}

func (x *executor) launch(info *mesos.TaskInfo) {
	id := ids.TaskID(info.TaskId.GetValue())
	x.w.truth.taskBegins(x, id)
	x.served++
	x.tasks[id] = true
	x.w.checkMachine(x.container.host)
	if x.w.chance(30) {
		x.send(id, mesos.TaskState_TASK_STARTING)
	}
	x.send(id, mesos.TaskState_TASK_RUNNING)
	p := parseProgram(string(info.Data))
	x.after(p.run, func() {
		switch {
		case x.hung: // whatever it is that hangs, it says nothing any more
		case p.exit == 0:
			x.finish(id, mesos.TaskState_TASK_FINISHED)
		default:
			x.finish(id, mesos.TaskState_TASK_FAILED)
		}
	})
}

func (x *executor) kill(id ids.TaskID) {
	if x.w.chance(20) {
		x.send(id, mesos.TaskState_TASK_KILLING)
		x.after(x.w.between(0, 2*time.Second), func() { x.finish(id, mesos.TaskState_TASK_KILLED) })
		return
	}
	x.finish(id, mesos.TaskState_TASK_KILLED)
}

// finish is the end of a task. An executor that has served enough stops by itself.
func (x *executor) finish(id ids.TaskID, state mesos.TaskState) {
	if !x.tasks[id] {
		return
	}
	delete(x.tasks, id)
	x.w.truth.taskEnds(cluster.TaskKey{Framework: x.framework, Task: id})
	if x.w.chance(30) {
		x.step(executorcore.Message{Data: []byte("about " + id)})
	}
	x.send(id, state)
	if len(x.tasks) == 0 && x.served >= x.w.climate.tasksPerExecutor && !x.leaving {
		x.leaving = true
		x.w.count(EventExecutorStopped)
		x.step(executorcore.Stop{})
	}
}

func (x *executor) send(id ids.TaskID, state mesos.TaskState) {
	if x.tasks[id] || state != mesos.TaskState_TASK_KILLING {
		x.step(executorcore.Update{Status: &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(string(id))}, State: state.Enum()}})
	}
}
