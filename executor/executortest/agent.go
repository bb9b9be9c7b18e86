package executortest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/stage"
)

// patience is how long the methods that wait do so, in virtual time.
const patience = time.Hour

// Agent is an agent with one executor, for one test. Its methods may be called from the test's goroutine and from
// callbacks; those that wait, from the test's goroutine only.
type Agent struct {
	t        testing.TB
	x        executor.Executor
	world    *stage.World
	agent    *stage.Agent
	taps     stage.Taps
	recovery time.Duration
	info     *mesos.ExecutorInfo

	// guarded by the world's lock
	lord   lord
	begun  bool // the process was started
	exit   *stage.Exit
	sent   stage.Updates // by the executor, acknowledged as far as it knows
	orders []*order
	given  int // messages that WaitForMessage has given
}

// Option changes what New makes.
type Option func(*Agent)

// RecoveryTimeout is for how long the executor waits for an agent that is away, before it shuts down: 15 minutes,
// unless this says otherwise.
func RecoveryTimeout(d time.Duration) Option { return func(a *Agent) { a.recovery = d } }

// ExecutorInfo describes the executor. Its id becomes "executor" if it has none.
func ExecutorInfo(info *mesos.ExecutorInfo) Option {
	return func(a *Agent) { a.info = proto.CloneOf(info) }
}

// New makes an agent whose executor will be x. It has to be called inside synctest.Test.
func New(t testing.TB, x executor.Executor, options ...Option) *Agent {
	t.Helper()
	stage.NeedBubble(t, "executortest.New")
	a := &Agent{t: t, x: x, world: stage.NewWorld(), info: new(mesos.ExecutorInfo)}
	for _, option := range options {
		option(a)
	}
	if a.info.ExecutorId == nil {
		a.info.ExecutorId = &mesos.ExecutorID{Value: new("executor")}
	}
	if a.info.Command == nil {
		a.info.Command = &mesos.CommandInfo{Value: new("./executor")}
	}
	a.lord = lord{a: a}
	a.taps = a.listen()
	a.agent = stage.NewAgent(a.world, stage.AgentConfig{
		Name:            "agent",
		Resources:       resources.MustParse("cpus:64;mem:65536"),
		Play:            a.play,
		Lord:            func() stage.Lord { return &a.lord },
		Taps:            &a.taps,
		RecoveryTimeout: a.recovery,
	})
	t.Cleanup(a.close)
	if !a.world.Await(t.Context(), patience, a.agent.Accepted) {
		t.Fatal("executortest: the agent has not registered")
	}
	return a
}

// play is the executor's process.
func (a *Agent) play(p *stage.Process) stage.Exit {
	a.world.Do(func() { a.begun = true })
	exit := p.RunExecutor(a.x)
	a.world.Do(func() { a.exit = &exit })
	return exit
}

// close shuts the executor down, and says what happened if the test has failed.
func (a *Agent) close() {
	history := a.world.History()
	if a.runs() {
		a.Shutdown()
		a.world.Await(context.Background(), patience, func() bool { return a.exit != nil })
	}
	a.agent.Lose()
	a.world.Close()
	if a.t.Failed() {
		a.t.Log(stage.Tell(history))
	}
}

// runs says whether the executor's process is there.
func (a *Agent) runs() (runs bool) {
	a.world.Do(func() { runs = a.begun && a.exit == nil })
	return runs
}

// ---- what the scheduler asks for

// Launch launches tasks. What they need and do not have is filled in: a name, the agent, the executor, and an id,
// "task-0" and so on.
func (a *Agent) Launch(tasks ...*mesos.TaskInfo) {
	a.world.Do(func() {
		for _, task := range tasks {
			a.lord.launch(proto.CloneOf(task))
		}
	})
}

// Kill asks the executor to kill a task.
func (a *Agent) Kill(task string) {
	a.world.Do(func() { a.lord.kill(task) })
}

// Send sends the executor a message of its scheduler.
func (a *Agent) Send(data []byte) {
	a.world.Do(func() { a.lord.send(data) })
}

// Shutdown asks the executor to shut down. After its grace period, of 5 s unless its ExecutorInfo says otherwise, it is
// killed.
func (a *Agent) Shutdown() {
	a.world.Do(func() { a.lord.shutdown() })
}

// ---- what goes wrong

// Restart ends the agent's process, which comes back after a while. The executor hears Disconnected, and Reregistered
// or, if the while is longer than the recovery timeout, Shutdown.
func (a *Agent) Restart(after time.Duration) { a.agent.Restart(after) }

// Disconnect breaks the executor's connections to its agent. It may connect again at once.
func (a *Agent) Disconnect() { a.agent.BreakExecutors() }

// KillProcess kills the executor's process. Its driver does nothing more and makes no callback, but goroutines of the
// executor go on, since nobody can end them from outside.
func (a *Agent) KillProcess() {
	a.t.Helper()
	if !a.agent.KillExecutor(ids.ExecutorID(a.info.GetExecutorId().GetValue())) {
		a.t.Errorf("executortest: the executor does not run: it begins with the first launch")
	}
}

// order is a fault that waits for acknowledgements to happen to.
type order struct {
	n     int
	tasks []string
	fate  stage.Fate
}

// LoseAcknowledgements loses the next n acknowledgements of the agent, for updates of the given tasks or of all. The
// executor repeats such an update when it subscribes again.
func (a *Agent) LoseAcknowledgements(n int, tasks ...string) {
	a.order(order{n, tasks, stage.Fate{Lost: true}})
}

