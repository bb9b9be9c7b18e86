package executor_test

import (
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
)

// startAgent starts an agent for the examples: it launches one task, says what it hears about it, and sends
// SHUTDOWN when the task has ended.
func startAgent() (*executor.Environment, func()) {
	a := new(fakeAgent)
	end := a.Open()
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		subscriptions, calls := a.Incoming()
		sub := <-subscriptions
		task := launch("t1").(*executorpb.Event)
		task.Launch.Task.Data = []byte("12345")
		sub.Send(subscribed(), task)
		for {
			select {
			case call := <-calls:
				hear(sub, call.Message)
			case <-done:
				for len(calls) > 0 {
					hear(sub, (<-calls).Message)
				}
				return
			}
		}
	}()
	return environment(a.Address()), func() {
		close(done)
		<-gone
		end()
	}
}

func hear(sub *subscription, call *executorpb.Call) {
	switch call.GetType() {
	case executorpb.Call_MESSAGE:
		fmt.Printf("agent: message %q\n", call.GetMessage().GetData())
	case executorpb.Call_UPDATE:
		status := call.GetUpdate().GetStatus()
		fmt.Print("agent: ", status.GetState())
		if status.Message != nil {
			fmt.Print(" ", status.GetMessage())
		}
		fmt.Println()
		sub.Send(acknowledged(status))
		if status.GetState() == mesos.TaskState_TASK_FINISHED {
			sub.Send(event(executorpb.Event_SHUTDOWN))
		}
	}
}
