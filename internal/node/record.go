package node

import (
	"time"

	"github.com/meseta/meseta/internal/ids"
)

// Record is one durable fact. Replayed in order, records give back the state; a snapshot is a shorter list
// of records that gives the same state. The variants of this file are all there are.
type Record interface{ record() }

// IdentityRecord says who the agent is, and the highest leader epoch that it followed.
type IdentityRecord struct {
	Agent   ids.AgentID
	Cluster string
	Epoch   uint64
	Boot    string // the machine's boot under which the following records were written
}

// FrameworkRecord introduces a framework or replaces what was known of it.
type FrameworkRecord struct {
	Framework Framework
	Ending    bool // its shutdown was ordered
}

// FrameworkGone forgets a framework and everything of it.
type FrameworkGone struct{ Framework ids.FrameworkID }

// ExecutorRecord is a custom executor that is about to be started.
type ExecutorRecord struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Container ids.ContainerID
	Grace     time.Duration
	Info      []byte // mesos.v1.ExecutorInfo
	Demand    Demand // as Info says it
}

// ExecutorGone is the end of a custom executor.
type ExecutorGone struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID
	Container ids.ContainerID
}

// TaskRecord is a task that is about to be started or handed over.
type TaskRecord struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	Executor  ids.ExecutorID  // of its custom executor; empty for a command task
	Container ids.ContainerID // of a command task: its own; else of its executor
	KillGrace time.Duration   // of a command task
	MaxTime   time.Duration   // of a command task; 0: none
	Info      []byte          // mesos.v1.TaskInfo
	Demand    Demand          // as Info says it
}

// StatusRecord is a status of a task. In a snapshot Acknowledged marks one that needs no forwarding.
type StatusRecord struct {
	Framework    ids.FrameworkID
	Task         ids.TaskID
	Status       *Status
	Acknowledged bool
}

// AckRecord is the framework's acknowledgement of the task's oldest unacknowledged status.
type AckRecord struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
	UUID      UUID
}

func (IdentityRecord) record()  {}
func (FrameworkRecord) record() {}
func (FrameworkGone) record()   {}
func (ExecutorRecord) record()  {}
func (ExecutorGone) record()    {}
func (TaskRecord) record()      {}
func (StatusRecord) record()    {}
func (AckRecord) record()       {}
