package schedulertest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/stage/stagetest"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

// newQueue, in these examples, is the framework under test: it runs a list of tasks, and those that fail once more.

func Example() {
	inATest(func(t *testing.T) { // synctest.Test(t, func(t *testing.T) {
		cluster := schedulertest.New(t, schedulertest.Agents(3, "cpus:4;mem:4096"))
		cluster.OnTask(func(task *schedulertest.Task) error {
			task.Sleep(3 * time.Second)
			if task.ID() == "thumbnails" {
				return errors.New("out of luck")
			}
			return nil
		})
		cluster.Start(newQueue("thumbnails"), scheduler.Config{})

		status := cluster.WaitFor("thumbnails", mesos.TaskState_TASK_FAILED)
		fmt.Println(status.GetMessage())
		cluster.WaitFor("thumbnails-2", mesos.TaskState_TASK_FINISHED)
		fmt.Println(len(cluster.Launched()), "launches,", len(cluster.Unacknowledged()), "updates not acknowledged")
	})
	// Output:
	// Command exited with status 1: out of luck
	// 2 launches, 0 updates not acknowledged
}

func ExampleAgent_Lose() {
	inATest(func(t *testing.T) {
		cluster := schedulertest.New(t, schedulertest.Agents(2, "cpus:1;mem:1024"))
		cluster.Start(newQueue("index"), scheduler.Config{})
		cluster.WaitFor("index", mesos.TaskState_TASK_RUNNING)

		begin := time.Now()
		cluster.AgentOf("index").Lose()
		cluster.WaitFor("index", mesos.TaskState_TASK_LOST)
		fmt.Println("lost after", time.Since(begin).Round(time.Second))

		cluster.WaitFor("index-2", mesos.TaskState_TASK_RUNNING)
		fmt.Println("runs again, on", cluster.AgentOf("index-2").Name())
	})
	// Output:
	// lost after 1m15s
	// runs again, on agent-1
}

func ExampleCluster_FailOver() {
	inATest(func(t *testing.T) {
		cluster := schedulertest.New(t)
		cluster.OnTask(func(task *schedulertest.Task) error { return task.Sleep(10 * time.Minute) })
		framework := newQueue("backup")
		cluster.Start(framework, scheduler.Config{
			Framework: &mesos.FrameworkInfo{FailoverTimeout: new(3600.0)},
		})
		cluster.WaitFor("backup", mesos.TaskState_TASK_RUNNING)

		cluster.FailOver(5 * time.Second) // the master dies, and another one leads 5 s later
		cluster.WaitFor("backup", mesos.TaskState_TASK_FINISHED)
		fmt.Println(framework.heard)
	})
	// Output:
	// [disconnected reregistered]
}

// inATest stands for the two lines in which every test begins:
//
//	func TestSomething(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
var inATest = stagetest.Run
