package machine_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/sdk/machine"
)

// alarm is a core that wants to be told when a moment has come.
type alarm struct {
	at     time.Duration
	status mesos.Status
	busy   bool
}

type (
	tick   struct{}
	set    time.Duration // from now on
	finish struct{}
	rest   struct{}
)

func (a *alarm) Step(now core.Time, in any) []any {
	switch in := in.(type) {
	case set:
		a.at = now.Mono + time.Duration(in)
		a.status = mesos.Status_DRIVER_RUNNING
	case finish:
		a.status, a.busy = mesos.Status_DRIVER_STOPPED, true
	case rest:
		a.busy = false
	}
	if a.at != 0 && now.Mono >= a.at {
		a.at = 0
		return []any{"rings"}
	}
	return nil
}

func (a *alarm) NextDeadline() time.Duration {
	if a.at == 0 {
		return core.Never
	}
	return a.at
}

func (a *alarm) Status() mesos.Status { return a.status }
func (a *alarm) Idle() bool           { return !a.busy }

// start makes a machine, and counts how often its alarm has rung.
func start() (m *machine.Machine[any, any], rang func() int) {
	var mu sync.Mutex
	n := 0
	m = machine.New(&alarm{status: mesos.Status_DRIVER_NOT_STARTED}, any(tick{}), func(any) {
		mu.Lock()
		defer mu.Unlock()
		n++
	})
	return m, func() int {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func TestTicksWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rang := start()
		for range 3 {
			before := rang()
			m.Do(set(time.Minute))
			time.Sleep(time.Minute - 1)
			if rang() != before {
				t.Fatal("rang too early")
			}
			time.Sleep(1)
			if rang() != before+1 {
				t.Fatal("did not ring when due")
			}
		}
	})
}

func TestDeadlineThatMovesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rang := start()
		m.Do(set(time.Minute))
		time.Sleep(30 * time.Second)
		m.Do(set(time.Minute)) // away
		time.Sleep(59 * time.Second)
		if rang() != 0 {
			t.Fatal("rang at the old moment")
		}
		time.Sleep(time.Second)
		if rang() != 1 {
			t.Fatal("did not ring at the new moment")
		}
		m.Do(set(time.Hour))
		m.Do(set(time.Second)) // nearer
		time.Sleep(time.Second)
		if rang() != 2 {
			t.Fatal("did not ring at the nearer moment")
		}
		time.Sleep(2 * time.Hour)
		if rang() != 2 {
			t.Fatal("rang without a deadline")
		}
	})
}

func TestEndedAndQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := start()
		is := func(ch <-chan struct{}) bool {
			select {
			case <-ch:
				return true
			default:
				return false
			}
		}
		if m.Do(set(time.Minute)); is(m.Ended()) || is(m.Quiet()) {
			t.Fatal("ended while running")
		}
		before, after := m.Do(finish{})
		if before != mesos.Status_DRIVER_RUNNING || after != mesos.Status_DRIVER_STOPPED || m.Status() != after {
			t.Fatalf("from %v to %v, now %v", before, after, m.Status())
		}
		if !is(m.Ended()) || is(m.Quiet()) {
			t.Fatal("stopped, and not ended; or quiet while busy")
		}
		if m.Do(rest{}); !is(m.Quiet()) {
			t.Fatal("not quiet")
		}
		m.Do(rest{}) // closes nothing twice
	})
}
