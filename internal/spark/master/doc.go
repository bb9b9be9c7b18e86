// Package master is the core of a Master of Spark's standalone cluster: which Workers there are, which
// applications and drivers, and what runs where.
//
// It is a pure state machine: [Master.Step] takes an input and the time, and says what is to be done. It
// sends no message, writes no file and reads no clock; package masterd does that. Timers are deadlines:
// [Master.Deadline] says when to come back with a [Tick].
//
// The invariants: cores, memory and addresses of custom resources in use on a Worker are those of the
// executors and drivers that it was given and that are not known to have ended, and never more than it
// has; an application has no more cores than it may have; executors and drivers are only put on Workers
// of their own build of Spark, because processes of different builds do not understand each other; what
// a Master after this one has to know is in a [Save] before anybody is told of it.
//
// The rules are those of Spark 4.0's Master. Where they differ knowingly, the comment at the place says
// so, and docs/spark.md lists it.
//
// Start with [Master.Step]; schedule.go has what a Master is for.
package master
