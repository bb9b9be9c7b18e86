package node

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// framework is a framework that has, or had, something on this agent.
type framework struct {
	Framework
	created   uint64
	ending    bool                          // its shutdown was ordered: nothing of it is recorded or owed any more
	tasks     map[ids.TaskID]*task          // those that live or have unacknowledged statuses
	executors map[ids.ExecutorID]*executor  // custom ones that live
	builtins  map[ids.ContainerID]*executor // of command tasks that live
	past      map[ids.TaskID]*task          // those in the history, the latest of each id
	history   int                           // tasks in the history
	owed      int                           // unacknowledged statuses
	owedBytes int                           // that they carry
}

// task is a task from its RunTask until it falls out of the history.
//
//	queued ──▶ placed ──▶ terminal ──▶ history
//	   └───────────────────▲
//
// A command task is placed from the beginning, in the built-in executor that was made for it.
type task struct {
	framework *framework
	executor  *executor // nil once the task has ended
	id        ids.TaskID
	owner     ids.ExecutorID // of its custom executor; empty for a command task
	container ids.ContainerID
	created   uint64
	mark      mark // of its record
	info      []byte
	demand    Demand
	grace     time.Duration // of a command task: between SIGTERM and SIGKILL
	maxTime   time.Duration // of a command task

	queued bool            // waits to be handed to its custom executor
	kill   *killRequest    // somebody asked for its end
	state  mesos.TaskState // the latest
	told   mesos.TaskState // of the status on its way or last acknowledged

	statuses []*Status // the last one for each state, without data, oldest first
	seen     []UUID    // of the last updates of a custom executor and of all that are owed, to know them again

	owed     []owed // unacknowledged statuses, oldest first
	inFlight bool   // the oldest was sent on the present link
	delay    time.Duration
	retry    timer
}

// owed is a status that its framework has not acknowledged.
type owed struct {
	*Status
	mark  mark
	after mark // of the acknowledgement of the status before it
}

// sayable reports whether the status may be sent.
func (c *commits) sayable(o owed) bool { return c.has(o.mark) && c.has(o.after) }

// needs is how safe a status has to be before it is shown, and its acknowledgement before the next one is.
//
// That a command has begun, or is being ended, is found again after the end of this process, and void after
// that of the machine: what is said then is said anew (see [Node.dropVoid]). How it ended, and what an executor
// has handed over, nobody could find again.
func (t *task) needs(s *Status) safety {
	if t.owner == "" && s.Source == mesos.TaskStatus_SOURCE_EXECUTOR && !IsTerminal(s.State) {
		return written
	}
	return durable
}

// killRequest is the end of a task on its way.
type killRequest struct {
	policy []byte
}

// executor is one container and what speaks for it: a custom executor, or the built-in one of a command
// task, which is no process but this core.
type executor struct {
	framework *framework
	id        ids.ExecutorID // the task's for a built-in one
	container ids.ContainerID
	created   uint64
	builtin   bool
	info      []byte        // mesos.v1.ExecutorInfo of a custom one
	limits    Limits        // that it was last held to
	changed   bool          // its demand did, in the present Step
	own       Demand        // of a custom one, beside its tasks'
	grace     time.Duration // of a custom one: between SHUTDOWN and the kill

	state    executorState
	launch   *launch // until StartContainer left
	launched bool    // StartContainer left
	pid      int
	killed   bool // KillContainer left, or is to leave instead of StartContainer

	// of a custom one
	stream    StreamID            // 0 while it is not subscribed
	early     *ExecutorSubscribes // it asked for a stream before the news of its start came
	met       bool                // it was subscribed once, as far as is known
	delivered bool                // it was given a task once
	deadline  timer
	cause     *cause  // why it is being ended, for its tasks
	tasks     []*task // those that live, in order of arrival
}

// launch is what StartContainer needs.
type launch struct {
	command Command
	user    string
}

// cause is what the tasks of an executor that is ended by the agent are told.
type cause struct {
	reason  mesos.TaskStatus_Reason
	message string
	limited *Limited // what there was too much of, if that is why
}

// executorState is where an executor is in its life.
//
//	starting ──▶ running ──▶ terminating ──▶ gone
//
// A built-in one runs when its command does, a custom one when it is subscribed. Each state may be
// followed by any later one.
type executorState uint8

const (
	executorStarting executorState = iota
	executorRunning
	executorTerminating
	executorGone // its end is known, but perhaps not durable yet
)

// task returns the task of a built-in executor.
func (e *executor) task() *task { return e.tasks[0] }

// userOf is the account that a command of the framework runs as.
func (f *framework) userOf(c Command) string { return cmp.Or(c.User, f.User) }

// idle tells whether nothing of the framework is left on this agent.
func (f *framework) idle() bool {
	return len(f.tasks) == 0 && len(f.executors) == 0 && len(f.builtins) == 0 && f.history == 0
}

// lost is the state of a task that never began.
func (f *framework) lost() mesos.TaskState {
	if f.PartitionAware {
		return mesos.TaskState_TASK_DROPPED
	}
	return mesos.TaskState_TASK_LOST
}

func byCreation[K comparable, E any](m map[K]E, created func(E) uint64) []E {
	return slices.SortedFunc(maps.Values(m), func(a, b E) int { return cmp.Compare(created(a), created(b)) })
}

func (n *Node) orderedFrameworks() []*framework {
	return byCreation(n.frameworks, func(f *framework) uint64 { return f.created })
}

func (f *framework) orderedTasks() []*task {
	return byCreation(f.tasks, func(t *task) uint64 { return t.created })
}

func (f *framework) orderedExecutors() []*executor {
	return byCreation(f.executors, func(e *executor) uint64 { return e.created })
}

func (f *framework) orderedBuiltins() []*executor {
	return byCreation(f.builtins, func(e *executor) uint64 { return e.created })
}

// removeTask takes a task off the executor's list.
func (e *executor) removeTask(t *task) {
	if i := slices.Index(e.tasks, t); i >= 0 {
		e.tasks = slices.Delete(e.tasks, i, i+1)
	}
}
