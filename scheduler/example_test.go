package scheduler_test

import (
	"context"
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

// hello is a framework that runs one command on the first offer that it gets.
type hello struct {
	scheduler.Base
	launched bool
}

func (h *hello) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		if h.launched {
			d.DeclineOffer(o.GetId(), nil)
			continue
		}
		d.LaunchTasks([]*mesos.OfferID{o.GetId()}, []*mesos.TaskInfo{{
			Name:      new("greeting"),
			TaskId:    &mesos.TaskID{Value: new("hello-1")},
			AgentId:   o.GetAgentId(),
			Command:   &mesos.CommandInfo{Value: new("echo hello")},
			Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)},
		}}, nil)
		h.launched = true
	}
}

func (h *hello) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) {
	fmt.Println(s.GetTaskId().GetValue(), s.GetState())
	if s.GetState() == mesos.TaskState_TASK_FINISHED {
		d.Stop(false)
	}
}

func (h *hello) Error(d scheduler.Driver, err error) { fmt.Println(err) }

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{
		Name:   &name,
		Type:   mesos.Value_SCALAR.Enum(),
		Scalar: &mesos.Value_Scalar{Value: &value},
	}
}

func Example() {
	master, stop := startCluster() // "localhost:5050", say
	defer stop()

	d, err := scheduler.NewDriver(&hello{}, scheduler.Config{
		Masters:   []string{master},
		Framework: &mesos.FrameworkInfo{Name: new("hello")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Run(context.Background()))
	// Output:
	// hello-1 TASK_RUNNING
	// hello-1 TASK_FINISHED
	// DRIVER_STOPPED
}
