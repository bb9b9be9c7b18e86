package node

import (
	"encoding/hex"
	"path"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// UUID names a status; zero means that it has no name.
type UUID [16]byte

// String gives the usual form, 8-4-4-4-12.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	b[8] = '-'
	hex.Encode(b[9:], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:], u[10:])
	return string(b[:])
}

// Framework is what the core needs of a FrameworkInfo, and all of it for passing on.
type Framework struct {
	ID             ids.FrameworkID
	User           string
	PartitionAware bool
	KillingState   bool   // wants to see TASK_KILLING
	Info           []byte // mesos.v1.FrameworkInfo
}

// TaskInfo is what the core needs of a TaskInfo, and all of it for passing on.
type TaskInfo struct {
	ID        ids.TaskID
	Command   Command        // of a command task
	KillGrace *time.Duration // nil: the default
	MaxTime   time.Duration  // from TASK_RUNNING to the kill of a command; 0: none
	Demand    Demand
	Info      []byte // mesos.v1.TaskInfo
}

// ExecutorInfo is what the core needs of an ExecutorInfo, and all of it for passing on.
type ExecutorInfo struct {
	ID            ids.ExecutorID
	Command       Command
	ShutdownGrace *time.Duration // nil: the default
	Demand        Demand
	Info          []byte // mesos.v1.ExecutorInfo
}

// Command is what to run.
type Command struct {
	Shell     bool // Value goes to /bin/sh -c; otherwise it is a program and Arguments its argv
	Value     string
	Arguments []string
	User      string // empty: the framework's
	Variables []Variable
	URIs      []URI
}

// Variable is one entry of an environment.
type Variable struct{ Name, Value string }

// URI is something to bring into the sandbox before the command starts.
type URI struct {
	Value      string
	Executable bool
	Extract    bool
	Cache      bool
	OutputFile string
}

// NoReason stands for the absence of a reason, since Mesos gave the number 0 to a real one.
const NoReason mesos.TaskStatus_Reason = -1

// Status is one status of a task. It never changes once it was made.
type Status struct {
	UUID      UUID
	State     mesos.TaskState
	Source    mesos.TaskStatus_Source
	Reason    mesos.TaskStatus_Reason // NoReason when absent
	Message   string
	Data      []byte
	Executor  ids.ExecutorID  // as shown in the status; empty when absent
	Timestamp float64         // seconds since 1970
	Container ids.ContainerID // shown with the agent's address; empty when absent
	PID       int             // of the container; 0 when not known yet
	Limited   *Limited        // of a container that had too much of something
	Rest      []byte          // mesos.v1.TaskStatus: what an executor gave beyond the fields above
	Named     bool            // Rest has a container_id of its own
	Addressed bool            // Rest has network_infos of its own
}

// withoutData is the status as it is remembered when nobody waits for it any more.
func (s *Status) withoutData() *Status {
	if s.Data == nil {
		return s
	}
	light := *s
	light.Data = nil
	return &light
}

// size is what the status adds to the log.
func (s *Status) size() int { return len(s.Data) + len(s.Message) + len(s.Rest) }

// IsTerminal tells whether a task in this state has ended, or never began.
func IsTerminal(state mesos.TaskState) bool {
	switch state {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}

// Sandbox names the directory of one run of an executor or command task.
type Sandbox struct {
	Agent     ids.AgentID
	Framework ids.FrameworkID
	Executor  ids.ExecutorID // the task's id for a command task
	Container ids.ContainerID
}

// Path is the sandbox's place under a work directory, laid out as Mesos does it.
func (s Sandbox) Path(workDir string) string {
	return path.Join(s.Runs(workDir), string(s.Container))
}

// Runs is the directory that holds the sandboxes of all runs of the same executor, and the link "latest".
func (s Sandbox) Runs(workDir string) string {
	return path.Join(workDir, "slaves", string(s.Agent), "frameworks", string(s.Framework),
		"executors", string(s.Executor), "runs")
}
