package scheduler_test

import (
	"context"
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/scheduler"
)

// A framework as a loop, without a driver. It sees every event, and does everything itself.
func ExampleClient_Events() {
	master, stop := startCluster()
	defer stop()

	client, err := scheduler.NewClient(scheduler.Config{
		Masters:   []string{master},
		Framework: &mesos.FrameworkInfo{Name: new("watcher")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx := context.Background()
	for event, err := range client.Events(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch event.GetType() {
		case schedulerpb.Event_SUBSCRIBED:
			fmt.Println("subscribed as", event.GetSubscribed().GetFrameworkId().GetValue())
		case schedulerpb.Event_OFFERS:
			fmt.Println("offers:", len(event.GetOffers().GetOffers()))
			err := client.Call(ctx, &schedulerpb.Call{Type: schedulerpb.Call_TEARDOWN.Enum()})
			if err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// subscribed as F
	// offers: 1
}
