package master

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// verbosity is how much is logged. An operator may turn it up for a while.
type verbosity struct {
	level *slog.LevelVar
	usual slog.Level // as it was started

	mu     sync.Mutex
	steps  uint32      // above the usual, guarded by mu
	revert *time.Timer // guarded by mu; nil while it is as usual
}

func newVerbosity(level *slog.LevelVar) *verbosity {
	return &verbosity{level: level, usual: level.Level()}
}

// get is how many steps it is turned up.
func (v *verbosity) get() uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.steps
}

// set turns it up by some steps for a while.
func (v *verbosity) set(steps uint32, d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.revert != nil {
		v.revert.Stop()
		v.revert = nil
	}
	v.turn(steps)
	if steps == 0 {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(d, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.revert == mine { // else somebody has turned it meanwhile
			v.revert = nil
			v.turn(0)
		}
	})
	v.revert = mine
}

// turn is called with mu held.
func (v *verbosity) turn(steps uint32) {
	v.steps = steps
	const step = slog.LevelInfo - slog.LevelDebug
	v.level.Set(v.usual - step*slog.Level(min(steps, 3)))
}

// setLevel turns the log up for an operator, and leaves a line about it there.
func (m *Master) setLevel(r *http.Request, steps uint32, d time.Duration) {
	m.verbosity.set(steps, d)
	m.log.Info("operator call", "from", r.RemoteAddr, "user_agent", userAgent(r), "result", "accepted",
		"audit", "SET_LOGGING_LEVEL", "level", steps, "duration", d)
}
