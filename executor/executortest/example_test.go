package executortest_test

import (
	"fmt"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor/executortest"
	"github.com/meseta/meseta/internal/stage/stagetest"
)

// newSleeper, in these examples, is the executor under test: its tasks sleep for a while, and finish.

func Example() {
	inATest(func(t *testing.T) { // synctest.Test(t, func(t *testing.T) {
		agent := executortest.New(t, newSleeper())
		agent.Launch(nap("siesta", 2*time.Hour))
		agent.WaitFor("siesta", mesos.TaskState_TASK_RUNNING)

		agent.Kill("siesta")
		status := agent.WaitFor("siesta", mesos.TaskState_TASK_KILLED)
		fmt.Println(status.GetMessage())
		fmt.Println(len(agent.Unacknowledged()), "updates not acknowledged")
	})
	// Output:
	// killed on request
	// 0 updates not acknowledged
}

func ExampleAgent_Restart() {
	inATest(func(t *testing.T) {
		sleeper := newSleeper()
		agent := executortest.New(t, sleeper)
		agent.Launch(nap("nap", 30*time.Second))
		agent.WaitFor("nap", mesos.TaskState_TASK_RUNNING)

		agent.Restart(time.Minute) // the agent is upgraded, and the task ends meanwhile
		agent.WaitFor("nap", mesos.TaskState_TASK_FINISHED)
		fmt.Println(sleeper.heard)
	})
	// Output:
	// [registered executor disconnected reregistered]
}

// inATest stands for the two lines in which every test begins:
//
//	func TestSomething(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
var inATest = stagetest.Run
