// Command hello is a whole framework: it runs one command on the first offer that it gets, prints what
// becomes of it, and ends.
//
//	meseta dev               # in another terminal
//	go run ./docs/hello
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

type hello struct {
	scheduler.Base // callbacks that do nothing
	launched       bool
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
			Command:   &mesos.CommandInfo{Value: new("echo hello from $MESOS_TASK_ID")},
			Resources: []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)},
		}}, nil)
		h.launched = true
	}
}

func (h *hello) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) {
	fmt.Println(s.GetTaskId().GetValue(), s.GetState(), s.GetMessage())
	switch s.GetState() {
	case mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING: // go on
	case mesos.TaskState_TASK_FINISHED:
		d.Stop(false)
	default:
		d.Abort()
	}
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d, err := scheduler.NewDriver(&hello{}, scheduler.Config{
		Masters:   []string{cmp.Or(os.Getenv("MESETA_MASTER"), "127.0.0.1:5050")},
		Framework: &mesos.FrameworkInfo{Name: new("hello")},
	})
	if err != nil {
		log.Fatal(err)
	}
	status := d.Run(ctx)
	d.Stop(false) // after an abort, too: it ends the framework and whatever it runs
	if status != scheduler.Stopped {
		log.Fatalf("%v %v", status, d.Err())
	}
}
