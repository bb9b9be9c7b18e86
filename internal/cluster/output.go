package cluster

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Output is something that has to happen. The variants are all in this file. The shell carries them
// out in the order in which they came.
type Output interface{ output() }

type (
	// Answer answers the SchedulerCall or OperatorCall of this Step: it was accepted, or an error with its
	// sentence.
	Answer struct {
		Code Code
		Text string
		Task *Task // of an OrderKill

		// After is the ticket of the record that has to be durable before the answer is given; 0 if none has.
		After Ticket
	}

	// Send puts an event on a scheduler's stream.
	Send struct {
		Stream StreamID
		Event  Event
	}

	// CloseStream ends a scheduler's stream after everything that was sent before.
	CloseStream struct{ Stream StreamID }

	// ToAgent puts a command on an agent's link.
	ToAgent struct {
		Link    LinkID
		Command Command
	}

	// CloseLink ends an agent's link after everything that was sent before.
	CloseLink struct{ Link LinkID }

	// Persist makes records durable; Persisted follows with the ticket. What depends on them has been
	// held back, so nothing waits for it but the inputs' outcome.
	Persist struct {
		Ticket  Ticket
		Records []Record
	}

	// Publish is for whoever watches the cluster. Views taken before do not have the change, those taken later do.
	Publish struct{ Change Change }

	// Notice is a fact for the log of the house: what happened, to whom, and why.
	Notice struct {
		Level Level
		Text  string
		Attrs []any // alternating keys and values, as slog takes them
	}
)

func (Answer) output()      {}
func (Send) output()        {}
func (CloseStream) output() {}
func (ToAgent) output()     {}
func (CloseLink) output()   {}
func (Persist) output()     {}
func (Publish) output()     {}
func (Notice) output()      {}

// Code is an HTTP status, of the few that a core gives.
type Code int

// What a call can be answered with.
const (
	Accepted   Code = 202
	BadRequest Code = 400
	Forbidden  Code = 403
	NotFound   Code = 404
	Conflict   Code = 409
	Ended      Code = 410
)

// Level says how much a Notice matters.
type Level int

// The levels, in slog's numbers.
const (
	LevelDebug Level = -4
	LevelInfo  Level = 0
	LevelWarn  Level = 4
	LevelError Level = 8
)

// Event is what a scheduler hears.
type Event interface{ event() }

type (
	// Subscribed is the first event of a stream.
	Subscribed struct{ Framework ids.FrameworkID }

	// Offers brings new offers.
	Offers struct{ Offers []*Offer }

	// Rescind takes an offer back.
	Rescind struct{ Offer ids.OfferID }

	// Update brings a status. Statuses that the master made itself have no UUID and want no
	// acknowledgement.
	Update struct{ Status Status }

	// ExecutorMessage brings a message of an executor.
	ExecutorMessage struct {
		Agent    ids.AgentID
		Executor ids.ExecutorID
		Data     []byte
	}

	// Failure says that an agent is lost or, with Executor set, that an executor ended.
	Failure struct {
		Agent    ids.AgentID
		Executor ids.ExecutorID
		Status   int32 // as wait(2) gives it; of an executor only
	}

	// Error is the last event of a stream: the framework cannot go on.
	Error struct{ Message string }
)

func (Subscribed) event()      {}
func (Offers) event()          {}
func (Rescind) event()         {}
func (Update) event()          {}
func (ExecutorMessage) event() {}
func (Failure) event()         {}
func (Error) event()           {}

// Change is what those who watch the cluster hear. Everything in it is immutable.
type Change interface{ change() }

type (
	// TaskAdded says that a task was launched, or came back with its agent.
	TaskAdded struct{ Task *Task }

	// TaskUpdated brings a status that is new. The Task is as it was after that.
	TaskUpdated struct {
		Task   *Task
		Status *Status
	}

	// AgentAdded says that an agent registered.
	AgentAdded struct{ Agent *Agent }

	// AgentRemoved says that an agent was given up or left.
	AgentRemoved struct{ Agent ids.AgentID }

	// FrameworkAdded says that a framework subscribed for the first time, or came with an agent.
	FrameworkAdded struct{ Framework *Framework }

	// FrameworkUpdated says that a framework subscribed again.
	FrameworkUpdated struct{ Framework *Framework }

	// FrameworkRemoved says that a framework was torn down or timed out.
	FrameworkRemoved struct{ Framework *Framework }
)

