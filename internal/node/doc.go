// Package node is the agent's pure core: it knows which frameworks, executors and tasks live on one
// machine, what has to be remembered before what may be said, and what is still owed to whom.
//
// # What it owns
//
// The rules of an agent: running and killing tasks, the life of executors, the queue of each task's status
// updates, the fencing of the link to the master, and what to conclude after a restart. It owns every
// deadline of these protocols. It refuses to know how any of it is carried out: containers are started by
// whoever reads [StartContainer], records are written by whoever reads [Persist], bytes are encoded by
// whoever reads [ToMaster] and [ToExecutor]. As every core of the house it has no clock, goroutine, lock,
// file, socket or log line, and the same inputs give the same outputs.
//
// # Invariants
//
//   - A container is started only after the record of its task (or executor) is durable, and once.
//   - A status is shown to the master, and acknowledged to its executor, only after it is durable. One that a
//     command lives is shown when it is written: the end of the agent does not undo that, and the end of the
//     machine ends the command as well.
//   - Of one task's statuses only the oldest unacknowledged one is on its way; the next follows its
//     acknowledgement. Nothing that was acknowledged to an executor is dropped before the framework has it.
//   - A terminal state is final.
//   - A message of another session or of a former leader has no effect.
//
// # How time and disk come in
//
// [Node.Step] applies one input and returns what has to happen. Records leave as [Persist] with a growing
// ticket; whatever must not be seen before them stays inside until [Persisted] names that ticket or a later
// one, or [Written] does where that is enough. Acknowledgements, which only save a repetition after a crash,
// wait for company in the next Persist.
//
// # One task, from door to door
//
// A command task (no ExecutorInfo) takes the shortest way, which is the one to read first:
//
//  1. [RunTask] (launch.go): the task and its built-in executor come to life; one Persist carries the
//     framework, the task and its TASK_STARTING.
//  2. [Persisted] (commit.go): TASK_STARTING goes to the master (updates.go), and at the same moment
//     [StartContainer] goes out.
//  3. [ContainerStarted] (builtin.go): TASK_RUNNING, with the pid, is written and queued behind it.
//  4. [Acknowledge] of TASK_STARTING: TASK_RUNNING is forwarded, if it is written by now.
//  5. [ContainerEnded]: the wait status becomes TASK_FINISHED, TASK_FAILED or TASK_KILLED and its text; once
//     durable the supervisor may forget the container ([CollectContainer]).
//  6. [Acknowledge] of that: the task moves into the bounded history.
//
// A task with an ExecutorInfo starts that executor if it does not live yet, waits for its subscription,
// and is handed over in order of arrival; its statuses then come from the executor (executorapi.go).
//
// Start reading at input.go and output.go, which are the contract, then node.go, which is the table of
// contents, then launch.go.
package node
