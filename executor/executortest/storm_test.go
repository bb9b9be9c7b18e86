package executortest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meseta/meseta/executor/executortest"
)

// TestEveryTaskEndsOnce has an agent that is never there for long. When that is over, every task has ended, exactly
// once, and the executor knows that all of its updates have arrived.
func TestEveryTaskEndsOnce(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { endure(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func endure(t *testing.T, rng *rand.Rand) {
	x := newSleeper()
	a := executortest.New(t, x)
	upTo := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
	var tasks []string
	for range 60 {
		a.Sleep(upTo(20 * time.Second))
		switch rng.IntN(6) {
		case 0:
			a.Restart(upTo(time.Minute))
		case 1:
			a.Disconnect()
		case 2:
			a.LoseAcknowledgements(rng.IntN(3))
		case 3:
			a.DelayAcknowledgements(rng.IntN(3), upTo(30*time.Second))
		default:
			id := fmt.Sprintf("t%d", len(tasks))
			tasks = append(tasks, id)
			a.Launch(nap(id, upTo(time.Minute)))
		}
		if rng.IntN(10) == 0 && len(tasks) > 0 {
			a.Kill(tasks[rng.IntN(len(tasks))])
		}
	}
	a.Sleep(5 * time.Minute)
	for range 100 { // whatever acknowledgement was lost is asked for again, and may be lost again
		if a.Unacknowledged() == nil {
			break
		}
		a.Disconnect()
	}
	if owed := a.Unacknowledged(); owed != nil {
		t.Errorf("not acknowledged: %v", owed)
	}
	for _, id := range tasks {
		if a.Updates(id) == nil {
			continue // killed before it got to the executor, or with what was killed then
		}
		ends := map[string]bool{} // by uuid
		for _, s := range a.Updates(id) {
			if s.GetState() != running {
				ends[string(s.GetUuid())] = true
			}
		}
		if len(ends) != 1 {
			t.Errorf("task %s has %d ends, want 1: %v", id, len(ends), a.Updates(id))
		}
	}
}