// DelayAcknowledgements lets the next n acknowledgements of the agent, for updates of the given tasks or of all, take
// so much longer.
func (a *Agent) DelayAcknowledgements(n int, d time.Duration, tasks ...string) {
	a.order(order{n, tasks, stage.Fate{Late: d}})
}

func (a *Agent) order(o order) { a.world.Do(func() { a.orders = append(a.orders, &o) }) }

// listen are the taps that note what is said.
func (a *Agent) listen() stage.Taps {
	return stage.Taps{
		ExecutorCalls: func(call *executorpb.Call) {
			switch call.GetType() {
			case executorpb.Call_UPDATE:
				a.sent.Add(call.Update.Status)
			case executorpb.Call_SUBSCRIBE:
				for _, u := range call.Subscribe.UnacknowledgedUpdates {
					a.sent.Add(u.Status)
				}
			}
		},
		ExecutorHears: func(_ ids.ExecutorID, event *executorpb.Event) {
			if ack := event.GetAcknowledged(); ack != nil {
				a.sent.Acknowledge(ack.Uuid)
			}
		},
		Receipt: func(task ids.TaskID) stage.Fate {
			for _, o := range a.orders {
				if o.n > 0 && (len(o.tasks) == 0 || slices.Contains(o.tasks, string(task))) {
					o.n--
					return o.fate
				}
			}
			return stage.Fate{}
		},
	}
}

// ---- what is seen

// WaitFor waits until the executor's scheduler has been told that a task is in a state. What WaitFor has once found for
// a task, it does not find again; but the state that the task is in is always found.
func (a *Agent) WaitFor(task string, state mesos.TaskState) *mesos.TaskStatus {
	a.t.Helper()
	var status *mesos.TaskStatus
	if !a.world.Await(a.t.Context(), patience, func() bool {
		status = a.lord.updates.Find(task, state)
		return status != nil
	}) {
		a.t.Fatalf("executortest: task %q is not %v after %v; %s", task, state, patience, a.whatOf(task))
	}
	synctest.Wait()
	return status
}

// Wait waits until something is the case: holds is asked again and again, whenever something has happened and every
// tenth of a second. What says what it is, for the failure.
func (a *Agent) Wait(what string, holds func() bool) {
	a.t.Helper()
	if !a.world.Poll(a.t.Context(), patience, holds) {
		a.t.Fatalf("executortest: after %v still not: %s", patience, what)
	}
}

// WaitForMessage waits for the next message of the executor to its scheduler.
func (a *Agent) WaitForMessage() []byte {
	a.t.Helper()
	var data []byte
	if !a.world.Await(a.t.Context(), patience, func() bool {
		if a.given == len(a.lord.messages) {
			return false
		}
		data = a.lord.messages[a.given]
		a.given++
		return true
	}) {
		a.t.Fatalf("executortest: no message %d after %v", a.given+1, patience)
	}
	synctest.Wait()
	return data
}

// WaitForEnd waits for the end of the executor's process, and reports whether it was a good one: the driver's Run
// returned executor.Stopped.
func (a *Agent) WaitForEnd() (stopped bool) {
	a.t.Helper()
	if !a.world.Await(a.t.Context(), patience, func() bool { return a.exit != nil }) {
		a.t.Fatalf("executortest: the executor still runs after %v, or was never started: it begins with the first launch", patience)
	}
	synctest.Wait()
	return a.exit.Status == 0
}

// Settle waits a moment, of 10 ms: what was said has then been heard and answered, and callbacks have returned, unless
// they wait for something.
func (a *Agent) Settle() {
	a.t.Helper()
	a.Sleep(10 * time.Millisecond)
}

// Sleep lets virtual time pass, and waits until everything that happens in it is over.
func (a *Agent) Sleep(d time.Duration) {
	a.t.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// Updates gives the statuses of a task as the executor has sent them, in order, repetitions included.
func (a *Agent) Updates(task string) (sent []*mesos.TaskStatus) {
	a.world.Do(func() { sent = a.sent.Of(task) })
	return sent
}

// Messages gives the messages of the executor to its scheduler, in order.
func (a *Agent) Messages() (messages [][]byte) {
	a.world.Do(func() { messages = slices.Clone(a.lord.messages) })
	return messages
}

// Unacknowledged waits a moment, as Settle does, and gives the updates of which the executor does not know that they
// have arrived, each once.
func (a *Agent) Unacknowledged() (owed []*mesos.TaskStatus) {
	a.t.Helper()
	a.Settle()
	a.world.Do(func() { owed = a.sent.Unacknowledged() })
	return owed
}

// History tells what has happened so far: who said and did what, and when. A test that fails logs it by itself.
func (a *Agent) History() string { return stage.Tell(a.world.History()) }

// whatOf says what the scheduler knows of a task.
func (a *Agent) whatOf(task string) string {
	var told, launched string
	var known bool
	a.world.Do(func() {
		told, launched = a.lord.updates.Words(task), strings.Join(a.lord.launched, ", ")
		known = slices.Contains(a.lord.launched, task)
	})
	switch {
	case told != "":
		return "its scheduler was told: " + told
	case known:
		return "it was launched, and its scheduler was told nothing"
	}
	return fmt.Sprintf("it was never launched (launched were: %s)", cmp.Or(launched, "none"))
}
