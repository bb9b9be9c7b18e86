package executorcore

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// Input is one thing that happens to a driver.
type Input interface{ input() }

// What the executor asks its driver for.
type (
	// Start begins to subscribe.
	Start struct{}

	// Stop ends the driver once its updates are acknowledged.
	Stop struct{}

	// Abort ends the driver at once.
	Abort struct{}

	// Update sends the state of a task, at least once. The status is copied.
	Update struct{ Status *mesos.TaskStatus }

	// Message sends bytes to the scheduler, at most once.
	Message struct{ Data []byte }
)

// What the shell reports.
type (
	// Received is an event from a subscription; Size is how many bytes it took on the wire.
	Received struct {
		Stream uint64
		Event  *executorpb.Event
		Size   int
	}

	// Closed says that a subscription could not be made or has ended. Refused means that the agent does
	// not want it and would not want it a moment later either.
	Closed struct {
		Stream  uint64
		Refused bool
		Err     error
	}

	// Answered says what became of a Send. There is one for each Send.
	Answered struct {
		Stream  uint64
		Call    *executorpb.Call
		Outcome outcome.Outcome
		Err     error // unless Outcome is Accepted
	}

	// Returned says that the callback which was out has returned.
	Returned struct{}

	// Tick says nothing but the time. It is due at NextDeadline.
	Tick struct{}
)

func (Start) input()    {}
func (Stop) input()     {}
func (Abort) input()    {}
func (Update) input()   {}
func (Message) input()  {}
func (Received) input() {}
func (Closed) input()   {}
func (Answered) input() {}
func (Returned) input() {}
func (Tick) input()     {}
