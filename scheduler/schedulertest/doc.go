// Package schedulertest is a cluster inside go test, for the tests of schedulers.
//
// The scheduler under test is the author's, behind the real driver. What it talks to are the rules of the real
// master and the real agents, by the real HTTP API, on a network in memory. Only the machines are played: a task
// does what the test says. Time is virtual, so that ten minutes pass in no time, and a test takes milliseconds
// and does the same in each run:
//
//	func TestFailedTaskIsRunAgain(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			cluster := schedulertest.New(t, schedulertest.Agents(3, "cpus:4;mem:4096"))
//			cluster.OnTask(func(task *schedulertest.Task) error {
//				task.Sleep(3 * time.Second)
//				return errors.New("out of luck")
//			})
//			cluster.Start(myframework.New(), scheduler.Config{Framework: &mesos.FrameworkInfo{Name: new("mine")}})
//			cluster.WaitFor("try-1", mesos.TaskState_TASK_FAILED)
//			cluster.WaitFor("try-2", mesos.TaskState_TASK_RUNNING)
//		})
//	}
//
// # What tasks do
//
// [Cluster.OnTask] takes the script of all tasks: a function that a task runs. It returns when the task ends: nil
// is TASK_FINISHED, an error TASK_FAILED with its text, and a task that was killed is TASK_KILLED whatever it
// returns. Without a script, a task runs until it is killed. Tasks with an ExecutorInfo are run by an executor,
// and can talk to their scheduler ([Task.Send]); or by an executor of the author's, see [Cluster.OnExecutor].
//
// # What goes wrong
//
// Each fault is one line:
//
//	cluster.FailOver(2 * time.Second)               the master dies, another one leads later
//	cluster.Disconnect(time.Minute)                 schedulers lose the master
//	cluster.AgentOf("task").Lose()                  a machine dies, and everything on it
//	cluster.Agent(0).Restart(time.Second)           an agent is upgraded; its tasks go on
//	cluster.Agent(0).Partition(5 * time.Minute)     an agent is cut off, and comes back
//	cluster.Agent(0).KillExecutor("crawler")        an executor dies, and with it its tasks
//	cluster.LoseLaunches(1)                         a task is lost on its way to the agent
//	cluster.LoseUpdates(1), DelayUpdates            a status comes late
//	cluster.LoseAcknowledgements(1), Delay…         a status comes twice
//	cluster.LoseMessages(1)                         a message does not arrive
//	cluster.RescindOffers()                         offers are taken back
//	cluster.Kill("task")                            an operator kills a task
//	cluster.Teardown()                              an operator removes the framework
//	cluster.SendError("no such role")               the master ends the subscription with an error
//
// # What is seen
//
// [Cluster.WaitFor] and [Cluster.Wait] wait, for at most an hour of virtual time, and fail the test with a
// sentence. [Cluster.Sleep] lets time pass. When one of them has returned, callbacks are at rest, and the test may
// look at what they have written. [Cluster.Launched], [Cluster.Declined], [Cluster.Updates], [Cluster.Unacknowledged] and
// [Cluster.Calls] tell what was said. A test that fails logs the history of its cluster: who said and did what,
// and when.
//
// At its end the test stops the driver and ends the cluster; goroutines that are left over make synctest panic,
// and name themselves.
//
// # What it is not
//
// No process is started and no file is written: sandboxes, fetching, isolation and limits are not there, and a
// command is never executed. For those there is a real cluster in one command, meseta dev.
package schedulertest
