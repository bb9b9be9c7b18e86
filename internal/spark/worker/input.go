package worker

import (
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Input is one thing that happened. The variants of this file are all there are.
type Input interface{ input() }

// Start begins: the Worker looks for its Masters.
type Start struct{}

// Tick says that time has passed.
type Tick struct{}

// Received is a message from a Master.
type Received struct{ Message deploy.Message }

// Unreadable is a message of a Master to start something that could not be understood. Either Executor or
// Driver says what.
type Unreadable struct {
	Executor *ExecutorID
	Driver   string
	Err      string
}

// Disconnected says that a connection is gone.
type Disconnected struct{ Conn endpoint.ConnID }

// ExecutorChanged is what the runner of an executor tells: that it runs, or how it ended, once.
type ExecutorChanged struct {
	ID         ExecutorID
	State      deploy.ExecutorState
	Message    *string
	ExitStatus *int
}

// DriverChanged is what the runner of a driver tells: how it ended, once.
type DriverChanged struct {
	ID        string
	State     deploy.DriverState
	Exception *deploy.Exception
}

// Reported answers a Report: Err is empty if the Master has taken it.
type Reported struct {
	Report  deploy.ExecutorStateChanged
	Err     string
	Timeout bool // the Master did not answer in time, so it need not be waited for
}

// Decommission is a person's or a machine's word that the Worker is to go.
type Decommission struct{}

// Stop ends everything that runs here.
type Stop struct{}

func (Start) input()           {}
func (Tick) input()            {}
func (Received) input()        {}
func (Unreadable) input()      {}
func (Disconnected) input()    {}
func (ExecutorChanged) input() {}
func (DriverChanged) input()   {}
func (Reported) input()        {}
func (Decommission) input()    {}
func (Stop) input()            {}
