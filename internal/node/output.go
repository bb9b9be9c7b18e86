package node

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// Output is one thing that has to happen. The variants of this file are all there are. They are carried out
// in the order in which Step returns them; none of them may block the loop.
type Output interface{ output() }

// ---- to the disk

// Persist appends records to the log. With Sync, Persisted{Ticket} or a later one answers it. Without, it is
// enough that they are written so that they survive this process, and Written may answer it as well.
type Persist struct {
	Ticket  Ticket
	Records []Record
	Sync    bool
}

// ---- to the master

// ToMaster sends one message on a link. A link that is gone by then swallows it.
type ToMaster struct {
	Link    LinkID
	Session uint64
	Epoch   uint64
	Body    AgentBody
}

// AgentBody is what an agent says; the variants follow.
type AgentBody interface{ agentBody() }

// Subscribe opens a session: who the agent is, and all that it runs or remembers. The shell adds the
// protocol version, the release and the AgentInfo.
type Subscribe struct {
	Agent      ids.AgentID
	Cluster    string
	Frameworks []Framework
	Executors  []ExecutorView
	Tasks      []TaskView
}

// ExecutorView is a living executor. Command tasks have none of their own.
type ExecutorView struct {
	Framework ids.FrameworkID
	Info      []byte // mesos.v1.ExecutorInfo
	Container ids.ContainerID
}

// TaskView is a task as its agent knows it.
type TaskView struct {
	Framework            ids.FrameworkID
	Task                 ids.TaskID
	Info                 []byte // mesos.v1.TaskInfo
	State                mesos.TaskState
	ReportedState        mesos.TaskState // of the status that is on its way, or else of the last acknowledged
	ReportedUUID         UUID            // of the status that is on its way; zero when there is none
	Statuses             []*Status       // the last one for each state, oldest first
	TerminalAcknowledged bool            // history
}

// Update carries the oldest unacknowledged status of a task, and the latest state. A status with a zero
// uuid wants no acknowledgement.
type Update struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	Status    *Status
	Latest    mesos.TaskState
}

// ExecutorMessage is from an executor to its scheduler.
type ExecutorMessage struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Data      []byte
}

// ExecutorExited says that a custom executor is gone.
type ExecutorExited struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Status    int // as wait(2) gives it
}

// TaskRefused says that a RunTask led to nothing, and that no status of it is in the log.
type TaskRefused struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	Reason    mesos.TaskStatus_Reason
	Message   string
}

// AgentLeaves says that everything was ended and that the agent leaves the cluster.
type AgentLeaves struct{}

// AgentFrameworkGone says that nothing of a framework runs here any more.
type AgentFrameworkGone struct{ Framework ids.FrameworkID }

// CloseLink ends a connection; the shell then looks for another master.
type CloseLink struct {
	Link   LinkID
	Reason string
}

// ---- to executors

// Answer ends a call: an HTTP status and, for an error, its text.
type Answer struct {
	Request RequestID
	Status  int
	Text    string
}

// ToExecutor sends one event on a stream. A stream that is gone by then swallows it.
type ToExecutor struct {
	Stream StreamID
	Event  ExecutorEvent
}

// CloseStream ends a stream in good order.
type CloseStream struct{ Stream StreamID }

// ExecutorEvent is what an executor hears; the variants follow.
type ExecutorEvent interface{ executorEvent() }

// ExecutorSubscribed greets an executor. The shell adds the AgentInfo.
type ExecutorSubscribed struct {
	Agent     ids.AgentID
	Executor  []byte // mesos.v1.ExecutorInfo
	Framework []byte // mesos.v1.FrameworkInfo
	Container ids.ContainerID
}

// ExecutorLaunch hands a task over.
type ExecutorLaunch struct{ Task []byte } // mesos.v1.TaskInfo

// ExecutorKill asks an executor to end a task.
type ExecutorKill struct {
	Task   ids.TaskID
	Policy []byte // mesos.v1.KillPolicy; empty when none was given
}

// ExecutorAcknowledged says that a status is safe.
type ExecutorAcknowledged struct {
	Task ids.TaskID
	UUID UUID
}

// ExecutorHears is a message of the executor's scheduler.
type ExecutorHears struct{ Data []byte }

// ExecutorShutdown asks an executor to end.
type ExecutorShutdown struct{}

// ---- to the containers

// PrepareSandbox may be carried out while the records of a container are on their way to the disk: an empty
// directory harms nobody if its container never starts. StartContainer or CollectContainer follows.
type PrepareSandbox struct {
	Sandbox Sandbox
	User    string // as in StartContainer
}

// StartContainer fetches what the command names into the sandbox that was prepared before, and starts it.
// ContainerStarted and then ContainerEnded answer it, or ContainerStartFailed does.
type StartContainer struct {
	Sandbox Sandbox
	Task    ids.TaskID // of a command task; empty for a custom executor
	Command Command
	User    string        // an account; empty for the agent's own
	Grace   time.Duration // a custom executor's shutdown grace period
	Limits  Limits
}

// LimitContainer holds a container that runs to something else, as far as that is possible: it cannot be held to
// less memory than it uses.
type LimitContainer struct {
	Container ids.ContainerID
	Limits    Limits
}

// KillContainer ends everything in a container: SIGTERM, then SIGKILL after the grace period; without one,
// SIGKILL at once. A repeated kill may only shorten the time.
type KillContainer struct {
	Container ids.ContainerID
	Grace     time.Duration
}

// CollectContainer says that the end of a container is recorded, or that it will never be started: whoever
// knows of it may forget it.
type CollectContainer struct {
	Container ids.ContainerID
	Sandbox   Sandbox // from now on nobody uses it; empty if it is not known
}

// ---- to whoever runs the agent

// AllEnded answers EndAll, or the master's word that the agent is gone: nothing runs any more. Reason is
// that of the master.
type AllEnded struct{ Reason string }

// GiveUp says that no master of the cluster will ever take the agent as it is. What runs goes on.
type GiveUp struct{ Reason string }

// Notice is something worth a line in the log.
type Notice struct {
	What      What
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Task      ids.TaskID
	Container ids.ContainerID
	Detail    string
}

func (Persist) output()          {}
func (ToMaster) output()         {}
func (CloseLink) output()        {}
func (Answer) output()           {}
func (ToExecutor) output()       {}
func (CloseStream) output()      {}
func (PrepareSandbox) output()   {}
func (StartContainer) output()   {}
func (LimitContainer) output()   {}
func (KillContainer) output()    {}
func (CollectContainer) output() {}
func (AllEnded) output()         {}
func (GiveUp) output()           {}
func (Notice) output()           {}

func (Subscribe) agentBody()          {}
func (Update) agentBody()             {}
func (ExecutorMessage) agentBody()    {}
func (ExecutorExited) agentBody()     {}
func (TaskRefused) agentBody()        {}
func (AgentFrameworkGone) agentBody() {}
func (AgentLeaves) agentBody()        {}

func (ExecutorSubscribed) executorEvent()   {}
func (ExecutorLaunch) executorEvent()       {}
func (ExecutorKill) executorEvent()         {}
func (ExecutorAcknowledged) executorEvent() {}
func (ExecutorHears) executorEvent()        {}
func (ExecutorShutdown) executorEvent()     {}
