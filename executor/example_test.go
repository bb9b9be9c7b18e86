package executor_test

import (
	"context"
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
)

// counter is an executor whose tasks count the bytes of their data.
type counter struct {
	executor.Base
}

func (c *counter) LaunchTask(d executor.Driver, task *mesos.TaskInfo) {
	d.SendStatusUpdate(&mesos.TaskStatus{
		TaskId: task.GetTaskId(),
		State:  mesos.TaskState_TASK_RUNNING.Enum(),
	})
	result := fmt.Sprintf("%d bytes", len(task.GetData()))
	d.SendFrameworkMessage([]byte(result))
	d.SendStatusUpdate(&mesos.TaskStatus{
		TaskId:  task.GetTaskId(),
		State:   mesos.TaskState_TASK_FINISHED.Enum(),
		Message: &result,
	})
}

func (c *counter) Error(d executor.Driver, err error) { fmt.Println(err) }

func Example() {
	environment, stop := startAgent() // an agent sets it; leave it nil then
	defer stop()

	d, err := executor.NewDriver(&counter{}, executor.Config{Environment: environment})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Run(context.Background()))
	// Output:
	// agent: TASK_RUNNING
	// agent: message "5 bytes"
	// agent: TASK_FINISHED 5 bytes
	// DRIVER_STOPPED
}
