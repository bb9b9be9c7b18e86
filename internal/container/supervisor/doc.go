// Package supervisor is the process that is parent of all containers of an agent,
// and the agent's way to it. An agent can be killed, upgraded and come back; what
// it started goes on under the supervisor, which keeps every exit status until the
// agent, whichever it is by then, has collected it.
//
// On the agent's side there are four doors: [Start] begins a new supervisor in a
// directory, [Connect] finds a running one, both give a [Client], which is a
// container.Supervisor; [EndAll] ends everything that a dead one left behind; and
// [Remove] forgets the directory. On the other side there is [Main], which the
// binary calls first thing when it was started as a supervisor, and [Run], which
// is the supervisor.
//
// # The directory
//
//	lock         held by the supervisor as long as it lives
//	socket       where it listens (mode 0600; peers of other users are turned away)
//	containers   its log: what it started, what ended, what was collected
//	log          its own complaints, for people
//
// The log is appended to without fsync: it has to survive the death of processes,
// not of the machine, after which nothing runs anyway. It is what EndAll works
// from. It is rewritten when most of it is history.
//
// # Inside
//
//	connections ─requests─▶ ┌──────┐ ──forks──▶ hands ──Forked───┐
//	reaper ─────MainEnded─▶ │ loop │ ──ends───▶ ender ──Vacant───┤
//	        ┌─────────────▶ │      │ ──chores──▶ warden ─Served──┤
//	        │               └──────┘ ──answers─▶ connections      │
//	        └─────────────────────────────────────────────────────┘
//
// One goroutine, the loop, owns the ledger (package ledger), which makes all
// decisions; the others carry them out and report. hands fork (package spawn), the
// reaper owns every wait, the ender kills sets until they are empty (package
// track), the warden changes limits and measures (package cgroup), the trimmer
// bounds output files. There is no os/exec here: it would lose its results to the
// reaper.
//
// A supervisor is small (package memory.go) and starts before the rest of the
// binary is set up. What it may import is held by a test.
//
// Start reading at run.go, then loop.go.
package supervisor
