// Package stage is a small cluster for the tests of people who write frameworks: the cores of master and
// agent on the clock of a synctest bubble, and tasks that are played.
//
// What is real: the cores (internal/cluster, internal/node), the HTTP of the scheduler and the executor API,
// on a network in memory, and whatever the author brings: a scheduler or an executor behind the real driver.
// What is played: the machine. A container is a goroutine that runs a function; disk and registry are slices;
// the agent link is a queue. No file is written, no port opened and no process started.
//
// # The order of things
//
// One goroutine, that of [World], makes everything happen that takes time: it sleeps until the next entry of
// its agenda. HTTP handlers and tests come in between by [World.Do]. All of them hold the world's lock, and
// none waits for anything while it does. A message of the agent link takes a millisecond, a call of a
// scheduler or executor a little less, so that of two things which have to do with each other one is first,
// in every run.
//
// # Faults
//
// They are methods: [Cluster.FailOver], [Agent.Restart], [Agent.Partition], [Agent.Lose], [Agent.KillExecutor].
// What is lost or late on its way is for [Taps] to say.
//
// Packages schedulertest and executortest are what authors see of it. Package sim, which shares its parts, is
// the opposite: a cluster without authors, in which everything happens by chance.
//
// Start reading at world.go, then master.go and agent.go.
package stage
