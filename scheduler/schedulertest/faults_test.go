package schedulertest_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

const (
	running     = mesos.TaskState_TASK_RUNNING
	finished    = mesos.TaskState_TASK_FINISHED
	failed      = mesos.TaskState_TASK_FAILED
	lost        = mesos.TaskState_TASK_LOST
	unreachable = mesos.TaskState_TASK_UNREACHABLE
)

// durable is a framework that survives an hour without a master.
func durable(capabilities ...mesos.FrameworkInfo_Capability_Type) scheduler.Config {
	info := &mesos.FrameworkInfo{FailoverTimeout: new(3600.0)}
	for _, c := range capabilities {
		info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
	}
	return scheduler.Config{Framework: info}
}

// elapsed is how long something takes, in virtual time.
func elapsed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

func (q *queue) wants(t *testing.T, heard ...string) {
	t.Helper()
	if !slices.Equal(q.heard, heard) {
		t.Errorf("the scheduler heard %q, want %q", q.heard, heard)
	}
}

func TestTasksOutliveTheMaster(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(2, "cpus:1;mem:1000"))
		c.OnTask(func(task *schedulertest.Task) error { return task.Sleep(time.Minute) })
		q := newQueue("a", "b")
		c.Start(q, durable())
		c.WaitFor("b", running)
		c.FailOver(10 * time.Second)
		c.WaitFor("a", finished)
		c.WaitFor("b", finished)
		q.wants(t, "disconnected", "reregistered")
	})
}

func TestFrameworkThatStaysAwayForTooLongIsRemoved(t *testing.T) {
	for _, test := range []struct {
		timeout time.Duration
		heard   []string
	}{
		{time.Hour, []string{"disconnected", "reregistered"}},
		{time.Second, []string{"disconnected", "the master ends the subscription: Framework has been removed"}},
	} {
		bubble(t, func(t *testing.T) {
			c := schedulertest.New(t)
			q := newQueue("a")
			c.Start(q, scheduler.Config{Framework: &mesos.FrameworkInfo{FailoverTimeout: new(test.timeout.Seconds())}})
			c.WaitFor("a", running)
			c.Disconnect(time.Minute)
			c.Sleep(2 * time.Minute)
			q.wants(t, test.heard...)
		})
	}
}

func TestMachineThatDiesIsNoticedAfterAWhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(2, "cpus:1;mem:1000"))
		q := newQueue("a")
		c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		first := c.AgentOf("a")
		first.Lose()
		if took := elapsed(func() { c.WaitFor("a", lost) }); took < 75*time.Second || took > 76*time.Second {
			t.Errorf("noticed after %v, want 75 s", took)
		}
		c.WaitFor("a-2", running)
		if second := c.AgentOf("a-2"); second.Name() == first.Name() {
			t.Errorf("a-2 runs on %s, which is dead", second.Name())
		}
		q.wants(t, "agent lost")
	})
}

func TestAgentThatIsRestartedFindsItsTasks(t *testing.T) {
	for _, x := range []string{"", "x"} { // a command, and a task of an executor
		bubble(t, func(t *testing.T) {
			c := schedulertest.New(t)
			c.OnTask(func(task *schedulertest.Task) error {
				if task.ID() == "short" {
					return task.Sleep(time.Minute)
				}
				return task.Hang()
			})
			q := newQueue("short", "long")
			q.executor = x
			c.Start(q, scheduler.Config{})
			c.WaitFor("short", running)
			c.WaitFor("long", running)
			c.Agent(0).Restart(65 * time.Second)
			if took := elapsed(func() { c.WaitFor("short", finished) }); took < 65*time.Second || took > 70*time.Second {
				t.Errorf("short ended after %v, want as soon as the agent is back", took)
			}
			c.Agent(0) // still there
			if got := c.AgentOf("long").Name(); got != "agent-0" {
				t.Errorf("long runs on %s", got)
			}
		})
	}
}

func TestAgentThatWasCutOffBringsItsTasksBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		c.Start(q, durable(mesos.FrameworkInfo_Capability_PARTITION_AWARE))
		c.WaitFor("a", running)
		c.Agent(0).Partition(30 * time.Second)
		c.Sleep(time.Minute)
		q.wants(t) // nothing: that was short
		c.Agent(0).Partition(5 * time.Minute)
		c.WaitFor("a", unreachable)
		c.WaitFor("a", running)
		q.wants(t, "agent lost")
	})
}

func TestExecutorThatIsKilledCostsItsTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		q.executor = "x"
		c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		c.Agent(0).KillExecutor("x")
		s := c.WaitFor("a", failed)
		if s.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED {
			t.Errorf("reason %v", s.GetReason())
		}
		c.WaitFor("a-2", running)
		q.wants(t, "executor x lost, status 9")
	})
}

func TestLaunchThatIsLostIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.LoseLaunches(1, "b")
		q := newQueue("a", "b")
		c.Start(q, scheduler.Config{})
		c.WaitFor("b", lost)
		c.WaitFor("b-2", running)
		c.WaitFor("a", running)
	})
}

func TestUpdateThatIsLostComesAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		q.executor = "x"
		c.LoseUpdates(1, "a")
		c.Start(q, scheduler.Config{})
		if took := elapsed(func() { c.WaitFor("a", running) }); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("told after %v, want 10 s", took)
		}
	})
}

func TestUpdateCanBeSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		q.executor = "x"
		c.DelayUpdates(1, 7*time.Second)
		c.Start(q, scheduler.Config{})
		if took := elapsed(func() { c.WaitFor("a", running) }); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("told after %v, want 7 s", took)
		}
	})
}

