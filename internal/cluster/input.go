package cluster

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// StreamID names one subscription of a scheduler; it is the value of the Mesos-Stream-Id header.
type StreamID string

// LinkID names one connection of an agent. The shell gives a higher one to each that it accepts.
type LinkID uint64

// Ticket names a Persist output; Persisted brings it back.
type Ticket uint64

// Input is anything that can happen to the cluster. The variants are all in this file.
type Input interface{ input() }

type (
	// Recovered is what the registry remembers of former leaders. It comes before everything else.
	Recovered struct {
		Frameworks  []FrameworkInfo
		Removed     []ids.FrameworkID // may not come back
		Agents      []ids.AgentID
		Unreachable []UnreachableAgent
		Gone        []ids.AgentID // may not come back
	}

	// Subscribe is a scheduler's SUBSCRIBE. The stream is already open.
	Subscribe struct {
		Stream     StreamID
		Framework  FrameworkInfo
		Problem    string // what is wrong with it that could be seen without knowing the cluster
		Suppressed []ids.Role
	}

	// StreamClosed says that a scheduler's stream is gone, whoever closed it.
	StreamClosed struct{ Stream StreamID }

	// SchedulerCall is any other call of a scheduler. Its Step returns exactly one Answer.
	SchedulerCall struct {
		Framework ids.FrameworkID
		Stream    StreamID // of the header; empty when there was none
		Call      Call
	}

	// OperatorCall is what whoever runs the cluster asks for. Its Step returns exactly one Answer.
	OperatorCall struct{ Order Order }

	// AgentSubscribe is an agent's first message on a link.
	AgentSubscribe struct {
		Link       LinkID
		ID         ids.AgentID // empty for an agent that never registered
		Info       AgentInfo
		Tasks      []AgentTask
		Executors  []AgentExecutor
		Frameworks []FrameworkInfo
	}

	// LinkClosed says that an agent's link is gone, and why.
	LinkClosed struct {
		Link   LinkID
		Reason string
		Silent time.Duration // for how long nothing had been heard on it
	}

	// AgentUpdate is a status update that an agent forwards, at its first sending or a later one.
	AgentUpdate struct {
		Link      LinkID
		Framework ids.FrameworkID
		Status    Status
		Latest    mesos.TaskState // the latest state that the agent knows
	}

	// AgentMessage is an executor's message to its scheduler.
	AgentMessage struct {
		Link      LinkID
		Framework ids.FrameworkID
		Executor  ids.ExecutorID
		Data      []byte
	}

	// AgentExecutorExited says that an executor is gone and that its resources are free.
	AgentExecutorExited struct {
		Link      LinkID
		Framework ids.FrameworkID
		Executor  ids.ExecutorID
		Status    int32 // as wait(2) gives it
	}

	// AgentTaskRefused says that a RunTask did not lead to a task on the agent.
	AgentTaskRefused struct {
		Link      LinkID
		Framework ids.FrameworkID
		Task      ids.TaskID
		Reason    mesos.TaskStatus_Reason
		Message   string
	}

	// AgentFrameworkGone says that nothing of a framework is left on the agent.
	AgentFrameworkGone struct {
		Link      LinkID
		Framework ids.FrameworkID
	}

	// AgentUnregistered says that an agent has ended everything and leaves.
	AgentUnregistered struct{ Link LinkID }

	// Persisted says that the records of a Persist output are durable.
	Persisted struct{ Ticket Ticket }

	// Tick lets time pass: everything whose deadline has come happens.
	Tick struct{}
)

func (Recovered) input()           {}
func (Subscribe) input()           {}
func (StreamClosed) input()        {}
func (SchedulerCall) input()       {}
func (OperatorCall) input()        {}
func (AgentSubscribe) input()      {}
func (LinkClosed) input()          {}
func (AgentUpdate) input()         {}
func (AgentMessage) input()        {}
func (AgentExecutorExited) input() {}
func (AgentTaskRefused) input()    {}
func (AgentFrameworkGone) input()  {}
func (AgentUnregistered) input()   {}
func (Persisted) input()           {}
func (Tick) input()                {}

// Call is what a subscribed scheduler can ask for.
type Call interface{ call() }

type (
	// Teardown ends the framework.
	Teardown struct{}

	// Accept launches tasks on offers. What is not used goes back, filtered for Refuse.
	Accept struct {
		Offers []ids.OfferID
		Tasks  []TaskInfo
		Refuse time.Duration // how long not to offer the rest again; 0 for no filter
	}

	// Decline gives offers back.
	Decline struct {
		Offers []ids.OfferID
		Refuse time.Duration // how long not to offer the rest again; 0 for no filter
	}

	// Revive removes the filters of roles and lets them be offered to again; no roles mean all.
	Revive struct{ Roles []ids.Role }

	// Suppress stops offers to roles; no roles mean all.
	Suppress struct{ Roles []ids.Role }

	// Kill asks for the end of a task.
	Kill struct {
		Task   ids.TaskID
		Agent  ids.AgentID // may be empty
		Policy []byte      // mesos.v1.KillPolicy; empty for the task's own
	}

	// Shutdown asks for the end of an executor and all its tasks.
	Shutdown struct {
		Executor ids.ExecutorID
		Agent    ids.AgentID
	}

	// Acknowledge confirms a status update.
	Acknowledge struct {
		Agent ids.AgentID
		Task  ids.TaskID
		UUID  UUID
	}

	// Reconcile asks for the state of tasks; none means all of the framework's.
	Reconcile struct{ Tasks []ReconcileTask }

	// Message goes to an executor.
	Message struct {
		Agent    ids.AgentID
		Executor ids.ExecutorID
		Data     []byte
	}

	// RequestResources is a hint to the allocator; like Mesos' own allocator, ours takes no notice.
	RequestResources struct{}
)

// ReconcileTask names a task to reconcile.
type ReconcileTask struct {
	Task  ids.TaskID
	Agent ids.AgentID // may be empty
}

func (Teardown) call()         {}
func (Accept) call()           {}
func (Decline) call()          {}
func (Revive) call()           {}
func (Suppress) call()         {}
func (Kill) call()             {}
func (Shutdown) call()         {}
func (Acknowledge) call()      {}
func (Reconcile) call()        {}
func (Message) call()          {}
func (RequestResources) call() {}

// Order is what an operator can ask for.
type Order interface{ order() }

type (
	// OrderKill asks for the end of a task. Its Answer has the Task, if it is Accepted.
	OrderKill struct {
		Framework ids.FrameworkID // empty: whoever's the task is, if only one framework has it
		Task      ids.TaskID
		Policy    []byte // mesos.v1.KillPolicy; empty for the task's own
	}

	// OrderTeardown ends a framework.
	OrderTeardown struct{ Framework ids.FrameworkID }

	// OrderMarkGone declares that an agent will never come back.
	OrderMarkGone struct{ Agent ids.AgentID }
)

func (OrderKill) order()     {}
func (OrderTeardown) order() {}
func (OrderMarkGone) order() {}

// AgentTask is a task that an agent reports when it subscribes.
type AgentTask struct {
	Framework ids.FrameworkID
	Info      TaskInfo
	State     mesos.TaskState // the latest the agent knows
	Told      mesos.TaskState // of the status that is on its way to the scheduler, or else of the last acknowledged
	Statuses  []Status        // the last one of each state, oldest first
	Finished  bool            // its terminal status was acknowledged: history only
}

// AgentExecutor is an executor that an agent reports when it subscribes.
type AgentExecutor struct {
	Framework ids.FrameworkID
	Info      ExecutorInfo
}
