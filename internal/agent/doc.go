// Package agent is the shell around the agent's core: it makes an agent of a process.
//
// One goroutine, the loop, owns the core (package node). What happens comes to it as inputs through one of
// two doors: the front door takes what strangers send, masters and executors, and is bounded (when it is
// full the link is not read and calls are answered 503); the back door takes the completions of what the
// core itself asked for, and never refuses. The loop takes inputs in batches, calls Step, carries the
// outputs out, none of which may block it, and appends the records of a whole batch to the journal at once.
//
//	masters ──link.go──▶ front ┐              ┌─▶ link ─▶ master
//	executors ─executorapi.go─▶┤  ┌────────┐  ├─▶ streams ─▶ executors
//	                           ├─▶│  loop  │──┼─▶ launcher ─▶ supervisor
//	launcher, journal ─▶ back ─┘  └────────┘  └─▶ journal
//
// It decides nothing: rules are in package node. What is here is translation (records.go, status.go,
// linkcodec.go, events.go), the sandbox and environment of what runs (sandbox.go, environment.go), the ways
// of starting and ending it (launcher.go, supervised.go, survivors.go), and reading files (files.go).
//
// An agent that stops leaves its tasks running under the supervisor and finds them when it comes back, by
// its journal; see Config.KillTasksOnStop for the exception.
//
// Start reading at Run in agent.go, then life.go for what runs beside what, then loop.go.
package agent