func TestUpdateWhoseAcknowledgementIsLostComesTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		q.executor = "x"
		c.LoseAcknowledgements(1)
		c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		if owed := c.Unacknowledged(); len(owed) != 1 {
			t.Errorf("%d updates are not acknowledged, want 1", len(owed))
		}
		c.Sleep(15 * time.Second)
		told := c.Updates("a")
		if len(told) != 2 || !bytes.Equal(told[0].GetUuid(), told[1].GetUuid()) {
			t.Errorf("told %v, want one update twice", told)
		}
		if owed := c.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
	})
}

func TestAcknowledgementCanBeSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.OnTask(func(task *schedulertest.Task) error { return task.Sleep(time.Second) })
		q := newQueue("a")
		q.executor = "x"
		c.DelayAcknowledgements(1, 5*time.Second)
		c.Start(q, scheduler.Config{})
		c.WaitFor("a", running)
		if took := elapsed(func() { c.WaitFor("a", finished) }); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("TASK_FINISHED came after %v, want behind the acknowledgement of TASK_RUNNING, after 5 s", took)
		}
	})
}

// keeper keeps all offers.
type keeper struct {
	*queue
	offers []*mesos.Offer
}

func (k *keeper) ResourceOffers(_ scheduler.Driver, offers []*mesos.Offer) {
	k.offers = append(k.offers, offers...)
}

func TestOffersAreRescinded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(2, "cpus:4;mem:1000", "rack:a;level:3"))
		k := &keeper{queue: newQueue()}
		c.Start(k, scheduler.Config{})
		c.Wait("offers of both agents", func() bool { return len(k.offers) == 2 })
		if got := len(k.offers[0].GetAttributes()); got != 2 {
			t.Errorf("%d attributes, want 2", got)
		}
		c.RescindOffers()
		c.Wait("new offers", func() bool { return len(k.offers) == 4 })
		k.wants(t, "rescinded", "rescinded")
	})
}

// A master that leads anew gives the agents it knew ten minutes to come back.
func TestMachineThatDiesWithTheMasterIsMissedLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(2, "cpus:1;mem:1000"))
		q := newQueue("a")
		c.Start(q, durable())
		c.WaitFor("a", running)
		c.AgentOf("a").Lose()
		c.FailOver(time.Second)
		if took := elapsed(func() { c.WaitFor("a", lost) }); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("missed after %v, want 10 min", took)
		}
		c.WaitFor("a-2", running)
	})
}

func TestAcknowledgementsCanBeTheSchedulersOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		config := durable()
		config.ExplicitAcknowledgements = true
		d := c.Start(newQueue("a"), config)
		c.WaitFor("a", mesos.TaskState_TASK_STARTING)
		owed := c.Unacknowledged()
		if len(owed) != 1 {
			t.Fatalf("not acknowledged: %v, want TASK_STARTING", owed)
		}
		d.AcknowledgeStatusUpdate(owed[0])
		c.WaitFor("a", running)
	})
}

func TestFrameworkIsTornDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		d := c.Start(q, durable())
		c.WaitFor("a", running)
		c.Teardown()
		if status := d.Join(); status != scheduler.Aborted {
			t.Errorf("the driver is %v, want aborted", status)
		}
		c.Settle()
		if !strings.Contains(strings.Join(q.heard, "; "), "removed") {
			t.Errorf("heard %q, want that the framework was removed", q.heard)
		}
	})
}

func TestFrameworkThatIsAwayIsTornDownToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue("a")
		d := c.Start(q, durable())
		c.WaitFor("a", running)
		c.Disconnect(time.Minute)
		c.Sleep(time.Second)
		c.Teardown()
		if status := d.Join(); status != scheduler.Aborted {
			t.Errorf("the driver is %v, want aborted", status)
		}
	})
}

func TestOperatorKillsATask(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		c.Start(newQueue("a"), scheduler.Config{Codec: scheduler.JSON})
		c.WaitFor("a", running)
		c.Kill("a")
		c.WaitFor("a", killed)
		if calls := c.Calls(schedulerpb.Call_KILL); calls != nil {
			t.Errorf("the scheduler has called %v", calls)
		}
		c.WaitFor("a-2", running)
	})
}

func TestWhatIsDeclined(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t, schedulertest.Agents(2, "cpus:1;mem:1000"))
		c.Start(newQueue("a"), scheduler.Config{})
		c.WaitFor("a", running)
		if declined := c.Declined(); len(declined) != 1 || declined[0].GetValue() != "M1-O1" {
			t.Errorf("declined %v, want the offer of the second agent", declined)
		}
	})
}

func TestErrorAbortsTheDriver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		q := newQueue()
		d := c.Start(q, scheduler.Config{})
		c.Settle()
		c.SendError("no such role")
		if status := d.Join(); status != scheduler.Aborted {
			t.Errorf("the driver is %v, want aborted", status)
		}
		c.Settle()
		q.wants(t, "the master ends the subscription: no such role")
	})
}

func TestSecondSchedulerTakesOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := schedulertest.New(t)
		first := newQueue("a")
		config := durable()
		c.Start(first, config)
		c.WaitFor("a", running)

		second := newQueue()
		config.Framework = proto.CloneOf(config.Framework)
		config.Framework.Id = &mesos.FrameworkID{Value: new("M1-0000")}
		c.Start(second, config)
		c.Settle()
		if len(first.heard) != 1 || !strings.Contains(first.heard[0], "failed over") {
			t.Errorf("the first scheduler heard %q", first.heard)
		}
		if got := len(c.Updates("a")); got < 3 {
			t.Errorf("%d updates, want one for the second scheduler, which reconciles", got)
		}
	})
}
