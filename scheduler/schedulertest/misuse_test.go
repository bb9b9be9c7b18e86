package schedulertest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/stage/stagetest"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

func TestOutsideOfABubbleIsAnError(t *testing.T) {
	said := stagetest.Complaints(t, func(t testing.TB) { schedulertest.New(t) })
	if !strings.Contains(said, "outside of a bubble") || !strings.Contains(said, "synctest.Test") {
		t.Errorf("said %q", said)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for option, want := range map[*schedulertest.Option]string{
		new(schedulertest.Agents(-1, "cpus:1")):        "-1 agents",
		new(schedulertest.Agents(1, "cpus=1")):         "resources: ",
		new(schedulertest.Agents(1, "cpus:1", "fast")): "attributes: ",
	} {
		bubble(t, func(t *testing.T) {
			said := stagetest.Complaints(t, func(t testing.TB) { schedulertest.New(t, *option) })
			if !strings.Contains(said, want) {
				t.Errorf("said %q, want %q in it", said, want)
			}
		})
	}
}

// What a test that fails says has to be enough to see why.
func TestFailureTellsWhatHappened(t *testing.T) {
	for want, test := range map[string]func(c *schedulertest.Cluster){
		`task "a" is not TASK_FINISHED after 1h0m0s; its scheduler was told: TASK_STARTING, TASK_RUNNING`: func(c *schedulertest.Cluster) {
			c.WaitFor("a", finished)
		},
		`task "z" is not TASK_RUNNING after 1h0m0s; it was never launched (launched were: a)`: func(c *schedulertest.Cluster) {
			c.WaitFor("z", running)
		},
		"after 1h0m0s still not: the end": func(c *schedulertest.Cluster) { c.Wait("the end", func() bool { return false }) },
		`no agent runs task "z"`:          func(c *schedulertest.Cluster) { c.AgentOf("z") },
		"no agent 7":                      func(c *schedulertest.Cluster) { c.Agent(7) },
		`task "z" is not killed: `:        func(c *schedulertest.Cluster) { c.Kill("z") },
		`no executor "y" runs on agent-0`: func(c *schedulertest.Cluster) { c.Agent(0).KillExecutor("y") },
	} {
		bubble(t, func(t *testing.T) {
			said := stagetest.Complaints(t, func(t testing.TB) {
				c := schedulertest.New(t)
				c.Start(newQueue("a"), scheduler.Config{})
				c.Settle()
				test(c)
			})
			for _, want := range []string{want, "UPDATE a TASK_STARTING", "ACCEPT M1-O0 launch a"} {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, want %q in it", said, want)
				}
			}
		})
	}
}

func TestMessageOfACommandIsAMistake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		said := stagetest.Complaints(t, func(t testing.TB) {
			c := schedulertest.New(t)
			c.OnTask(func(task *schedulertest.Task) error {
				task.Send([]byte("hello"))
				return nil
			})
			c.Start(newQueue("a"), scheduler.Config{})
			c.WaitFor("a", finished)
		})
		if !strings.Contains(said, `task "a" sends a message, but is a command`) {
			t.Errorf("said %q", said)
		}
	})
}

// TestSameRunTwice runs a storm a few times, and wants the same history of each.
func TestSameRunTwice(t *testing.T) {
	var first string
	for range 5 {
		bubble(t, func(t *testing.T) {
			history := storm(t)
			if first == "" {
				first = history
			}
			if diff := cmp.Diff(strings.Split(first, "\n"), strings.Split(history, "\n")); diff != "" {
				t.Errorf("two runs differ (-first +this):\n%s", diff)
			}
		})
	}
}

func storm(t *testing.T) string {
	c := schedulertest.New(t, schedulertest.Agents(3, "cpus:4;mem:4096"))
	c.OnTask(func(task *schedulertest.Task) error {
		if err := task.Sleep(30 * time.Second); err != nil {
			return err
		}
		if len(task.ID()) == 1 {
			return fmt.Errorf("%s fails", task.ID())
		}
		return nil
	})
	commands, executors := newQueue("a", "b", "c", "d"), newQueue("k", "l", "m", "n", "o")
	executors.executor = "x"
	c.Start(commands, durable())
	c.Sleep(time.Second)
	c.Start(executors, durable())
	c.Sleep(10 * time.Second)
	c.FailOver(3 * time.Second)
	c.Sleep(10 * time.Second)
	c.Agent(0).Restart(2 * time.Second)
	c.Agent(1).Partition(3 * time.Minute)
	c.Sleep(10 * time.Second)
	c.LoseUpdates(2)
	c.DelayAcknowledgements(2, time.Second)
	c.Sleep(5 * time.Minute)
	return c.History()
}
