package schedulercore

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// Input is one thing that happens to a driver.
type Input interface{ input() }

// What the framework asks its driver for. Except for Start, Stop and Abort these do nothing unless the
// driver runs. Messages passed in are kept and must not change.
type (
	// Start begins to subscribe.
	Start struct{}

	// Stop ends the driver, and with it the framework unless somebody is to take it over.
	Stop struct{ Failover bool }

	// Abort ends callbacks and hands offers back.
	Abort struct{}

	// Fail aborts the driver because of an error of the shell's, and tells the framework.
	Fail struct{ Err error }

	// Launch launches tasks on offers of one agent, or declines them if there are no tasks.
	Launch struct {
		Offers  []*mesos.OfferID
		Tasks   []*mesos.TaskInfo
		Filters *mesos.Filters
	}

	// Accept performs operations on offers of one agent.
	Accept struct {
		Offers     []*mesos.OfferID
		Operations []*mesos.Offer_Operation
		Filters    *mesos.Filters
	}

	// Decline gives offers back.
	Decline struct {
		Offers  []*mesos.OfferID
		Filters *mesos.Filters
	}

	// Kill asks for a task to be killed, until it is known to have ended.
	Kill struct{ Task *mesos.TaskID }

	// Revive asks for offers again; without roles, for all of the framework's.
	Revive struct{ Roles []string }

	// Suppress asks for no more offers; without roles, for all of the framework's.
	Suppress struct{ Roles []string }

	// Request asks for resources.
	Request struct{ Requests []*mesos.Request }

	// Reconcile asks for the states of tasks, of all if none is named.
	Reconcile struct{ Statuses []*mesos.TaskStatus }

	// Acknowledge acknowledges an update, when that is the framework's part.
	Acknowledge struct{ Status *mesos.TaskStatus }

	// Message sends bytes to an executor.
	Message struct {
		Executor *mesos.ExecutorID
		Agent    *mesos.AgentID
		Data     []byte
	}
)

// What the shell reports.
type (
	// Received is an event from a subscription; Size is how many bytes it took on the wire.
	Received struct {
		Stream uint64
		Event  *schedulerpb.Event
		Size   int
	}

	// Closed says that a subscription could not be made or has ended. Refused means that the master does
	// not want it and would not want it a moment later either.
	Closed struct {
		Stream  uint64
		Refused bool
		Err     error
	}

	// Answered says what became of a Send. There is one for each Send.
	Answered struct {
		Stream  uint64
		Call    *schedulerpb.Call
		Outcome outcome.Outcome
		Err     error // unless Outcome is Accepted
	}

	// Returned says that the callback which was out has returned.
	Returned struct{}

	// Tick says nothing but the time. It is due at NextDeadline.
	Tick struct{}
)

func (Start) input()       {}
func (Stop) input()        {}
func (Abort) input()       {}
func (Fail) input()        {}
func (Launch) input()      {}
func (Accept) input()      {}
func (Decline) input()     {}
func (Kill) input()        {}
func (Revive) input()      {}
func (Suppress) input()    {}
func (Request) input()     {}
func (Reconcile) input()   {}
func (Acknowledge) input() {}
func (Message) input()     {}
func (Received) input()    {}
func (Closed) input()      {}
func (Answered) input()    {}
func (Returned) input()    {}
func (Tick) input()        {}
