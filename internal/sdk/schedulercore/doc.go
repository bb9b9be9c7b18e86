// Package schedulercore is the rules of a scheduler's driver: the contract that frameworks are written to,
// as a state machine without goroutine, clock, socket or chance of its own. Package scheduler is the shell
// around it that people use; the simulator is another.
//
// It owns the driver's status, the subscription with the master, the order of callbacks, and the few
// things that a driver remembers on a framework's behalf: which offers are out, which tasks are alive,
// which of them shall be killed, which roles are suppressed. It does not own the framework's decisions,
// encodings, connections or the search for the leading master.
//
// # Invariants
//
//   - At most one callback is out. The next one is given when Returned says so.
//   - After Abort or Stop no callback is given, but Error once when the driver aborted itself.
//   - An implicit acknowledgement is sent after its callback has returned, if the driver still runs.
//   - An ACCEPT is sent at most once. A task of it that certainly did not reach the master is reported lost
//     by the driver; one that may have is asked for by RECONCILE.
//   - A Send carries the number of the subscription that it belongs to, and the shell sends it on that one
//     or not at all. So nothing that was meant for one subscription follows into the next.
//   - What a lost connection may have swallowed, the next subscription makes good: it reconciles, repeats
//     kills, and carries the suppressed roles. When an agent is lost, tasks of it about which the master
//     says nothing are asked for.
//
// Start reading at Step; input.go and output.go are the vocabulary, link.go the subscription, calls.go what
// the framework asks for, events.go what the master says, stop.go the ways to end.
package schedulercore
