package detached

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
)

// Task is a task that was asked for and is not yet known to be with an agent. A published Task does not
// change.
type Task struct {
	ID      ids.TaskID
	Name    string
	Role    ids.Role
	Demand  demand.Demand
	Spec    []byte // what the shell makes a task of
	Created time.Time

	Agent  ids.AgentID // it may have been launched there; empty while it waits for an offer
	Killed bool        // it is not to run, or not any longer
}

// Launching tells whether the task may be with an agent.
func (t *Task) Launching() bool { return t.Agent != "" }

// Ended is a task that ended before an agent had it: nobody else can tell of it.
type Ended struct {
	Framework ids.FrameworkID
	Task      Task
	State     mesos.TaskState
	Text      string
	At        time.Time
}

// View is what there is to tell, for readers.
type View struct {
	Framework ids.FrameworkID
	Tasks     []Task // in the order in which they were asked for
	Ended     []Ended
}
