package docs_test

import (
	"context"
	"errors"
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

// What sdk.md quotes beside the examples of the packages themselves.

// A reason that was not given reads as the first of the enum.
func Example_reason() {
	s := &mesos.TaskStatus{State: mesos.TaskState_TASK_FINISHED.Enum()}
	fmt.Println("wrong:", s.GetReason())
	if s.Reason != nil {
		fmt.Println("right:", s.GetReason())
	}
	// Output: wrong: REASON_COMMAND_EXECUTOR_FAILED
}

// A service's scheduler: it may crash and come back, and its tasks live on meanwhile.
func Example_service() {
	run := func(ctx context.Context, s scheduler.Scheduler) error {
		d, err := scheduler.NewDriver(s, scheduler.Config{
			Masters: []string{"m1:5050", "m2:5050"},
			Framework: &mesos.FrameworkInfo{
				Name:            new("service"),
				FailoverTimeout: new(7 * 24 * 3600.0), // seconds
				Capabilities: []*mesos.FrameworkInfo_Capability{
					{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
				},
			},
			FrameworkIDFile: "/var/lib/service/framework-id",
		})
		if err != nil {
			return err
		}
		if d.Run(ctx) != scheduler.Stopped { // the end of ctx is a Stop(true)
			return fmt.Errorf("service: %w", d.Err())
		}
		return nil
	}
	_ = run
}

// bookkeeper acknowledges an update when it has noted it down, and not before.
type bookkeeper struct {
	scheduler.Base
	notes chan *mesos.TaskStatus
}

func (b *bookkeeper) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) { b.notes <- s }

func (b *bookkeeper) keepBooks(d scheduler.Driver, note func(*mesos.TaskStatus) error) {
	for s := range b.notes {
		if err := note(s); err == nil {
			d.AcknowledgeStatusUpdate(s)
		} // else it comes again
	}
}

// Acknowledgements by hand need Config.ExplicitAcknowledgements.
func Example_acknowledge() {
	b := &bookkeeper{notes: make(chan *mesos.TaskStatus)}
	d, err := scheduler.NewDriver(b, scheduler.Config{
		Masters:                  []string{"127.0.0.1:5050"},
		Framework:                &mesos.FrameworkInfo{Name: new("bookkeeper")},
		ExplicitAcknowledgements: true,
	})
	if err != nil {
		return
	}
	go b.keepBooks(d, func(*mesos.TaskStatus) error { return errors.New("no paper") })
}
