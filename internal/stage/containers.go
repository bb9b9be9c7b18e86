package stage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// Exit is how a process ends.
type Exit struct {
	Status int    // as wait(2) gives it
	Text   string // the same in words: "exited with status 3"
}

// Exited is the end of a process by its own will.
func Exited(status int) Exit {
	return Exit{Status: status << 8, Text: fmt.Sprintf("exited with status %d", status)}
}

// Terminated is the end of a process that heeds SIGTERM.
func Terminated() Exit { return Exit{Status: 15, Text: "terminated with signal Terminated"} }

// Process is what runs in a container, as whoever plays it sees it.
type Process struct {
	Agent     *Agent
	Framework ids.FrameworkID
	Task      *mesos.TaskInfo     // of a command
	Executor  *mesos.ExecutorInfo // of an executor

	// Context ends when the process is killed. Whatever is left of it must then go.
	Context context.Context

	// Asked is closed when the process is asked to end, by SIGTERM.
	Asked <-chan struct{}

	c *container
}

// Turn is how long a task of an executor is to wait before it begins: so little that nobody cares, and another time
// for each, so that tasks which begin together do nothing at the same moment, and always come in the same order.
func (p *Process) Turn(task *mesos.TaskInfo) (turn time.Duration) {
	p.Agent.w.Do(func() { turn = p.Agent.tasks[taskKey{p.Framework, ids.TaskID(task.GetTaskId().GetValue())}].turn })
	return turn
}

// container is one container.
type container struct {
	agent *Agent
	spec  node.StartContainer
	id    ids.ContainerID
	pid   int
	end   *node.End

	running bool
	cancel  context.CancelFunc
	asked   chan struct{}
	killed  bool
	killAt  time.Duration
}

// startContainer starts a container a moment later, unless somebody has it killed before.
func (a *Agent) startContainer(spec node.StartContainer) {
	c := &container{agent: a, spec: spec, id: spec.Sandbox.Container, asked: make(chan struct{})}
	a.starting[c.id] = c
	a.after(startTime, func() {
		delete(a.starting, c.id)
		if c.killed {
			a.step(node.ContainerStartFailed{Container: c.id, Cause: node.CauseKilled, Detail: "killed before it was started"})
			return
		}
		a.containers[c.id] = c
		a.launched = append(a.launched, c)
		c.run()
		a.step(node.ContainerStarted{Container: c.id, PID: c.pid})
	})
}

// run begins to play.
func (c *container) run() {
	a := c.agent
	a.pids++
	c.pid, c.running = a.pids, true
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	framework := c.spec.Sandbox.Framework
	p := &Process{Agent: a, Framework: framework, Context: ctx, Asked: c.asked, c: c}
	if c.spec.Task != "" {
		p.Task = a.tasks[taskKey{framework, c.spec.Task}].info
	} else {
		p.Executor = a.executors[executorKey{framework, c.spec.Sandbox.Executor}]
	}
	turn := a.w.turn()
	a.w.wg.Go(func() {
		time.Sleep(turn)
		exit := a.config.Play(p)
		a.w.Visit(0, func() { c.die(exit) })
	})
}

// die is the end of the container.
func (c *container) die(exit Exit) {
	if !c.running {
		return
	}
	c.running = false
	c.cancel()
	a := c.agent
	a.w.Net.Shut(c.name())
	c.end = &node.End{Status: exit.Status, Text: exit.Text, Killed: c.killed}
	if !a.lost {
		a.w.Logf(a.config.Name, "%s %s", c.what(), exit.Text)
	}
	a.after(diskTime, func() { a.step(node.ContainerEnded{Container: c.id, End: *c.end}) })
}

func (c *container) what() string {
	if c.spec.Task != "" {
		return "task " + string(c.spec.Task)
	}
	return "executor " + string(c.spec.Sandbox.Executor)
}

// name is that of the process in the network.
func (c *container) name() string { return fmt.Sprintf("%s-pid%d", c.agent.config.Name, c.pid) }

