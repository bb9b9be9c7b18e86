package schedulertest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

const killed = mesos.TaskState_TASK_KILLED

func kill(d scheduler.Driver, task string) { d.KillTask(&mesos.TaskID{Value: &task}) }

func TestTaskIsKilledWhileItSleeps(t *testing.T) {
	for _, x := range []string{"", "x"} {
		bubble(t, func(t *testing.T) {
			c := schedulertest.New(t)
			c.OnTask(func(task *schedulertest.Task) error {
				if err := task.Sleep(time.Hour); err != schedulertest.ErrKilled {
					t.Errorf("Sleep() = %v", err)
				}
				return nil
			})
			q := newQueue("a")
			q.executor = x
			d := c.Start(q, scheduler.Config{})
			c.WaitFor("a", running)
			kill(d, "a")
			if took := elapsed(func() { c.WaitFor("a", killed) }); took > time.Second {
				t.Errorf("killed after %v", took)
			}
		})
	}
}

func TestContextOfATaskEndsWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error {
			<-task.Context().Done()
			return task.Context().Err()
		})
		d := c.Start(newQueue("a"), scheduler.Config{})
		c.WaitFor("a", running)
		kill(d, "a")
		c.WaitFor("a", killed)
	})
}

func TestTaskThatIsKilledBeforeItRuns(t *testing.T) {
	for _, x := range []string{"", "x"} {
		bubble(t, func(t *testing.T) {
			c := schedulertest.New(t)
			c.OnTask(func(task *schedulertest.Task) error {
				t.Error("it runs")
				return nil
			})
			q := newQueue("a")
			q.executor = x
			d := c.Start(q, scheduler.Config{})
			c.Wait("the launch", func() bool { return len(c.Launched()) == 1 })
			kill(d, "a")
			c.WaitFor("a", killed)
		})
	}
}

func TestCommandThatIgnoresAKillIsKilledAfterItsGracePeriod(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error {
			task.IgnoreKill()
			<-task.Killed()
			return task.Hang()
		})
		d := c.Start(newQueue("a"), scheduler.Config{})
		c.WaitFor("a", running)
		kill(d, "a")
		if took := elapsed(func() { c.WaitFor("a", killed) }); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("killed after %v, want 3 s", took)
		}
	})
}

func TestTaskOfAnExecutorCanIgnoreAKill(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error {
			task.IgnoreKill()
			return task.Sleep(time.Minute)
		})
		q := newQueue("a")
		q.executor = "x"
		d := c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		kill(d, "a")
		c.WaitFor("a", finished)
	})
}

func TestTaskTalksWithItsScheduler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error {
			task.Send([]byte("hello"))
			data, err := task.Receive()
			if err != nil {
				return err
			}
			task.Update(&mesos.TaskStatus{State: running.Enum(), Data: data})
			return schedulertest.EndAs(&mesos.TaskStatus{State: failed.Enum(), Message: new("as told"), Data: []byte("42")})
		})
		q := newQueue("a")
		q.executor = "x"
		d := c.Start(q, scheduler.Config{})
		c.Wait("a word of the task", func() bool { return len(q.heard) == 1 })
		q.wants(t, "x says hello")
		agent := c.WaitFor("a", running).GetAgentId()
		d.SendFrameworkMessage(&mesos.ExecutorID{Value: new("x")}, agent, []byte("fail"))
		s := c.WaitFor("a", failed)
		if s.GetMessage() != "as told" || string(s.GetData()) != "42" {
			t.Errorf("ended as %v", s)
		}
		if told := c.Updates("a"); len(told) != 3 || string(told[1].GetData()) != "fail" {
			t.Errorf("told %v", told)
		}
	})
}

func TestMessagesAreLostInEitherDirection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error {
			task.Send([]byte("one"))
			data, err := task.Receive()
			task.Send(data)
			return err
		})
		c.LoseMessages(1)
		q := newQueue("a")
		q.executor = "x"
		d := c.Start(q, scheduler.Config{})
		agent := c.WaitFor("a", running).GetAgentId()
		c.Settle()
		c.LoseMessages(1)
		for _, text := range []string{"two", "three"} {
			d.SendFrameworkMessage(&mesos.ExecutorID{Value: new("x")}, agent, []byte(text))
		}
		c.WaitFor("a", finished)
		q.wants(t, "x says three")
	})
}

// counter is an executor of somebody's own.
type counter struct {
	executor.Base
	ctx context.Context
	n   int
}

func (x *counter) LaunchTask(d executor.Driver, task *mesos.TaskInfo) {
	x.n++
	d.SendStatusUpdate(&mesos.TaskStatus{TaskId: task.TaskId, State: finished.Enum(), Data: fmt.Append(nil, x.n)})
}

func TestExecutorOfTheAuthorsRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		var x *counter
		c.OnExecutor(func(ctx context.Context, info *mesos.ExecutorInfo) executor.Executor {
			if info.GetExecutorId().GetValue() != "x" {
				return nil
			}
			x = &counter{ctx: ctx}
			return x
		})
		q := newQueue("a", "b")
		q.executor = "x"
		d := c.Start(q, scheduler.Config{})
		c.WaitFor("a", finished)
		if s := c.WaitFor("b", finished); string(s.GetData()) != "2" {
			t.Errorf("data %q, want that one executor ran both", s.GetData())
		}
		d.Stop(false)
		<-x.ctx.Done() // the executor is shut down with its framework
	})
}

func TestTasksThatRunAreEndedWithTheirFramework(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		ended := 0
		c.OnTask(func(task *schedulertest.Task) error {
			err := task.Hang()
			ended++
			return err
		})
		q := newQueue("a")
		q.executor = "x"
		d := c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		d.Stop(false)
		c.Wait("the end of the task", func() bool { return ended == 1 })
	})
}
