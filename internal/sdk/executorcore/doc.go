// Package executorcore is the rules of an executor's driver: the contract that executors are written to,
// as a state machine without goroutine, clock, socket or chance of its own. Package executor is the shell
// around it that people use; the simulator is another.
//
// It owns the driver's status, the subscription with the agent, the order of callbacks, and what has to
// outlive a lost agent: the updates that it has not acknowledged and the tasks that it has not heard of.
// It does not own the executor's tasks, encodings or connections.
//
// # Invariants
//
//   - At most one callback is out. The next one is given when Returned says so.
//   - After Abort, Stop or Shutdown no callback is given, but Error once when the driver aborted itself.
//   - An update is kept from the Update that made it until its ACKNOWLEDGED, and every subscription carries
//     all that are kept. The agent meets the updates in the order in which they were made: what a lost
//     connection left unsent is never sent past what the next SUBSCRIBE carries.
//   - A Send carries the number of the subscription that it belongs to, and the shell sends it on that one
//     or not at all.
//
// Start reading at Step; input.go and output.go are the vocabulary, link.go the subscription, events.go
// what the agent says, updates.go the promise about updates, stop.go the ways to end.
package executorcore
