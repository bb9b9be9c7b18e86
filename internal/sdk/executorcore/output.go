package executorcore

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
)

// Output is one thing that the shell has to do, without waiting for it to be done. Outputs are carried out
// in order.
type Output interface{ output() }

// What the shell does about the agent.
type (
	// Subscribe opens subscription number Stream by sending Call. The numbers rise; the shell closes
	// nothing by itself. Every Subscribe is followed by a Closed, if only because of a Disconnect.
	Subscribe struct {
		Stream uint64
		Call   *executorpb.Call
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
		Call   *executorpb.Call
	}

	// Dropped says that a framework message was thrown away, because too many callbacks wait.
	Dropped struct{ Size int }

	// Finished says that the driver has ended and nothing more will come: everything that the shell
	// started for it can go, a callback that is still out excepted. Unacknowledged counts the updates that
	// the agent may not have got.
	Finished struct{ Unacknowledged int }
)

// Callback is an Output that calls the executor back. Returned tells that the call has returned.
type Callback interface {
	Output
	callback()
}

// The callbacks, one for each method of executor.Executor.
type (
	// Registered comes once, at the first subscription.
	Registered struct {
		Executor  *mesos.ExecutorInfo
		Framework *mesos.FrameworkInfo
		Agent     *mesos.AgentInfo
	}

	// Reregistered comes after a Disconnected.
	Reregistered struct{ Agent *mesos.AgentInfo }

	// Disconnected comes after Registered or Reregistered.
	Disconnected struct{}

	// LaunchTask asks for a task to be started.
	LaunchTask struct{ Task *mesos.TaskInfo }

	// KillTask asks for a task to be ended.
	KillTask struct{ Task *mesos.TaskID }

	// FrameworkMessage brings bytes from the scheduler.
	FrameworkMessage struct{ Data []byte }

	// Shutdown asks for everything to be ended. It is the last callback but Error.
	Shutdown struct{}

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
func (LaunchTask) output()       {}
func (KillTask) output()         {}
func (FrameworkMessage) output() {}
func (Shutdown) output()         {}
func (Error) output()            {}

func (Registered) callback()       {}
func (Reregistered) callback()     {}
func (Disconnected) callback()     {}
func (LaunchTask) callback()       {}
func (KillTask) callback()         {}
func (FrameworkMessage) callback() {}
func (Shutdown) callback()         {}
func (Error) callback()            {}
