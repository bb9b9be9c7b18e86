package cluster

// What a stranger may ask for at once, or leave behind in the books, has a bound: each is far beyond what
// anybody was seen to need, and whoever meets it is answered with a sentence that names it. Without them
// one call could hold up everybody else's, or end the master, whose registry takes records of 1 MiB.
const (
	// maxID is the longest id: ids become names of directories.
	maxID = 255

	// maxName is the longest name of anything or anybody, in bytes: names are shown in lists. What comes with a
	// KILL, and is remembered until the task has ended, is no longer either.
	maxName = 1024

	// maxFrameworks are the frameworks that live or still run something. Each has a record in the registry
	// and a place in the allocator's lines, and they cost nothing to make.
	maxFrameworks = 10_000

	// maxAgents are the agents that are there or expected back.
	maxAgents = 100_000

	// maxRoles are the roles of one framework. Whenever an agent has something to give, each of them may be
	// asked whether it wants it: a framework in 1,000 roles that declines everything on 1,000 agents keeps
	// the allocator busy for half a minute, one in 100 for a second and a half.
	maxRoles = 256

	// maxFrameworkInfo and maxAgentInfo are the longest descriptions, in bytes: they stay in the registry,
	// which is held in memory and read as a whole by the next leader.
	maxFrameworkInfo = 64 << 10
	maxAgentInfo     = 256 << 10

	// maxTaskInfo is the longest description of a task with its executor, in bytes: agents take no longer
	// ones either.
	maxTaskInfo = 8 << 20

	// maxMessage is the longest message to an executor, in bytes: agents take no longer ones either.
	maxMessage = 8 << 20

	// maxTasks are the tasks of one ACCEPT, which are looked at in one go: some 10 µs each.
	maxTasks = 10_000

	// maxNamed are the offers or tasks that one call may name, a microsecond or two each.
	maxNamed = 100_000

	// maxEarlyKills are the kills that wait for agents on their way.
	maxEarlyKills = 100_000

	// maxUnreachable are the agents that were given up and are remembered.
	maxUnreachable = 10_000

	// maxTombstones are the ids of removed frameworks that are remembered.
	maxTombstones = 100_000
)