func (a *Agent) killContainer(k node.KillContainer) {
	if c := a.starting[k.Container]; c != nil {
		c.killed = true
		return
	}
	c := a.containers[k.Container]
	if c == nil || !c.running {
		return
	}
	at := a.w.Now() + k.Grace
	if c.killed && at >= c.killAt {
		return
	}
	if !c.killed && k.Grace > 0 {
		close(c.asked)
	}
	c.killed, c.killAt = true, at
	a.w.after(k.Grace, func() { c.die(Exit{Status: 9, Text: "terminated with signal Killed"}) })
}

// survivors are what an agent that comes back is told.
func (a *Agent) survivors() []node.ContainerState {
	var all []node.ContainerState
	for _, c := range a.containers {
		all = append(all, node.ContainerState{Container: c.id, PID: c.pid, End: c.end})
	}
	slices.SortFunc(all, func(x, y node.ContainerState) int { return cmp.Compare(x.Container, y.Container) })
	return all
}

// forget forgets a container that has ended.
func (a *Agent) forget(id ids.ContainerID) {
	if c := a.containers[id]; c != nil && !c.running {
		delete(a.containers, id)
		a.launched = slices.DeleteFunc(a.launched, func(other *container) bool { return other == c })
	}
}

// KillExecutor kills an executor's process, and reports whether there was one.
func (a *Agent) KillExecutor(id ids.ExecutorID) (found bool) {
	a.w.Do(func() {
		for _, c := range slices.Clone(a.launched) {
			if c.running && c.spec.Task == "" && c.spec.Sandbox.Executor == id {
				found = true
				c.die(Exit{Status: 9, Text: "terminated with signal Killed"})
			}
		}
	})
	return found
}

// Runs says whether a task, or the executor of a task, runs here.
func (a *Agent) Runs(task ids.TaskID) bool {
	for key, order := range a.tasks {
		if key.task != task {
			continue
		}
		for _, c := range a.launched {
			if c.running && (c.spec.Task == task ||
				c.spec.Task == "" && string(c.spec.Sandbox.Executor) == order.info.GetExecutor().GetExecutorId().GetValue()) {
				return true
			}
		}
	}
	return false
}

// RunExecutor plays an executor behind the real driver.
func (p *Process) RunExecutor(x executor.Executor) Exit {
	var env *executor.Environment
	p.Agent.w.Do(func() { env = p.environment() })
	d, err := executor.NewDriver(x, executor.Config{Environment: env, Dial: p.Agent.w.Net.Dialer(p.c.name())})
	if err != nil {
		p.Agent.w.Do(func() { p.Agent.w.Logf(p.Agent.config.Name, "%s: %v", p.c.what(), err) })
		return Exited(1)
	}
	defer context.AfterFunc(p.Context, func() { d.Abort() })()
	p.Agent.w.wg.Go(func() { // as a program does that does not care for signals
		select {
		case <-p.Asked:
			p.Agent.w.Visit(0, func() { p.c.die(Terminated()) })
		case <-p.Context.Done():
		}
	})
	if d.Run(context.Background()) != executor.Stopped {
		return Exited(1)
	}
	return Exited(0)
}

// environment is what an agent tells an executor. Executors look for a lost agent without waiting at random: the
// network takes its time to refuse.
func (p *Process) environment() *executor.Environment {
	return &executor.Environment{
		FrameworkID:            string(p.Framework),
		ExecutorID:             p.Executor.GetExecutorId().GetValue(),
		AgentEndpoint:          p.Agent.address(),
		AgentID:                string(p.Agent.ID()),
		Sandbox:                "/sandbox",
		Checkpoint:             true,
		RecoveryTimeout:        cmp.Or(p.Agent.config.RecoveryTimeout, 15*time.Minute),
		SubscriptionBackoffMax: time.Nanosecond,
		ShutdownGracePeriod:    p.c.spec.Grace,
	}
}
