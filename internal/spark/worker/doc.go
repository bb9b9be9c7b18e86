// Package worker is the core of a Worker of Spark's standalone cluster: the rules by which it follows a
// Master and keeps count of the executors and drivers that it runs.
//
// It is a pure state machine: [Worker.Step] takes an input and the time, and says what is to be done. It
// starts no process, sends no message and reads no clock; package workerd does that. Timers are
// deadlines: [Worker.Deadline] says when to come back with a [Tick].
//
// The invariants: cores and memory in use are those of the executors and drivers that live; each of
// them is counted once and let go once, when its one end is reported; only the active Master starts and
// kills executors; what the Master has to know (an end, a state) is kept while no Master is there, and
// told to the next.
//
// Where Spark's versions differ, 4.0 wins. Two knowing differences from Spark's own Worker: however
// often it registers, it keeps one pair of timers; and a report that finds no connection waits for one,
// where Spark's Worker sleeps for two minutes or loses it.
//
// Start with [Worker.Step]: a line for each input, and master.go for a line for each message.
package worker
