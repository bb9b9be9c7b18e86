package sim

// Kind is a kind of fault or of event that is counted. The tests want each of them to have happened.
type Kind string

// Counts says how often each kind happened.
type Counts map[Kind]int

// Faults are all kinds of faults, in the order in which they are listed.
var Faults = []Kind{
	FaultMasterCrash, FaultAgentCrash, FaultSupervisorCrash, FaultReboot, FaultSchedulerCrash, FaultExecutorCrash,
	FaultBetweenOutputs, FaultTornTail, FaultTornRegistry, FaultAgentLink, FaultSchedulerStream, FaultExecutorStream, FaultCalls,
	FaultPartition, FaultOneWayPartition, FaultLateMessage, FaultRepeatedCall, FaultBusy, FaultSlowDisk, FaultSlowRegistry,
	FaultFullDisk, FaultSlowCallback, FaultHungExecutor, FaultSilentExecutor, FaultFetch, FaultExec, FaultStubborn,
	FaultFailover, FaultSchedulerAway,
}

// The kinds of faults.
const (
	FaultMasterCrash     Kind = "master crashed"
	FaultAgentCrash      Kind = "agent crashed"
	FaultSupervisorCrash Kind = "supervisor crashed"
	FaultReboot          Kind = "machine rebooted"
	FaultSchedulerCrash  Kind = "scheduler crashed"
	FaultExecutorCrash   Kind = "executor crashed"
	FaultBetweenOutputs  Kind = "crash between two outputs of a step"
	FaultTornTail        Kind = "unsynced records lost by a crash"
	FaultTornRegistry    Kind = "registry write cut by a crash"
	FaultAgentLink       Kind = "agent link broke"
	FaultSchedulerStream Kind = "scheduler stream broke"
	FaultExecutorStream  Kind = "executor stream broke"
	FaultCalls           Kind = "connection with calls broke"
	FaultPartition       Kind = "partition"
	FaultOneWayPartition Kind = "one-way partition"
	FaultLateMessage     Kind = "message handled after its link closed"
	FaultRepeatedCall    Kind = "call delivered twice"
	FaultBusy            Kind = "call answered 503"
	FaultSlowDisk        Kind = "slow fsync"
	FaultSlowRegistry    Kind = "slow registry"
	FaultFullDisk        Kind = "journal failed"
	FaultSlowCallback    Kind = "slow callback"
	FaultHungExecutor    Kind = "callback of an executor hung"
	FaultSilentExecutor  Kind = "executor never subscribed"
	FaultFetch           Kind = "fetch failed"
	FaultExec            Kind = "exec failed"
	FaultStubborn        Kind = "SIGTERM ignored"
	FaultFailover        Kind = "scheduler failed over to a second one"
	FaultSchedulerAway   Kind = "scheduler away beyond its failover timeout"
)

// Events are all kinds of events, in the order in which they are listed.
var Events = []Kind{
	EventRegistered, EventReregistered, EventDisconnected, EventFrameworkGone, EventAborted, EventStopped, EventTeardown,
	EventAgentNew, EventAgentBack, EventAgentRemoved, EventAgentLeaves, EventOffer, EventRescind, EventAccept, EventDecline, EventManyOffers,
	EventRevive, EventSuppress, EventRequest, EventKill, EventShutdownExecutor, EventToExecutor, EventToScheduler,
	EventReconcileAll, EventReconcileSome, EventExplicitAck, EventAgentLost, EventExecutorLost, EventTooMuch, EventStaleOffer,
	EventStarting, EventRunning, EventKilling, EventFinished, EventFailed, EventKilled, EventLost, EventDropped,
	EventError, EventUnreachable, EventUnknown, EventGone, EventRepeatedStatus, EventReceipt,
	EventRefused, EventContainer, EventExecutorRegistered, EventExecutorBack, EventExecutorDisconnected, EventExecutorKill,
	EventExecutorShutdown, EventExecutorStopped, EventSnapshot, EventReplay, EventFound,
}

// The kinds of events.
const (
	EventRegistered           Kind = "framework registered"
	EventReregistered         Kind = "framework registered again"
	EventDisconnected         Kind = "framework disconnected"
	EventFrameworkGone        Kind = "framework removed after its timeout"
	EventAborted              Kind = "driver aborted by an error"
	EventStopped              Kind = "driver stopped for failover"
	EventTeardown             Kind = "framework torn down"
	EventAgentNew             Kind = "agent registered"
	EventAgentBack            Kind = "agent registered again"
	EventAgentRemoved         Kind = "agent removed"
	EventAgentLeaves          Kind = "agent left"
	EventOffer                Kind = "offer"
	EventRescind              Kind = "offer rescinded"
	EventAccept               Kind = "offer accepted"
	EventDecline              Kind = "offer declined"
	EventManyOffers           Kind = "several offers accepted at once"
	EventRevive               Kind = "revive"
	EventSuppress             Kind = "suppress"
	EventRequest              Kind = "request for resources"
	EventKill                 Kind = "kill"
	EventShutdownExecutor     Kind = "executor shut down by its scheduler"
	EventToExecutor           Kind = "message reached an executor"
	EventToScheduler          Kind = "message reached a scheduler"
	EventReconcileAll         Kind = "reconciliation of all tasks"
	EventReconcileSome        Kind = "reconciliation of named tasks"
	EventExplicitAck          Kind = "explicit acknowledgement"
	EventAgentLost            Kind = "agentLost"
	EventExecutorLost         Kind = "executorLost"
	EventTooMuch              Kind = "launch of more than was offered"
	EventStaleOffer           Kind = "launch on an offer that was gone"
	EventStarting             Kind = "TASK_STARTING"
	EventRunning              Kind = "TASK_RUNNING"
	EventKilling              Kind = "TASK_KILLING"
	EventFinished             Kind = "TASK_FINISHED"
	EventFailed               Kind = "TASK_FAILED"
	EventKilled               Kind = "TASK_KILLED"
	EventLost                 Kind = "TASK_LOST"
	EventDropped              Kind = "TASK_DROPPED"
	EventError                Kind = "TASK_ERROR"
	EventUnreachable          Kind = "TASK_UNREACHABLE"
	EventUnknown              Kind = "TASK_UNKNOWN"
	EventGone                 Kind = "TASK_GONE"
	EventRepeatedStatus       Kind = "status delivered again"
	EventReceipt              Kind = "status acknowledged to its executor"
	EventRefused              Kind = "task refused by its agent"
	EventContainer            Kind = "container started"
	EventExecutorRegistered   Kind = "executor registered"
	EventExecutorBack         Kind = "executor registered again"
	EventExecutorDisconnected Kind = "executor disconnected"
	EventExecutorKill         Kind = "executor asked to kill a task"
	EventExecutorShutdown     Kind = "executor asked to shut down"
	EventExecutorStopped      Kind = "executor stopped by itself"
	EventSnapshot             Kind = "journal replaced by a snapshot"
	EventReplay               Kind = "agent recovered from its journal"
	EventFound                Kind = "living container found after a crash"
)
