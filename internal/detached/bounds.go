package detached

// What may be asked for has bounds: all of it is in the registry, which is held in memory.
const (
	// MaxTasks is how many tasks may wait to be launched.
	MaxTasks = 1000

	// MaxSpec is the longest description of a task, in bytes.
	MaxSpec = 64 << 10

	// maxBytes is the sum of all descriptions, each instance counted.
	maxBytes = 16 << 20

	// maxRoles are the roles that tasks may wait in: a framework can have no more.
	maxRoles = 256

	// maxEnded are the tasks that are remembered of those that ended before an agent had them.
	maxEnded = 100
)
