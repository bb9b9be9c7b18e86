// Package sim is the cluster in a bottle: a master, some agents, supervisors, executors and schedulers,
// their disks and the network between them, in one goroutine, on virtual time, out of one number.
//
// What is real are the pure cores: cluster, node, schedulercore and executorcore. The simulator is the
// shell of each of them. It carries their outputs out over simulated connections, containers and disks,
// and feeds back what comes of it. What is simulated behaves as the real thing may at worst: connections
// break and take with them what is on its way, ways are cut for a while in one direction or both,
// processes die between any two outputs, machines restart, disks are slow or full and lose what was not
// synced. A seed decides everything, so that a run which fails fails again.
//
// # What it refuses
//
// It has no rule of its own about clusters. It holds the cores to the promises that they make (design,
// "Promises"), as an outsider can see them:
//
//   - no piece of a resource is used twice: in the master's books after every step, and on the machines;
//   - the statuses of a task reach each scheduler in the order in which its agent recorded them; an end is
//     final; nothing is shown that could still be lost and missed;
//   - a status that an executor was given a receipt for is never forgotten;
//   - nothing is started twice, nothing starts that somebody was told would not;
//   - no message of a session that is over has an effect.
//
// # A run
//
// [Run] lives through three phases. In the first, ten virtual minutes or more, schedulers do what
// schedulers do and faults happen (faults.go). Then faults stop, and within a bounded time everything has
// to agree: what the schedulers believe, what the master says, what the agents know and what runs
// (settle.go). Last, every framework is torn down, and nothing may be left of any.
//
// A failing seed says how to see its whole history:
//
//	go test ./internal/sim -run TestSeeds -sim.seed 4711
//	go test ./internal/sim -run TestSeeds -sim.seeds 5000 -sim.first 1000   # more of them
//
// or by SIM_SEED, SIM_SEEDS and SIM_FIRST in the environment. A seed means the same world only as long as the
// code is the same: a failure that is understood becomes a transcript of the core that was at fault.
//
// # Where to start
//
// (Packages agenda, agentwire and keep below this one are parts that package stage has in common with it, the
// cluster of the test kits.)
//
// world.go is the run. master.go, agent.go, scheduler.go and executor.go are one process each; network.go
// is what lies between them, host.go and supervisor.go are the machine under an agent. truth.go is what an
// outsider has seen, check.go and settle.go are the promises. bugs.go plants bugs, to show that they would
// be noticed.
package sim
