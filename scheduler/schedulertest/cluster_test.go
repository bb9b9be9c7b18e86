package schedulertest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bubble runs a test on virtual time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func TestTaskThatFailsIsRunAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(3, "cpus:4;mem:4096"))
		c.OnTask(func(task *schedulertest.Task) error {
			task.Sleep(3 * time.Second)
			if task.ID() == "a" {
				return errors.New("out of luck")
			}
			return nil
		})
		q := newQueue("a", "b")
		c.Start(q, scheduler.Config{})
		s := c.WaitFor("a", mesos.TaskState_TASK_FAILED)
		if got := s.GetMessage(); got != "Command exited with status 1: out of luck" {
			t.Errorf("message %q", got)
		}
		c.WaitFor("a-2", mesos.TaskState_TASK_FINISHED)
		if len(q.finished) != 2 {
			t.Errorf("finished: %q", q.finished)
		}
		if owed := c.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
	})
}
