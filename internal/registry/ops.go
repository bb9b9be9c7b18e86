package registry

import (
	"time"

	"github.com/meseta/meseta/internal/ids"
)

// Op is a durable change, a named value. All of them are in this file. An op says how things are
// afterwards, not what to do, so that applying it twice is applying it once.
type Op interface{ op() }

type (
	// AdmitAgent remembers an agent, or the info that an agent of that id now has. It may have been
	// unreachable until now.
	AdmitAgent struct {
		ID   ids.AgentID
		Info []byte // mesos.v1.AgentInfo
	}

	// RemoveAgent forgets an agent that said goodbye.
	RemoveAgent struct{ ID ids.AgentID }

	// MarkAgentUnreachable remembers that an agent was lost, so that it may come back as itself.
	MarkAgentUnreachable struct {
		ID    ids.AgentID
		Since time.Time
	}

	// MarkAgentGone remembers that an agent was declared gone, so that it may not come back.
	MarkAgentGone struct {
		ID    ids.AgentID
		Since time.Time
	}

	// AdmitFramework remembers a framework, or what changed of it.
	AdmitFramework struct {
		ID        ids.FrameworkID
		Info      []byte // mesos.v1.FrameworkInfo without its id; its failover timeout is in there
		Principal string // that the framework authenticated with; empty when it did not
	}

	// RemoveFramework remembers only that the framework's id is not to be used again.
	RemoveFramework struct {
		ID ids.FrameworkID
		At time.Time
	}

	// KeepDetachedFramework remembers the framework that the masters run for detached tasks.
	KeepDetachedFramework struct{ ID ids.FrameworkID }

	// DropDetachedFramework forgets it.
	DropDetachedFramework struct{ ID ids.FrameworkID }

	// KeepDetachedTask remembers a detached task, or what it is now.
	KeepDetachedTask struct {
		ID   ids.TaskID
		Task []byte // DetachedTaskState
	}

	// DropDetachedTask forgets a detached task.
	DropDetachedTask struct{ ID ids.TaskID }
)

func (AdmitAgent) op()            {}
func (RemoveAgent) op()           {}
func (MarkAgentUnreachable) op()  {}
func (MarkAgentGone) op()         {}
func (AdmitFramework) op()        {}
func (RemoveFramework) op()       {}
func (KeepDetachedFramework) op() {}
func (DropDetachedFramework) op() {}
func (KeepDetachedTask) op()      {}
func (DropDetachedTask) op()      {}

// State is everything that the registry remembers, each list in the order of its ids.
type State struct {
	Agents            []Agent
	UnreachableAgents []UnreachableAgent
	GoneAgents        []GoneAgent
	Frameworks        []Framework
	RemovedFrameworks []RemovedFramework

	DetachedFrameworks []ids.FrameworkID // none or one
	DetachedTasks      []DetachedTask
}

// Agent is an agent that belongs to the cluster.
type Agent struct {
	ID   ids.AgentID
	Info []byte // mesos.v1.AgentInfo
}

// UnreachableAgent is an agent that was lost and may come back.
type UnreachableAgent struct {
	ID    ids.AgentID
	Since time.Time
}

// GoneAgent is an agent that may not come back.
type GoneAgent struct {
	ID    ids.AgentID
	Since time.Time
}

// Framework is a framework that is known and may have tasks.
type Framework struct {
	ID        ids.FrameworkID
	Info      []byte // mesos.v1.FrameworkInfo without its id
	Principal string
}

// RemovedFramework is the id of a framework that ended.
type RemovedFramework struct {
	ID ids.FrameworkID
	At time.Time
}

// DetachedTask is a task of the masters' own framework that is not known to be with an agent yet.
type DetachedTask struct {
	ID   ids.TaskID
	Task []byte // DetachedTaskState
}
