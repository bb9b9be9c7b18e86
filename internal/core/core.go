// Package core holds what every pure core of the house has in common: the shape of its one door, and
// the moment at which an input happens.
//
// A core is a state machine,
//
//	Step(now core.Time, in Input) []Output
//
// that knows the rules of its trade and nothing else: no goroutine, lock, clock, random source, file,
// socket or log line. What it needs to know comes in as an input; what it wants done goes out as an
// output; the same inputs give the same outputs, always. The shell around it owns one goroutine that
// takes inputs from a queue, calls Step and carries the outputs out.
package core

import "time"

// Time is a moment as a core sees it. Deadlines are computed from Mono, which never jumps; stamps that
// people and protocols see are made from Wall.
type Time struct {
	Mono time.Duration // since some fixed moment of the process, never decreasing
	Wall time.Time
}

// Seconds gives the wall time in seconds since 1970, the unit of Mesos' timestamps.
func (t Time) Seconds() float64 {
	return float64(t.Wall.UnixMicro()) / 1e6
}

// Add is the moment d later, on both clocks.
func (t Time) Add(d time.Duration) Time {
	return Time{Mono: t.Mono + d, Wall: t.Wall.Add(d)}
}

// Never is a deadline that does not come.
const Never = time.Duration(1<<63 - 1)
