// Package cluster is the master's core: the whole of what the leading master knows and decides, as a
// pure state machine.
//
// It owns the frameworks, agents, offers, tasks and executors of the cluster and the rules by which
// they change. It refuses to know how any of them is reached: streams, links and requests are names
// that the shell (internal/master) gives out, time and new facts come in as inputs, and what has to
// happen goes out as outputs.
//
// # One request, from end to end
//
//	Subscribe         frameworks.go   → Persist{AdmitFramework}; on Persisted → Send{Subscribed}
//	AgentSubscribe    agents.go       → Persist{AdmitAgent};     on Persisted → ToAgent{Welcome}
//	(allocation)      offers.go       → Send{Offers}
//	Accept            launch.go       validated; the task is TASK_STAGING here → ToAgent{RunTask}
//	AgentUpdate       updates.go      the task's state moves → Send{Update}
//	Acknowledge       updates.go      → ToAgent{Acknowledge}; a terminal task becomes history
//
// # Invariants
//
// A resource of an agent is in at most one of: free, an offer, a live task, a live executor. A task
// holds its resources until its agent has said that it ended: not when somebody asked for its end. A
// framework's events leave in the order in which the core produced them. A framework that was torn
// down stays in the books, without a voice, until no agent runs anything of it.
//
// Outputs leave in order, but for one thing: what must not be seen before a record is durable is held
// back by the core itself until Persisted names the record's ticket.
//
// Start reading at Step in cluster.go, then input.go and output.go.
package cluster
