package schedulercore

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// Output is one thing that the shell has to do, without waiting for it to be done. Outputs are carried out
// in order.
type Output interface{ output() }

// What the shell does about the master.
type (
	// Subscribe opens subscription number Stream by sending Call. The numbers rise; the shell closes
	// nothing by itself. Every Subscribe is followed by a Closed, if only because of a Disconnect.
	Subscribe struct {
		Stream uint64
		Call   *schedulerpb.Call
	}

	// Disconnect closes a subscription, or gives up making it, because of Cause.
	Disconnect struct {
		Stream uint64
		Cause  error
	}

	// Send sends a call on a subscription, AFTER all earlier calls on it have been answered. Whatever
	// happens, an Answered follows.
	Send struct {
		Stream uint64
		Call   *schedulerpb.Call
	}

	// Dropped says that a framework message was thrown away, because too many callbacks wait.
	Dropped struct{ Size int }

	// Finished says that the driver has ended and nothing more will come: everything that the shell
	// started for it can go, a callback that is still out excepted. TornDown says that the framework has
	// ended too.
	Finished struct{ TornDown bool }
)

// Callback is an Output that calls the framework back. Returned tells that the call has returned.
type Callback interface {
	Output
	callback()
}

// The callbacks, one for each method of scheduler.Scheduler.
type (
	// Registered comes BEFORE every other callback but Error.
	Registered struct {
		Framework *mesos.FrameworkID
		Master    *mesos.MasterInfo
	}

	// Reregistered comes after a Disconnected.
	Reregistered struct{ Master *mesos.MasterInfo }

	// Disconnected comes after Registered or Reregistered.
	Disconnected struct{}

	// ResourceOffers brings offers.
	ResourceOffers struct{ Offers []*mesos.Offer }

	// OfferRescinded takes one back.
	OfferRescinded struct{ Offer *mesos.OfferID }

	// StatusUpdate brings the state of a task.
	StatusUpdate struct{ Status *mesos.TaskStatus }

	// FrameworkMessage brings bytes from an executor.
	FrameworkMessage struct {
		Executor *mesos.ExecutorID
		Agent    *mesos.AgentID
		Data     []byte
	}

	// AgentLost says that an agent has been removed.
	AgentLost struct{ Agent *mesos.AgentID }

	// ExecutorLost says that an executor has ended, and with what status.
	ExecutorLost struct {
		Executor *mesos.ExecutorID
		Agent    *mesos.AgentID
		Status   int
	}

	// Error says why the driver has aborted. It is the last callback.
	Error struct{ Err error }
)

func (Subscribe) output()  {}
func (Disconnect) output() {}
func (Send) output()       {}
func (Dropped) output()    {}
func (Finished) output()   {}

func (Registered) output()       {}
func (Reregistered) output()     {}
func (Disconnected) output()     {}
func (ResourceOffers) output()   {}
func (OfferRescinded) output()   {}
func (StatusUpdate) output()     {}
func (FrameworkMessage) output() {}
func (AgentLost) output()        {}
func (ExecutorLost) output()     {}
func (Error) output()            {}

func (Registered) callback()       {}
func (Reregistered) callback()     {}
func (Disconnected) callback()     {}
func (ResourceOffers) callback()   {}
func (OfferRescinded) callback()   {}
func (StatusUpdate) callback()     {}
func (FrameworkMessage) callback() {}
func (AgentLost) callback()        {}
func (ExecutorLost) callback()     {}
func (Error) callback()            {}
