package executor

import (
	"context"

	mesos "github.com/meseta/meseta/api/mesos/v1"
)

// Executor is what an executor's author writes: one callback for each thing that can happen to an
// executor. The driver makes one callback at a time, in the order in which things happened, and every
// callback may call any method of the driver.
//
// A callback that takes long delays the callbacks after it and nothing else. Work that takes long
// belongs in a goroutine of its own all the same, because a KillTask waits behind it too.
//
// The messages passed in belong to the callback: it may keep them, and must not change them.
//
// Embed [Base] to write only the callbacks that matter.
type Executor interface {
	// Registered is called once, when the driver has subscribed with its agent for the first time.
	Registered(d Driver, executor *mesos.ExecutorInfo, framework *mesos.FrameworkInfo, agent *mesos.AgentInfo)

	// Reregistered is called each time the driver has subscribed again, after its agent had been lost.
	Reregistered(d Driver, agent *mesos.AgentInfo)

	// Disconnected is called when the agent is lost, for instance because it is being upgraded. Tasks go
	// on; the driver keeps their updates and subscribes again by itself. If that takes longer than the
	// recovery timeout, Shutdown follows.
	Disconnected(d Driver)

	// LaunchTask asks for a task to be started. The task counts as staging until the executor sends its
	// first update, and the executor has to send a terminal one when it has ended.
	LaunchTask(d Driver, task *mesos.TaskInfo)

	// KillTask asks for a task to be ended. Ending it and sending TASK_KILLED is the executor's part;
	// nobody else does either.
	KillTask(d Driver, task *mesos.TaskID)

	// FrameworkMessage hands over bytes from the scheduler. Such messages are best effort: they may be
	// lost, and they may arrive twice.
	FrameworkMessage(d Driver, data []byte)

	// Shutdown asks the executor to bring each of its tasks to a terminal state, and to send the updates
	// that say so, before it returns. The driver then waits until the agent has acknowledged them, within
	// the shutdown grace period, and Run returns Stopped. An executor that is still there after the grace
	// period is ended by its agent. It is the last callback.
	Shutdown(d Driver)

	// Error is called when the driver cannot go on. The driver is aborted by then, so nothing more can be
	// sent; it is the last callback.
	Error(d Driver, err error)
}

// Base is an Executor whose callbacks do nothing, to be embedded.
type Base struct{}

var _ Executor = Base{}

// Registered does nothing.
func (Base) Registered(Driver, *mesos.ExecutorInfo, *mesos.FrameworkInfo, *mesos.AgentInfo) {}

// Reregistered does nothing.
func (Base) Reregistered(Driver, *mesos.AgentInfo) {}

// Disconnected does nothing.
func (Base) Disconnected(Driver) {}

// LaunchTask does nothing.
func (Base) LaunchTask(Driver, *mesos.TaskInfo) {}

// KillTask does nothing.
func (Base) KillTask(Driver, *mesos.TaskID) {}

// FrameworkMessage does nothing.
func (Base) FrameworkMessage(Driver, []byte) {}

// Shutdown does nothing.
func (Base) Shutdown(Driver) {}

// Error does nothing; [Driver.Err] has the error.
func (Base) Error(Driver, error) {}

// Status is the state of a driver.
type Status = mesos.Status

// The states of a driver, in the only order in which they follow each other.
const (
	NotStarted = mesos.Status_DRIVER_NOT_STARTED // New; only Start and Run do anything.
	Running    = mesos.Status_DRIVER_RUNNING     // Started.
	Aborted    = mesos.Status_DRIVER_ABORTED     // Given up, by Abort or because of an error.
	Stopped    = mesos.Status_DRIVER_STOPPED     // Ended in order.
)

// Driver connects an [Executor] with its agent. [NewDriver] makes one; callbacks are given the same one.
//
// All methods may be called from any goroutine and from inside any callback. A method that makes no
// sense in the driver's state does nothing, and says so by the status that it returns: what was asked for
// has happened if, and only if, the status is Running (for Stop: Stopped, for Abort: Aborted).
type Driver interface {
	// Start begins to subscribe. It does something only on a new driver, and comes before anything else
	// but Run.
	Start() Status

	// Stop ends the driver in order: no callback begins after it. It waits until the agent has
	// acknowledged the updates that were sent, at most for the shutdown grace period, and then ends the
	// subscription. Stopping an aborted driver returns Aborted.
	Stop() Status

	// Abort ends the driver at once: no callback begins after it, and nothing more is sent.
	Abort() Status

	// Join waits until the driver is stopped or aborted, and tells which. It returns at once if the
	// driver is not running.
	Join() Status

	// Run starts the driver and, if that made it run, waits until it is stopped or aborted and until all
	// that the driver started is gone, a callback that still runs included. The end of the context stops
	// the driver.
	Run(ctx context.Context) Status

	// Err says why the driver was aborted. It is nil unless [Executor.Error] was due.
	Err() error

	// SendStatusUpdate tells the scheduler about a task, at least once: the driver fills in uuid,
	// timestamp and source, keeps the update, and sends it again after each loss of the agent until it has
	// been acknowledged. Updates arrive in the order in which they were sent. The status is copied.
	//
	// An update that no agent would accept (without a task id or state, or TASK_STAGING) aborts the
	// driver.
	SendStatusUpdate(status *mesos.TaskStatus) Status

	// SendFrameworkMessage sends bytes to the scheduler, best effort: a message sent while the agent is
	// lost is lost too. The bytes are not copied and must not be changed afterwards.
	SendFrameworkMessage(data []byte) Status
}
