package schedulertest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/scheduler/schedulertest"
)

// TestEverythingIsDoneInTheEnd has a framework that does not give up, and ten minutes in which everything goes wrong.
// When that is over, every task has finished, under one name or another, and every update is acknowledged.
func TestEverythingIsDoneInTheEnd(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { endure(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func endure(t *testing.T, rng *rand.Rand) {
	c := schedulertest.New(t, schedulertest.Agents(4, "cpus:3;mem:4096"))
	naps := rand.New(rand.NewPCG(rng.Uint64(), 2)).Perm(120) // by the number of the task
	c.OnTask(func(task *schedulertest.Task) error {
		number := 0
		fmt.Sscanf(task.ID(), "t%d", &number)
		return task.Sleep(time.Duration(naps[number]) * time.Second)
	})
	var names []string
	for n := range 30 {
		names = append(names, fmt.Sprintf("t%d", n))
	}
	q := newQueue(names...)
	if rng.IntN(2) == 0 {
		q.executor = "x"
	}
	c.Start(q, durable())

	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		c.Sleep(time.Duration(rng.IntN(60_000)) * time.Millisecond)
		d := time.Duration(rng.IntN(120_000)) * time.Millisecond
		agent := c.Agent(rng.IntN(3)) // the fourth one stays
		switch rng.IntN(9) {
		case 0:
			c.FailOver(d / 10)
		case 1:
			c.Disconnect(d)
		case 2:
			agent.Restart(d)
		case 3:
			agent.Partition(d)
		case 4:
			c.RescindOffers()
		case 5:
			c.LoseLaunches(rng.IntN(3))
		case 6:
			c.LoseUpdates(rng.IntN(3))
			c.DelayUpdates(rng.IntN(3), d)
		case 7:
			c.LoseAcknowledgements(rng.IntN(3))
			c.DelayAcknowledgements(rng.IntN(3), d)
		case 8:
			if rng.IntN(3) == 0 {
				agent.Lose()
			}
		}
	}
	for _, name := range names {
		c.Wait("the end of "+name, func() bool {
			return slices.ContainsFunc(q.finished, func(id string) bool {
				base, _, _ := strings.Cut(id, "-")
				return base == name
			})
		})
	}
	c.Sleep(30 * time.Minute) // for what is owed to come again
	if owed := c.Unacknowledged(); owed != nil {
		t.Errorf("not acknowledged: %v", owed)
	}
}
