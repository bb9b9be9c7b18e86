package sim

import "time"

// climate is what a seed makes likely. Worlds differ much, so that each looks into a corner of its own.
type climate struct {
	hosts, tenants      int
	tasksPerTenant      int
	tasksPerExecutor    int
	noise               time.Duration // how long the first phase lasts at least
	calm                time.Duration // between two faults, on average
	weights             []int         // of what faults.strike chooses from
	agentTimeout        time.Duration // of the master
	agentReturn         time.Duration // of the master
	historyLimit        int           // of agents
	maxUnacknowledged   int           // of agents
	completedTasks      int           // of the master
	completedFrameworks int
	snapshotAfter       int // records
	mailbox             int // callbacks that may wait
	silentExecutors     bool
}

// newClimate draws a climate.
func (w *World) newClimate() climate {
	c := climate{
		hosts:               2 + w.rng.IntN(4),
		tenants:             1 + w.rng.IntN(3),
		tasksPerExecutor:    pick(w, 3, 10, 1000),
		noise:               10 * time.Minute,
		calm:                w.between(1500*time.Millisecond, 20*time.Second),
		agentTimeout:        time.Duration(pick(w, 5, 30, 75)) * time.Second,
		agentReturn:         time.Duration(pick(w, 10, 60, 600)) * time.Second,
		historyLimit:        pick(w, 5, 50, 1000),
		maxUnacknowledged:   pick(w, 10, 1000, 1000),
		completedTasks:      pick(w, 5, 1000),
		completedFrameworks: pick(w, 1, 50),
		snapshotAfter:       pick(w, 50, 300, 10_000),
		mailbox:             pick(w, 100, 1000, 1000),
		silentExecutors:     w.chance(30),
	}
	c.tasksPerTenant = (120 + w.rng.IntN(80)) / c.tenants
	for _, s := range w.faults.strikes {
		c.weights = append(c.weights, s.weight*pick(w, 0, 1, 1, 1, 4))
	}
	return c
}

// pick is one of the choices.
func pick(w *World, choices ...int) int { return choices[w.rng.IntN(len(choices))] }
