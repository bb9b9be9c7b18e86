// Package scheduler is the SDK for people who write frameworks: programs that take offers of resources
// and decide which tasks run where.
//
// A framework implements [Scheduler], embedding [Base] for the callbacks that it does not need, and gives it
// to a driver:
//
//	d, err := scheduler.NewDriver(&crawler{}, scheduler.Config{
//		Masters:   []string{"localhost:5050"},
//		Framework: &mesos.FrameworkInfo{Name: new("crawler")},
//	})
//	if err != nil {
//		return err
//	}
//	status := d.Run(ctx)
//	d.Stop(false) // after an abort, too: this ends the framework
//
// The driver finds the leading master, subscribes, and subscribes again whenever it has to. It calls the
// Scheduler back with what happens:
//
//	Registered      the framework is known to the cluster
//	ResourceOffers  here are resources; launch tasks on them or decline
//	StatusUpdate    a task has changed its state
//	Disconnected    the master is lost; Reregistered follows when there is one again
//
// and the Scheduler calls the driver: [Driver.LaunchTasks], [Driver.DeclineOffer], [Driver.KillTask] and so
// on, from inside a callback or from anywhere else.
//
// # What the driver promises
//
// Callbacks come one at a time, in the order in which things happened. A slow one delays the others and
// nothing else: heartbeats are heeded and calls leave. A driver's methods never wait for a callback; so
// any of them can be called inside one.
//
// Status updates arrive at least once. An update is acknowledged when its callback has returned, if the driver
// still runs, or by [Driver.AcknowledgeStatusUpdate] if [Config.ExplicitAcknowledgements] asks for it; until
// then it comes again, perhaps to the next scheduler of the same framework.
//
// A launch is sent at most once, because sending it twice could run a task twice. Tasks of a launch that
// certainly did not reach the master are reported as TASK_LOST (TASK_DROPPED, to frameworks with the
// capability PARTITION_AWARE). When nobody knows, the driver asks: after each new subscription it
// reconciles all tasks that it knows to be alive, and all that the master knows if there were schedulers
// before it; and when an agent is lost, those of its tasks about which the master says nothing. It also repeats
// kills of tasks that have not ended, and which roles are suppressed.
//
// Memory is bounded. When 100,000 callbacks (or 256 MiB of events) wait behind a slow one, the driver gives its
// subscription up until half of them are made; framework messages, which are best effort, are dropped from
// half of that on.
//
// # The end
//
// Stop(false) ends the framework and all its tasks. Stop(true) leaves them to the framework's next
// scheduler, which has to come with the same framework id within the failover timeout;
// [Config.FrameworkIDFile] keeps it. Abort ends callbacks and hands offers back, but keeps the subscription, so
// that Stop can still end the framework. When the master ends the subscription with an error, the driver
// aborts by itself, and then calls Scheduler.Error.
//
// # Below the driver
//
// [Client] is the bare protocol: a loop over events, and calls.
package scheduler
