package stage

import (
	"slices"
	"time"
)

// What may happen to a machine and to the agent on it.

// Restart ends the agent's process. The next one comes after a while, and finds what still runs.
func (a *Agent) Restart(after time.Duration) {
	a.w.Do(func() {
		if !a.up {
			return
		}
		a.w.Logf(a.config.Name, "the agent's process ends, and comes back after %v", after)
		a.stop()
		a.w.after(after, func() {
			if !a.up && !a.lost {
				a.w.Logf(a.config.Name, "the agent's process is back")
				a.start()
			}
		})
	})
}

// Blink breaks the connection to the master; the agent comes back at once.
func (a *Agent) Blink() {
	a.w.Do(func() {
		if a.link != nil {
			a.w.Logf(a.config.Name, "the connection to the master breaks")
			a.link.Break()
		}
	})
}

// BreakExecutors breaks the connections of executors to the agent.
func (a *Agent) BreakExecutors() {
	a.w.Do(func() {
		a.w.Logf(a.config.Name, "the connections of executors break")
		a.w.Net.Break(a.address())
	})
}

// Partition cuts the way between the agent and the master for a while. Neither notices before too much time
// has passed without a sign of life.
func (a *Agent) Partition(d time.Duration) {
	a.w.Do(func() {
		if a.cut || a.lost {
			return
		}
		a.w.Logf(a.config.Name, "is cut off from the master for %v", d)
		a.cutOff()
		a.w.after(d, func() {
			if a.lost {
				return
			}
			a.w.Logf(a.config.Name, "can reach the master again")
			a.cut = false
			if a.link != nil {
				a.link.heal()
			}
		})
	})
}

func (a *Agent) cutOff() {
	a.cut = true
	a.cuts++
	this := a.cuts
	if l := a.link; l != nil {
		a.w.after(silentTime, func() {
			if a.cut && a.cuts == this {
				l.end(silentTime)
			}
		})
	}
}

// Lose is the end of the machine and of everything on it. The master notices when it has heard nothing for too
// long.
func (a *Agent) Lose() {
	a.w.Do(func() {
		if a.lost {
			return
		}
		a.w.Logf(a.config.Name, "the machine dies")
		a.lost = true
		if !a.cut {
			a.cutOff()
		}
		for _, c := range slices.Clone(a.launched) {
			c.die(Exit{Status: 9, Text: "terminated with signal Killed"})
		}
		if a.up {
			a.stop()
		}
	})
}
