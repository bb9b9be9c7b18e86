package stage

import (
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
)

// Fate is what becomes of a message.
type Fate struct {
	Lost bool
	Late time.Duration
}

// Taps see what is said, and decide what becomes of some of it. All may be nil, and are called inside Do.
type Taps struct {
	// SchedulerCalls sees the calls of schedulers that were accepted, SUBSCRIBE among them, and SchedulerHears
	// the events that they are sent. The messages must not be changed.
	SchedulerCalls func(ids.FrameworkID, *schedulerpb.Call)
	SchedulerHears func(ids.FrameworkID, *schedulerpb.Event)

	// ExecutorCalls and ExecutorHears are the same for executors.
	ExecutorCalls func(*executorpb.Call)
	ExecutorHears func(ids.ExecutorID, *executorpb.Event)

	// Update is asked about each sending of an update from an agent to the master, Acknowledgement about each
	// from a scheduler to the master, Launch about each task on its way to an agent. A launch that is lost
	// takes its connection along.
	Update          func(*mesos.TaskStatus) Fate
	Acknowledgement func(task ids.TaskID) Fate
	Launch          func(task ids.TaskID) Fate

	// Message is asked about each message between a scheduler and an executor, in either direction.
	Message func(executor ids.ExecutorID) Fate

	// Receipt is asked about each ACKNOWLEDGED of an agent to an executor.
	Receipt func(task ids.TaskID) Fate
}

func (t *Taps) update(s *mesos.TaskStatus) Fate {
	if t.Update == nil {
		return Fate{}
	}
	return t.Update(s)
}

// fate asks a tap.
func fate[ID ~string](tap func(ID) Fate, id ID) Fate {
	if tap == nil {
		return Fate{}
	}
	return tap(id)
}
