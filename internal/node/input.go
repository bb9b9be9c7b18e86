package node

import (
	"time"

	"github.com/meseta/meseta/internal/ids"
)

// Input is one thing that happened to the agent. The variants of this file are all there are.
type Input interface{ input() }

// The numbers by which the shell names what it holds. Each is fresh within one run of the agent, from 1.
type (
	LinkID    uint64 // one connection to a master
	StreamID  uint64 // one subscription of an executor
	RequestID uint64 // one call that wants an Answer
	Ticket    uint64 // one Persist; they grow
)

// ---- from the disk

// Replayed gives back one record of the log, oldest first, before anything else happens.
type Replayed struct{ Record Record }

// Recovered ends the replay: from here on the agent lives. Containers is what the supervisors know.
type Recovered struct {
	Containers []ContainerState
}

// Persisted says that the records of this Persist, and of all before it, are durable.
type Persisted struct{ Ticket Ticket }

// Written says that they outlive this process, though perhaps not the machine.
type Written struct{ Ticket Ticket }

// PersistFailed says that the log takes no more: no ticket beyond the last Persisted will become durable.
type PersistFailed struct{ Cause string }

// ---- from time and from the shell itself

// Tick says that a deadline may have passed.
type Tick struct{}

// Accepting says that the executor API now takes calls: executors of a former run have from this moment
// the re-registration time-out to come back.
type Accepting struct{}

// EndAll ends every task and executor; AllEnded answers it.
type EndAll struct{}

// ---- from the master

// LinkOpened says that a connection to a master stands; the core answers with Subscribe.
type LinkOpened struct{ Link LinkID }

// LinkClosed says that a connection is gone.
type LinkClosed struct{ Link LinkID }

// FromMaster is one message of the agent link.
type FromMaster struct {
	Link    LinkID
	Session uint64
	Epoch   uint64
	Body    MasterBody
}

// MasterBody is what a master says; the variants follow.
type MasterBody interface{ masterBody() }

// Subscribed accepts the agent under this id, into this cluster.
type Subscribed struct {
	Agent   ids.AgentID
	Cluster string
	Master  string
}

// Refused turns the agent away.
type Refused struct {
	Reason string
	Final  bool // asking again under its identity is pointless; what runs is left alone
	Gone   bool // the cluster has given the agent up: whatever runs here must end
}

// RunTask starts a task.
type RunTask struct {
	Framework Framework
	Task      TaskInfo
	Executor  *ExecutorInfo // nil: a command task

	// ExecutorLives says that the master counts on an executor that was started for another task. If it has
	// ended meanwhile nobody has set anything aside for starting it anew.
	ExecutorLives bool

	// Unsupported says what the task asks for that this agent cannot give.
	Unsupported string

	// UserProblem says why the account that the task or executor is to run as cannot be used.
	UserProblem string
}

// KillTask asks for the end of a task.
type KillTask struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	Grace     *time.Duration // nil: the task's own, or the default
	Policy    []byte         // mesos.v1.KillPolicy, passed to the executor; empty when none was given
}

// Acknowledge is a framework's receipt for one status.
type Acknowledge struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	UUID      UUID
}

// FrameworkMessage is from a scheduler to its executor.
type FrameworkMessage struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Data      []byte
}

// ShutdownExecutor asks an executor to end, and ends it after its grace period.
type ShutdownExecutor struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
}

// ShutdownFramework ends and forgets everything of a framework.
type ShutdownFramework struct{ Framework ids.FrameworkID }

// UpdateFramework replaces what is known of a framework.
type UpdateFramework struct{ Framework Framework }

// ---- from executors; each gets one Answer

// ExecutorSubscribes opens a stream of events. Its Answer is 200 when the stream stands.
type ExecutorSubscribes struct {
	Request   RequestID
	Stream    StreamID
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Tasks     []ids.TaskID // that it was given and that have no acknowledged status yet
	Updates   []ExecutorUpdate
}

// ExecutorUpdates hands over a status. The stateless rules (uuid, source, state) were checked before.
type ExecutorUpdates struct {
	Request   RequestID
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Update    ExecutorUpdate
}

// ExecutorUpdate is one status as its executor made it.
type ExecutorUpdate struct {
	Task   ids.TaskID
	Status Status
}

// ExecutorSends is a message to the executor's scheduler.
type ExecutorSends struct {
	Request   RequestID
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Data      []byte
}

// ExecutorBeats is a sign of life. It changes nothing and is answered like the other calls.
type ExecutorBeats struct {
	Request   RequestID
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
}

// StreamClosed says that an executor's connection is gone.
type StreamClosed struct{ Stream StreamID }

// ---- from the containers

// ContainerStarted says that a container runs.
type ContainerStarted struct {
	Container ids.ContainerID
	PID       int
}

// ContainerStartFailed says that a container never ran. It is the last word about it.
type ContainerStartFailed struct {
	Container ids.ContainerID
	Cause     StartCause
	Detail    string // a sentence, with what failed
}

// StartCause tells the ways in which a start fails apart.
type StartCause int

// The ways in which a start fails.
const (
	CauseOther   StartCause = iota
	CauseFetch              // a URI did not arrive; Detail names it
	CauseSandbox            // the sandbox could not be made or given to its user
	CauseExec               // the program could not be executed
	CauseKilled             // KillContainer came before it ran
)

// ContainerEnded is the last word about a container that ran.
type ContainerEnded struct {
	Container ids.ContainerID
	End
}

// DiskUsed is what the sandbox of a container takes of the disk.
type DiskUsed struct {
	Container ids.ContainerID
	Bytes     int64
}

// End is how a container ended.
type End struct {
	Status int    // as wait(2) gives it
	Text   string // the same in words: "exited with status 3"
	Killed bool   // somebody had asked for it with KillContainer
	Lost   string // not empty: nobody knows the status, for this reason

	OutOfMemory *OutOfMemory // the kernel ended it for the memory that it used
}

// OutOfMemory is what a container had that was ended for its memory, in bytes.
type OutOfMemory struct {
	Limit int64 // 0: none of its own; the machine had no more
	Peak  int64 // the most that it used
}

// ContainerState is what a supervisor knows of one container when the agent comes back.
type ContainerState struct {
	Container ids.ContainerID
	PID       int
	End       *End                  // nil while it lives
	Failure   *ContainerStartFailed // of one that never ran
}

func (Replayed) input()             {}
func (Recovered) input()            {}
func (Persisted) input()            {}
func (Written) input()              {}
func (PersistFailed) input()        {}
func (DiskRoom) input()             {}
func (Tick) input()                 {}
func (Accepting) input()            {}
func (EndAll) input()               {}
func (LinkOpened) input()           {}
func (LinkClosed) input()           {}
func (FromMaster) input()           {}
func (ExecutorSubscribes) input()   {}
func (ExecutorUpdates) input()      {}
func (ExecutorSends) input()        {}
func (ExecutorBeats) input()        {}
func (StreamClosed) input()         {}
func (ContainerStarted) input()     {}
func (ContainerStartFailed) input() {}
func (ContainerEnded) input()       {}
func (DiskUsed) input()             {}

func (Subscribed) masterBody()        {}
func (Refused) masterBody()           {}
func (RunTask) masterBody()           {}
func (KillTask) masterBody()          {}
func (Acknowledge) masterBody()       {}
func (FrameworkMessage) masterBody()  {}
func (ShutdownExecutor) masterBody()  {}
func (ShutdownFramework) masterBody() {}
func (UpdateFramework) masterBody()   {}