func (TaskAdded) change()        {}
func (TaskUpdated) change()      {}
func (AgentAdded) change()       {}
func (AgentRemoved) change()     {}
func (FrameworkAdded) change()   {}
func (FrameworkUpdated) change() {}
func (FrameworkRemoved) change() {}

// Command is what an agent is told.
type Command interface{ command() }

type (
	// Welcome accepts an agent under its id; it opens the session.
	Welcome struct{ Agent ids.AgentID }

	// Refuse sends an agent away.
	Refuse struct {
		Reason string
		Final  bool
		Gone   bool // for good: whatever it runs has to end
	}

	// RunTask starts a task of a framework. With ExecutorLives it is for an executor that was started for
	// another task: the agent is not to start it anew, since nothing is set aside for that.
	RunTask struct {
		Framework     *Framework
		Task          TaskInfo
		ExecutorLives bool
	}

	// KillTask asks for the end of a task.
	KillTask struct {
		Framework ids.FrameworkID
		Task      ids.TaskID
		Policy    []byte
	}

	// AcknowledgeUpdate passes a framework's acknowledgement on.
	AcknowledgeUpdate struct {
		Framework ids.FrameworkID
		Task      ids.TaskID
		UUID      UUID
	}

	// FrameworkMessage goes to an executor.
	FrameworkMessage struct {
		Framework ids.FrameworkID
		Executor  ids.ExecutorID
		Data      []byte
	}

	// ShutdownExecutor asks an executor to end.
	ShutdownExecutor struct {
		Framework ids.FrameworkID
		Executor  ids.ExecutorID
	}

	// ShutdownFramework asks for the end of all that a framework has on the agent.
	ShutdownFramework struct{ Framework ids.FrameworkID }

	// UpdateFramework tells an agent that a framework subscribed again: its info may be new, and its
	// unacknowledged updates are wanted at once.
	UpdateFramework struct{ Framework *Framework }
)

func (Welcome) command()           {}
func (Refuse) command()            {}
func (RunTask) command()           {}
func (KillTask) command()          {}
func (AcknowledgeUpdate) command() {}
func (FrameworkMessage) command()  {}
func (ShutdownExecutor) command()  {}
func (ShutdownFramework) command() {}
func (UpdateFramework) command()   {}

// Record is a change of what a master must remember.
type Record interface{ record() }

type (
	// AdmitAgent remembers an agent by the info it registered with.
	AdmitAgent struct {
		ID   ids.AgentID
		Info []byte // mesos.v1.AgentInfo
	}

	// LoseAgent remembers that an agent was away for too long; it may come back as itself.
	LoseAgent struct {
		ID    ids.AgentID
		Since time.Time
	}

	// MarkAgentGone remembers that an agent may not come back.
	MarkAgentGone struct {
		ID    ids.AgentID
		Since time.Time
	}

	// RemoveAgent forgets an agent that left.
	RemoveAgent struct{ ID ids.AgentID }

	// AdmitFramework remembers a framework's identity, or what changed of it.
	AdmitFramework struct{ Info FrameworkInfo }

	// RemoveFramework remembers that an id is not to be used again.
	RemoveFramework struct {
		ID ids.FrameworkID
		At time.Time
	}
)

func (AdmitAgent) record()      {}
func (LoseAgent) record()       {}
func (RemoveAgent) record()     {}
func (MarkAgentGone) record()   {}
func (AdmitFramework) record()  {}
func (RemoveFramework) record() {}

// UUID is 16 raw bytes.
type UUID [16]byte

// Status is a task's status: what the core reads of it, and the whole as it came. A status that the
// master makes itself has no Raw and no UUID.
type Status struct {
	Task      ids.TaskID
	State     mesos.TaskState
	UUID      UUID   // zero when the status wants no acknowledgement
	Raw       []byte // canonical mesos.v1.TaskStatus, when an agent sent it
	Lasting   []byte // Raw without the executor's data, if it has any: data is passed on, not remembered
	Timestamp float64

	// Of statuses that the master makes itself.
	Agent            ids.AgentID // may be empty
	Reason           mesos.TaskStatus_Reason
	Message          string
	UnreachableSince time.Time // zero when it does not apply
	Like             []byte    // Raw of an earlier status whose container, health, check and labels are repeated
}

// Remembered is the status as the books keep it.
func (s Status) Remembered() Status {
	if s.Lasting != nil {
		s.Raw, s.Lasting = s.Lasting, nil
	}
	return s
}

// Resources are named so often that they deserve a short name here.
type Resources = resources.List
