package node

import (
	"fmt"
	"slices"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// A status travels like this:
//
//	made ──report──▶ recorded ──safe──▶ forwarded ◀──retry──┐
//	                                       │  └─────────────┘
//	                                  acknowledged ──safe──▶ the next one
//
// Of each task only the oldest is on its way, so that a framework sees them in order whatever is lost.

// report makes a status the latest of its task and owes it to the framework. A task that has ended stays
// as it is.
func (n *Node) report(t *task, s *Status) {
	if IsTerminal(t.state) {
		n.emit(Notice{What: NoticeLateStatus, Framework: t.framework.ID, Task: t.id, Detail: s.State.String()})
		return
	}
	t.state = s.State
	n.remember(t, s)
	if t.framework.ending {
		n.reportUnowed(t, s)
		return
	}
	n.recordAs(StatusRecord{Framework: t.framework.ID, Task: t.id, Status: s}, t.needs(s))
	n.owe(t, s, n.commits.mark(t.needs(s)))
	if IsTerminal(s.State) {
		n.taskEnded(t)
	}
	n.after(t.needs(s), func() { n.forward(t) })
}

// reportUnowed tells the master how a task of a framework ended that nobody listens for any more.
func (n *Node) reportUnowed(t *task, s *Status) {
	nameless := *s
	nameless.UUID = UUID{}
	n.tell(Update{Framework: t.framework.ID, Task: t.id, Status: &nameless, Latest: s.State})
	if IsTerminal(s.State) {
		n.taskEnded(t)
		n.removeTask(t)
	}
}

// taskEnded takes a task from its executor.
func (n *Node) taskEnded(t *task) {
	if e := t.executor; e != nil {
		e.removeTask(t)
		n.demandChanged(e)
		t.executor = nil
	}
	t.queued, t.kill = false, nil
	n.emit(Notice{What: NoticeTaskEnded, Framework: t.framework.ID, Task: t.id, Detail: t.state.String()})
}

// owe puts a status at the end of the queue.
func (n *Node) owe(t *task, s *Status, m mark) {
	t.owed = append(t.owed, owed{Status: s, mark: m})
	t.framework.owed++
	t.framework.owedBytes += s.size()
	n.crowd++
}

// settle takes the oldest status off the queue.
func (n *Node) settle(t *task) {
	t.framework.owed--
	t.framework.owedBytes -= t.owed[0].size()
	n.crowd--
	t.owed[0] = owed{}
	t.owed = t.owed[1:]
}

// owesTooMuch says what is too much of what a framework has not acknowledged; "" while it is not. Launches are
// refused at once the bounds, updates, which are harder to do without, at twice.
func (n *Node) owesTooMuch(f *framework, times int) string {
	switch {
	case f.owed >= times*n.config.MaxUnacknowledged:
		return fmt.Sprintf("%d unacknowledged status updates on this agent, the limit is %d", f.owed, times*n.config.MaxUnacknowledged)
	case f.owedBytes >= times*n.config.MaxUnacknowledgedBytes:
		return fmt.Sprintf("%d bytes of unacknowledged status updates on this agent, the limit is %d", f.owedBytes, times*n.config.MaxUnacknowledgedBytes)
	}
	return ""
}

// remember keeps a status as the last one of its state.
func (n *Node) remember(t *task, s *Status) {
	n.described -= t.described()
	defer func() { n.described += t.described() }()
	t.statuses = slices.DeleteFunc(slices.Clone(t.statuses), func(old *Status) bool { return old.State == s.State })
	t.statuses = append(t.statuses, s.withoutData())
}

// forward sends the oldest status if it may be said and is not on its way yet.
func (n *Node) forward(t *task) {
	if t.inFlight || len(t.owed) == 0 || !n.commits.sayable(t.owed[0]) || !n.link.up {
		return
	}
	t.inFlight = true
	t.delay = n.config.RetryMin
	n.sendHead(t)
}

func (n *Node) sendHead(t *task) {
	head := t.owed[0]
	t.told = head.State
	n.tell(Update{Framework: t.framework.ID, Task: t.id, Status: head.Status, Latest: t.shownState(&n.commits)})
	n.timers.set(&t.retry, n.in(t.delay), (*retryAlarm)(t))
}

// retryAlarm is a task whose status was not acknowledged in time.
type retryAlarm task

func (a *retryAlarm) rings(n *Node) {
	t := (*task)(a)
	if !n.link.up {
		t.inFlight = false // the next session begins with it
		return
	}
	t.delay = min(2*t.delay, n.config.RetryMax)
	n.sendHead(t)
}

// forwardEverything sends all that is owed on a new link.
func (n *Node) forwardEverything() {
	for _, f := range n.orderedFrameworks() {
		n.forwardAll(f)
	}
}

// forwardAll sends all that is owed to a framework, on its way or not.
func (n *Node) forwardAll(f *framework) {
	if f.owed == 0 {
		return
	}
	for _, t := range f.orderedTasks() {
		t.inFlight = false
		n.timers.stop(&t.retry)
		n.forward(t)
	}
}

// acknowledge takes the oldest status off the queue if it is the one that is meant. Anything else is a
// repetition, or means a status of another run.
//
// If another status waits, it waits until the acknowledgement is as safe as its status had to be: were it lost
// in a crash, the framework would hear the older status again behind the newer one.
func (n *Node) acknowledge(in Acknowledge) {
	f := n.frameworks[in.Framework]
	if f == nil {
		return
	}
	t := f.tasks[in.Task]
	if t == nil || len(t.owed) == 0 || t.owed[0].UUID != in.UUID || !n.commits.sayable(t.owed[0]) {
		return
	}
	if len(t.owed) == 1 {
		n.recordLazily(AckRecord(in))
		n.acknowledged(t)
		return
	}
	safe := t.needs(t.owed[0].Status)
	n.recordAs(AckRecord(in), safe)
	n.acknowledged(t)
	t.owed[0].after = n.commits.mark(safe)
	n.after(safe, func() { n.forward(t) })
}

// acknowledged drops the oldest status; with the last one of a task that has ended, the task is history.
func (n *Node) acknowledged(t *task) {
	t.told = t.owed[0].State
	n.settle(t)
	if len(t.owed) == 0 {
		t.owed = nil
	}
	t.inFlight = false
	n.timers.stop(&t.retry)
	if t.past() {
		n.moveToHistory(t)
	}
}

// past reports whether nothing will ever be said about the task again.
func (t *task) past() bool { return IsTerminal(t.state) && len(t.owed) == 0 }

// shownState is the latest state that may be shown.
func (t *task) shownState(c *commits) mesos.TaskState {
	for _, o := range slices.Backward(t.owed) {
		if c.has(o.mark) {
			return o.State
		}
	}
	if len(t.owed) == 0 {
		return t.state
	}
	return t.told
}

// shownStatuses are the statuses that may be shown.
func (t *task) shownStatuses(c *commits) []*Status {
	shown := slices.Clone(t.statuses)
	for _, o := range t.owed {
		if !c.has(o.mark) {
			shown = slices.DeleteFunc(shown, func(s *Status) bool { return s.UUID == o.UUID })
		}
	}
	return shown
}

// ---- how the agent words its own statuses

// commandStatus is what the executor of a command task says.
func (n *Node) commandStatus(t *task, state mesos.TaskState, message string) *Status {
	return &Status{
		UUID:      n.newUUID(),
		State:     state,
		Source:    mesos.TaskStatus_SOURCE_EXECUTOR,
		Reason:    NoReason,
		Message:   message,
		Executor:  ids.ExecutorID(t.id),
		Timestamp: n.now.Seconds(),
		Container: t.container,
		PID:       t.pid(),
	}
}

// agentStatus is what the agent says about a task for which no executor speaks.
func (n *Node) agentStatus(t *task, state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) *Status {
	executor := t.owner
	if executor == "" {
		executor = ids.ExecutorID(t.id)
	}
	return &Status{
		UUID:      n.newUUID(),
		State:     state,
		Source:    mesos.TaskStatus_SOURCE_AGENT,
		Reason:    reason,
		Message:   message,
		Executor:  executor,
		Timestamp: n.now.Seconds(),
	}
}

// pid is that of the task's container.
func (t *task) pid() int {
	if t.executor == nil {
		return 0
	}
	return t.executor.pid
}
