package detached

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Ticket names a Persist output; Persisted brings it back.
type Ticket uint64

// Request names a question that an Answer output answers; the shell gives them out.
type Request uint64

// UUID is that of a status update.
type UUID [16]byte

// Input is anything that can happen. The variants are all in this file.
type Input interface{ input() }

type (
	// Recovered is what the registry remembers of former leaders. It comes before everything else.
	Recovered struct {
		Framework ids.FrameworkID // empty if there never was one
		Gone      bool            // the framework has been removed: its tasks end with it
		Tasks     []Task
	}

	// Run asks for tasks, all alike.
	Run struct {
		Request   Request
		Name      string
		Role      ids.Role
		Demand    demand.Demand
		Spec      []byte
		Instances int
	}

	// Kill asks for the end of a task.
	Kill struct {
		Request   Request
		Framework ids.FrameworkID // if the task of another framework is not meant
		Task      ids.TaskID
	}

	// Subscribed says that the framework is in.
	Subscribed struct{}

	// Closed says that the subscription has ended, or was refused, and why.
	Closed struct{ Reason string }

	// Offers brings new offers.
	Offers []Offer

	// Status is a status of a task. Those that the master made have no UUID.
	Status struct {
		Task   ids.TaskID
		Agent  ids.AgentID
		State  mesos.TaskState
		Reason mesos.TaskStatus_Reason
		UUID   UUID
		Text   string
	}

	// Persisted says that the records of a Persist output are durable.
	Persisted struct{ Ticket Ticket }

	// Tick lets time pass.
	Tick struct{}
)

func (Recovered) input()  {}
func (Run) input()        {}
func (Kill) input()       {}
func (Subscribed) input() {}
func (Closed) input()     {}
func (Offers) input()     {}
func (Status) input()     {}
func (Persisted) input()  {}
func (Tick) input()       {}

// Offer is an offer of one agent's resources to one role.
type Offer struct {
	ID        ids.OfferID
	Agent     ids.AgentID
	Role      ids.Role
	Resources resources.List
}
