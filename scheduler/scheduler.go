package scheduler

import (
	"context"

	mesos "github.com/meseta/meseta/api/mesos/v1"
)

// Scheduler is what a framework's author writes: one callback for each thing that can happen to a
// framework. The driver makes one callback at a time, in the order in which things happened, and every
// callback may call any method of the driver.
//
// A callback that takes long delays the callbacks after it and nothing else.
//
// The messages passed in belong to the callback: it may keep them, and must not change them.
//
// Embed [Base] to write only the callbacks that matter.
type Scheduler interface {
	// Registered is called once, when the driver has subscribed with the master for the first time. The
	// id is the framework's from now on: a scheduler that wants to find its tasks again after a crash
	// keeps it, or lets [Config.FrameworkIDFile] do so.
	Registered(d Driver, id *mesos.FrameworkID, master *mesos.MasterInfo)

	// Reregistered is called each time the driver has subscribed again after Disconnected, perhaps with
	// another master. The driver reconciles by itself: the states of all tasks follow as status updates.
	Reregistered(d Driver, master *mesos.MasterInfo)

	// Disconnected is called when the master is lost. Tasks go on, all offers are void, and the driver
	// subscribes again by itself.
	Disconnected(d Driver)

	// ResourceOffers brings offers. Each is answered by LaunchTasks, AcceptOffers or DeclineOffer; until
	// then its resources are withheld from everybody else.
	ResourceOffers(d Driver, offers []*mesos.Offer)

	// OfferRescinded takes an offer back. Tasks launched on it all the same will be lost.
	OfferRescinded(d Driver, id *mesos.OfferID)

	// StatusUpdate brings the state of a task, at least once and in order. Unless acknowledgements are
	// explicit, the driver acknowledges when the callback returns; a scheduler that dies inside it sees
	// the update again.
	StatusUpdate(d Driver, status *mesos.TaskStatus)

	// FrameworkMessage hands over bytes from an executor. Such messages are best effort.
	FrameworkMessage(d Driver, executor *mesos.ExecutorID, agent *mesos.AgentID, data []byte)

	// AgentLost is called when an agent has been removed. Updates about its tasks come separately.
	AgentLost(d Driver, agent *mesos.AgentID)

	// ExecutorLost is called when an executor has ended, with its exit status as wait(2) gives it.
	// Updates about its tasks come separately.
	ExecutorLost(d Driver, executor *mesos.ExecutorID, agent *mesos.AgentID, status int)

	// Error is called when the driver cannot go on, for instance because the master refused the
	// framework. The driver is aborted by then; it is the last callback.
	Error(d Driver, err error)
}

// Base is a Scheduler whose callbacks do nothing, to be embedded. A scheduler that takes no offers up
// should at least decline them.
type Base struct{}

var _ Scheduler = Base{}

// Registered does nothing.
func (Base) Registered(Driver, *mesos.FrameworkID, *mesos.MasterInfo) {}

// Reregistered does nothing.
func (Base) Reregistered(Driver, *mesos.MasterInfo) {}

// Disconnected does nothing.
func (Base) Disconnected(Driver) {}

// ResourceOffers does nothing.
func (Base) ResourceOffers(Driver, []*mesos.Offer) {}

// OfferRescinded does nothing.
func (Base) OfferRescinded(Driver, *mesos.OfferID) {}

// StatusUpdate does nothing.
func (Base) StatusUpdate(Driver, *mesos.TaskStatus) {}

// FrameworkMessage does nothing.
func (Base) FrameworkMessage(Driver, *mesos.ExecutorID, *mesos.AgentID, []byte) {}

// AgentLost does nothing.
func (Base) AgentLost(Driver, *mesos.AgentID) {}

// ExecutorLost does nothing.
func (Base) ExecutorLost(Driver, *mesos.ExecutorID, *mesos.AgentID, int) {}

// Error does nothing; [Driver.Err] has the error.
func (Base) Error(Driver, error) {}

// Status is the state of a driver.
type Status = mesos.Status

