// Package executor is the SDK for people who write executors: programs that an agent starts and that run a
// framework's tasks.
//
// An executor implements [Executor], embedding [Base] for the callbacks that it does not need, and gives it
// to a driver. Everything that the driver has to know, the agent has put into the environment:
//
//	func main() {
//		d, err := executor.NewDriver(&counter{}, executor.Config{})
//		if err != nil {
//			log.Fatal(err)
//		}
//		if d.Run(context.Background()) != executor.Stopped {
//			log.Fatal(d.Err())
//		}
//	}
//
// The driver subscribes with its agent and calls the Executor back:
//
//	Registered        here is who you are, and whose
//	LaunchTask        run this; send TASK_RUNNING, and in the end how it ended
//	KillTask          end that one, and send TASK_KILLED
//	FrameworkMessage  bytes from the scheduler
//	Shutdown          end everything; Run returns Stopped after it
//
// # What the driver promises
//
// Callbacks come one at a time, in the order in which things happened. A slow one delays the others and
// nothing else: updates leave and are acknowledged. A driver's methods never wait for a callback; so any of
// them can be called inside one.
//
// An update that was handed to [Driver.SendStatusUpdate] reaches the agent at least once, in order, and is kept
// until the agent says that it has it. The agent keeps it from there.
//
// # When the agent goes away
//
// Agents are upgraded while their executors run. An executor hears Disconnected, and Reregistered when its
// agent is back; meanwhile the driver tries to subscribe again, at random intervals of at most
// MESOS_SUBSCRIPTION_BACKOFF_MAX. Tasks go on, and updates are kept. Only when the agent stays away for
// MESOS_RECOVERY_TIMEOUT, or at once if the executor was not started with MESOS_CHECKPOINT=1, the driver calls
// Shutdown.
//
// # The end
//
// After Shutdown, and after Stop, the driver waits until all updates are acknowledged, at most for
// MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: nothing has to be slept for. Abort waits for nothing. An error that
// leaves no way to go on, such as an update that the agent will never accept, aborts the driver, which then
// calls Executor.Error.
//
// Task groups, which an agent launches as one, arrive as one LaunchTask for each task.
//
// # Below the driver
//
// [Client] is the bare protocol: a loop over events, and calls.
package executor
