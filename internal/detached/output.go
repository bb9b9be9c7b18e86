package detached

import (
	"time"

	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
)

// Output is something that has to happen, in the order in which they came. The variants are all in this file.
type Output interface{ output() }

type (
	// Subscribe subscribes the framework, or changes its roles. Subscribed or Closed follows.
	Subscribe struct {
		Framework  ids.FrameworkID
		Roles      []ids.Role
		Suppressed []ids.Role
	}

	// Accept launches tasks on an offer.
	Accept struct {
		Offer    ids.OfferID
		Agent    ids.AgentID
		Launches []Launch
	}

	// Decline gives an offer back.
	Decline struct {
		Offer  ids.OfferID
		Refuse time.Duration // how long not to offer the same again
	}

	// Revive asks for offers to roles.
	Revive []ids.Role

	// Suppress stops offers to roles.
	Suppress []ids.Role

	// Acknowledge confirms a status.
	Acknowledge struct {
		Task  ids.TaskID
		Agent ids.AgentID
		UUID  UUID
	}

	// End asks the master to end a task that an agent has.
	End struct {
		Task  ids.TaskID
		Agent ids.AgentID
	}

	// Reconcile asks for the state of tasks.
	Reconcile []Placed

	// Persist makes records durable; Persisted follows with the ticket.
	Persist struct {
		Ticket  Ticket
		Records []Record
	}

	// Answer answers a request.
	Answer struct {
		Request   Request
		Framework ids.FrameworkID
		Tasks     []ids.TaskID // of a Run
		Agent     ids.AgentID  // of a Kill: where the task may be; empty if it had not been launched
		Verdict   Verdict
		Text      string // why it is refused
	}

	// Notice is a fact for the log.
	Notice struct {
		Text  string
		Attrs []any // alternating keys and values
	}
)

func (Subscribe) output()   {}
func (Accept) output()      {}
func (Decline) output()     {}
func (Revive) output()      {}
func (Suppress) output()    {}
func (Acknowledge) output() {}
func (End) output()         {}
func (Reconcile) output()   {}
func (Persist) output()     {}
func (Answer) output()      {}
func (Notice) output()      {}

// Verdict is how a request fared.
type Verdict uint8

// The verdicts.
const (
	Done    Verdict = iota // durably
	Refused                // Text says why
	NotMine                // no task of that name waits or is being launched
)

// Launch is a task with its share of an offer.
type Launch struct {
	Task  ids.TaskID
	Spec  []byte
	Share demand.Share
}

// Placed is a task that may be with an agent.
type Placed struct {
	Task  ids.TaskID
	Agent ids.AgentID
}

// Record is a change of what has to be remembered.
type Record interface{ record() }

type (
	// KeepFramework remembers the framework's id.
	KeepFramework struct{ ID ids.FrameworkID }

	// DropFramework forgets it.
	DropFramework struct{ ID ids.FrameworkID }

	// KeepTask remembers a task as it is now.
	KeepTask struct{ Task Task }

	// DropTask forgets a task.
	DropTask struct{ ID ids.TaskID }
)

func (KeepFramework) record() {}
func (DropFramework) record() {}
func (KeepTask) record()      {}
func (DropTask) record()      {}
