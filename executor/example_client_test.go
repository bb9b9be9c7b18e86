package executor_test

import (
	"context"
	"fmt"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/executor"
)

// An executor as a loop, without a driver. It sees every event, and does everything itself.
func ExampleClient_Events() {
	environment, stop := startAgent()
	defer stop()

	client, err := executor.NewClient(executor.Config{Environment: environment})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx := context.Background()
	for event, err := range client.Events(ctx, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.GetType())
		if event.GetType() == executorpb.Event_LAUNCH {
			err := client.Call(ctx, &executorpb.Call{
				Type:    executorpb.Call_MESSAGE.Enum(),
				Message: &executorpb.Call_Message{Data: []byte("no thanks")},
			})
			if err != nil {
				fmt.Println(err)
			}
			return
		}
	}
	// Output:
	// SUBSCRIBED
	// LAUNCH
	// agent: message "no thanks"
}
