// Package master is the shell around the cluster's core: it makes a leading master of a process.
//
// One goroutine, the loop, owns the core. Everything that happens comes to it as an input through one
// of two doors: the front door takes what strangers send and is bounded (when it is full, links are
// not read and calls are answered 503); the back door takes the completions of what the core itself
// asked for, and never refuses. The loop calls Step and carries the outputs out, none of which may
// block it: events go into the queues of held streams and links, records go to the registrar.
//
// The rooms beside the loop: scheduler.go and agents.go are the two public doors; operator calls read a
// frozen View, or are orders to the core (orders.go), and those who watch (watch.go) hear of every change
// after it; clusterpb translates. detached.go is a framework that the master itself runs, for tasks that
// nobody waits for: its core is internal/detached, and to the cluster's it is a scheduler like any other.
// None of it decides anything: the rules are in
// internal/cluster and internal/detached.
//
// Start reading at Run in master.go, then loop.go.
package master
