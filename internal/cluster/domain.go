package cluster

import (
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// Capabilities are the framework capabilities that change how the master treats a framework, as a set
// of bits numbered by mesos.v1.FrameworkInfo.Capability.Type.
type Capabilities uint32

// Has tells whether a capability is in the set.
func (c Capabilities) Has(t mesos.FrameworkInfo_Capability_Type) bool { return c&(1<<uint(t)) != 0 }

// With adds a capability to the set.
func (c Capabilities) With(t mesos.FrameworkInfo_Capability_Type) Capabilities {
	return c | 1<<uint(t)
}

// FrameworkInfo is what a scheduler says of itself.
type FrameworkInfo struct {
	ID              ids.FrameworkID // empty for a new framework
	Name            string
	User            string
	Principal       string
	Role            ids.Role   // of a framework without MULTI_ROLE
	RoleSet         bool       // whether Role was given at all
	Roles           []ids.Role // of a framework with MULTI_ROLE
	Capabilities    Capabilities
	FailoverTimeout time.Duration
	Checkpoint      bool
	Raw             []byte // canonical mesos.v1.FrameworkInfo without id, user and checkpoint
}

// EffectiveRoles are the roles that the framework is offered resources for.
func (f *FrameworkInfo) EffectiveRoles() []ids.Role {
	if f.Capabilities.Has(mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		return f.Roles
	}
	if f.RoleSet {
		return []ids.Role{f.Role}
	}
	return []ids.Role{"*"}
}

// Framework is a framework as everybody may see it.
type Framework struct {
	Info         FrameworkInfo
	Stream       StreamID // empty while it is disconnected
	Registered   core.Time
	Reregistered core.Time // zero until it subscribed again
	Disconnected core.Time // when its stream went away; meaningful while Stream is empty
	Removed      core.Time // zero while it lives
	Suppressed   []ids.Role
}

// Connected tells whether the framework has a stream.
func (f *Framework) Connected() bool { return f.Stream != "" }

// Gone tells whether the framework was torn down or timed out.
func (f *Framework) Gone() bool { return f.Removed != core.Time{} }

// PartitionAware tells how the framework wants to hear of tasks that were lost.
func (f *Framework) PartitionAware() bool {
	return f.Info.Capabilities.Has(mesos.FrameworkInfo_Capability_PARTITION_AWARE)
}

// AgentInfo is what an agent says of itself.
type AgentInfo struct {
	Hostname   string
	IP         string
	Port       int32
	Release    string
	Resources  Resources
	Attributes [][]byte // canonical mesos.v1.Attribute each
	Raw        []byte   // canonical mesos.v1.AgentInfo without its id
}

// Agent is an agent as everybody may see it.
type Agent struct {
	ID           ids.AgentID
	Info         AgentInfo
	Link         LinkID // 0 while it is disconnected
	Registered   core.Time
	Reregistered core.Time // zero until it registered again
}

// Connected tells whether the agent has a link.
func (a *Agent) Connected() bool { return a.Link != 0 }

// Offer is a promise of an agent's resources to a framework.
type Offer struct {
	ID        ids.OfferID
	Framework ids.FrameworkID
	Agent     *Agent // as it was when the offer was made
	Role      ids.Role
	Resources Resources    // allocated to Role
	Reader    Capabilities // of the framework: they decide how the offer is written
	Created   core.Time
}

// ExecutorInfo is an executor as a scheduler describes it.
type ExecutorInfo struct {
	ID        ids.ExecutorID
	Framework ids.FrameworkID // as given; empty when it was not
	Name      string
	Resources Resources
	Raw       []byte // canonical mesos.v1.ExecutorInfo without its framework id and resources
}

// TaskInfo is a task as a scheduler describes it.
type TaskInfo struct {
	ID         ids.TaskID
	Name       string
	Agent      ids.AgentID
	Resources  Resources
	HasCommand bool
	Executor   *ExecutorInfo // nil for a command task
	Problem    string        // what is wrong with it that could be seen without knowing the cluster
	Raw        []byte        // canonical mesos.v1.TaskInfo without its resources and executor
}

// executorRaw is the description of the task's executor; empty for a command task.
func (t *TaskInfo) executorRaw() []byte {
	if t.Executor == nil {
		return nil
	}
	return t.Executor.Raw
}

// TaskKey names a task in the whole cluster.
type TaskKey struct {
	Framework ids.FrameworkID
	Task      ids.TaskID
}

// Task is a task as everybody may see it.
type Task struct {
	Key      TaskKey
	Info     TaskInfo
	Role     ids.Role
	State    mesos.TaskState // the latest that is known
	Created  core.Time
	Statuses []Status // the last one of each state, oldest first
	// Shown is the last status that was passed on to the scheduler; reconciliation tells it again.
	Shown Status
}

// Unreachable tells whether the task was on an agent that was given up: it may run still.
func (t *Task) Unreachable() bool { return !t.Shown.UnreachableSince.IsZero() }

// Executor is a custom executor on an agent.
type Executor struct {
	Framework ids.FrameworkID
	Agent     ids.AgentID
	Info      ExecutorInfo
}

// Terminal tells whether a task in the state has ended for good.
func Terminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}
