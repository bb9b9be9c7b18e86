// Package executortest is an agent inside go test, for the tests of executors.
//
// The executor under test is the author's, behind the real driver. What it talks to are the rules of the real agent,
// by the real HTTP API, on a network in memory. The test is the scheduler: it launches tasks, kills them, sends
// messages, and sees what comes back. Time is virtual, so that fifteen minutes without an agent pass in no time, and
// a test takes milliseconds and does the same in each run:
//
//	func TestKilledTaskSaysSo(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			agent := executortest.New(t, &counter{})
//			agent.Launch(&mesos.TaskInfo{TaskId: &mesos.TaskID{Value: new("count")}})
//			agent.WaitFor("count", mesos.TaskState_TASK_RUNNING)
//			agent.Kill("count")
//			agent.WaitFor("count", mesos.TaskState_TASK_KILLED)
//		})
//	}
//
// The executor begins with the first launch, as executors do, and ends with the test, if it has not before: it is shut
// down, and has its grace period to end its tasks. What it leaves running makes synctest panic, and names itself. An
// executor that waits for a real network or a real process keeps virtual time from passing: give it something that
// is played, too.
//
// # What goes wrong
//
// Each fault is one line:
//
//	agent.Restart(time.Minute)         the agent is upgraded: Disconnected, Reregistered
//	agent.Restart(20 * time.Minute)    it stays away for longer than the recovery timeout: Shutdown
//	agent.Disconnect()                 the connection breaks
//	agent.LoseAcknowledgements(1)      the executor does not hear that an update has arrived, and repeats it
//	agent.DelayAcknowledgements(1, d)  or hears it late
//	agent.KillProcess()                the process is killed
//
// # What is seen
//
// [Agent.WaitFor] and [Agent.Wait] wait, for at most an hour of virtual time, and fail the test with a sentence;
// [Agent.Sleep] lets time pass. When one of them has returned, callbacks are at rest. [Agent.Updates],
// [Agent.Messages] and [Agent.Unacknowledged] tell what the executor has said. A test that fails logs the history of
// its agent.
package executortest
