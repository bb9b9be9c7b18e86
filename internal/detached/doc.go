// Package detached is the scheduler of tasks that nobody waits for: what `meseta run --detach` asked for. It
// is a pure core; the leading master runs it as a framework of its own, subscribed like any other.
//
// It owns the tasks that have been asked for and are not yet known to be with an agent. From then on a task
// is the agent's and the master's, as every task is, and all that is left to do is to acknowledge what is
// said of it. It refuses to know what a task does: a demand, a role and some bytes are all it sees.
//
// # The life of a task
//
//	(asked for) ──persist──▶ waiting ──an offer holds it, persist──▶ launching ──any word of it──▶ (dropped)
//	                            ▲                                        │
//	                            └──── proof that it was never launched ──┘
//
// # Invariants
//
// A task runs at most once, whatever dies when. ACCEPT has no name by which it could be repeated, so that
// the intent to launch on an agent is durable before the ACCEPT leaves; who finds such an intent in the
// registry asks that agent first, by reconciliation. Only its word that it has never heard of the task lets
// the task wait again. That word can be trusted because an agent keeps every task until its end has been
// acknowledged, and no end is acknowledged here before the record of the task is durably gone.
//
// A task that was answered for is not forgotten: it runs, or was killed, or its end can be seen.
//
// A kill that was answered for holds: it is part of the record until the task has ended.
//
// While nothing waits for offers of a role, they are suppressed: no resource is ever held without need.
//
// Start reading at Step in core.go, then input.go and output.go.
package detached