// The states of a driver. Running is left once, for Aborted or Stopped; an aborted driver can still be
// stopped.
const (
	NotStarted = mesos.Status_DRIVER_NOT_STARTED // New; only Start and Run do anything.
	Running    = mesos.Status_DRIVER_RUNNING     // Started.
	Aborted    = mesos.Status_DRIVER_ABORTED     // Given up, by Abort or because of an error.
	Stopped    = mesos.Status_DRIVER_STOPPED     // Ended in order.
)

// Driver connects a [Scheduler] with the cluster. [NewDriver] makes one; callbacks are given the same one.
//
// All methods may be called from any goroutine and from inside any callback; none of them waits for the
// master, except Stop, Join and Run. A method that makes no sense in the driver's state does nothing, and
// says so by the status that it returns: what was asked for has been done if, and only if, the status is
// Running. Calls leave in the order in which they were made.
type Driver interface {
	// Start begins to subscribe. It does something only on a new driver, and comes before anything else
	// but Run.
	Start() Status

	// Stop ends the driver: no callback begins after it. Stop(false) also ends the framework: all its
	// tasks and executors are killed. Stop(true) only disconnects, so that another scheduler may take over
	// within the framework's failover timeout. Calls made before still leave; Stop waits for them, and for
	// the end of the framework, at most for [Config.StopTimeout].
	//
	// An aborted driver can be stopped, and should be, because it keeps its subscription until then; Stop
	// does its work and returns Aborted.
	Stop(failover bool) Status

	// Abort ends callbacks: none begins after it. Offers, present and future ones, are handed back. The
	// subscription stays, so that Stop can still end the framework.
	Abort() Status

	// Join waits until the driver is stopped or aborted, and tells which. It returns at once if the
	// driver is not running.
	Join() Status

	// Run starts the driver and, if that made it run, waits until it is stopped or aborted and until no
	// callback runs any more. The end of the context is a Stop(true): a scheduler that is told to go does
	// not take its framework along. (Run then returns Stopped.)
	Run(ctx context.Context) Status

	// Err says why the driver was aborted. It is nil unless [Scheduler.Error] was due.
	Err() error

	// LaunchTasks launches tasks on one offer or on several offers of one agent. What the tasks leave of
	// the offers is declined with the given filters; without tasks, all of it. Tasks that certainly did
	// not reach the master are reported lost by StatusUpdate. The driver never repeats a launch.
	//
	// The messages are not copied and must not be changed afterwards.
	LaunchTasks(offers []*mesos.OfferID, tasks []*mesos.TaskInfo, filters *mesos.Filters) Status

	// AcceptOffers performs operations, launches among them, in the given order, on one offer or on
	// several offers of one agent.
	AcceptOffers(offers []*mesos.OfferID, operations []*mesos.Offer_Operation, filters *mesos.Filters) Status

	// DeclineOffer gives an offer back. The filters say for how long its resources shall not be offered
	// again; nil means the default of 5 seconds.
	DeclineOffer(offer *mesos.OfferID, filters *mesos.Filters) Status

	// KillTask asks for a task to be killed.
	KillTask(task *mesos.TaskID) Status

	// ReviveOffers removes all filters of the framework and asks for offers again, for the given roles or
	// for all.
	ReviveOffers(roles ...string) Status

	// SuppressOffers asks for no more offers, for the given roles or for all, until ReviveOffers.
	SuppressOffers(roles ...string) Status

	// RequestResources asks for resources. A master need not listen.
	RequestResources(requests []*mesos.Request) Status

	// ReconcileTasks asks for the present state of the given tasks (task_id, and agent_id if known), or
	// of all tasks if none is given. The answers come as status updates.
	ReconcileTasks(statuses []*mesos.TaskStatus) Status

	// AcknowledgeStatusUpdate acknowledges an update, when acknowledgements are explicit.
	AcknowledgeStatusUpdate(status *mesos.TaskStatus) Status

	// SendFrameworkMessage sends bytes to an executor, best effort. The bytes are not copied and must not
	// be changed afterwards.
	SendFrameworkMessage(executor *mesos.ExecutorID, agent *mesos.AgentID, data []byte) Status
}
