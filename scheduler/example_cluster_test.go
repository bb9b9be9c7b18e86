package scheduler_test

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// startCluster starts a cluster for the examples: it makes one offer, and says of every task that it runs
// and then has finished.
func startCluster() (master string, stop func()) {
	m := new(fakeMaster)
	end := m.Open()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		subscriptions, calls := m.Incoming()
		sub := <-subscriptions
		sub.Send(subscribed(), offers("O1"))
		for call := range calls {
			switch call.Message.GetType() {
			case schedulerpb.Call_TEARDOWN:
				sub.End()
				return
			case schedulerpb.Call_ACCEPT:
				for _, op := range call.Message.GetAccept().GetOperations() {
					for _, t := range op.GetLaunch().GetTaskInfos() {
						id := t.GetTaskId().GetValue()
						sub.Send(update(id, mesos.TaskState_TASK_RUNNING, "0123456789abcdef"),
							update(id, mesos.TaskState_TASK_FINISHED, "fedcba9876543210"))
					}
				}
			}
		}
	}()
	return m.Address(), func() {
		<-gone
		end()
	}
}
