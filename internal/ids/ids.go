// Package ids gives every identifier that travels between the rooms of the
// house a type of its own, so that an agent's id cannot be passed where a
// framework's is wanted. The types carry no rules, except that a role is a path
// (role.go): whoever takes an id from outside validates it.
package ids

// FrameworkID names a framework, across its failovers.
type FrameworkID string

// AgentID names an agent, from its first registration until it is removed.
type AgentID string

// ExecutorID names an executor; it is unique only within its framework on one
// agent.
type ExecutorID string

// TaskID names a task; it is chosen by the scheduler and unique within its
// framework while the task lives.
type TaskID string

// OfferID names one offer of one leading master.
type OfferID string

// ContainerID names a container on its agent; nested containers have their
// own.
type ContainerID string

// Role is the path of a role, such as "*", "dev" or "eng/backend".
type Role string
