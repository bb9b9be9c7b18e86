package node

import (
	"fmt"
	"slices"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// The HTTP statuses of an Answer. A core has no business with net/http.
const (
	statusOK          = 200
	statusAccepted    = 202
	statusBadRequest  = 400
	statusForbidden   = 403
	statusTooLarge    = 413
	statusUnavailable = 503
)

// seenPerTask is how many updates of a task are known again when an executor repeats them, beside those that
// are still owed.
const seenPerTask = 16

// caller finds the executor that a call comes from, or answers the call.
func (n *Node) caller(r RequestID, framework ids.FrameworkID, id ids.ExecutorID) *executor {
	f := n.frameworks[framework]
	if f == nil {
		n.emit(Answer{r, statusBadRequest, "Framework cannot be found"})
		return nil
	}
	e := f.executors[id]
	if e == nil {
		n.emit(Answer{r, statusBadRequest, "Executor cannot be found"})
		return nil
	}
	return e
}

// subscribedCaller is caller for the calls that need a subscription.
func (n *Node) subscribedCaller(r RequestID, framework ids.FrameworkID, id ids.ExecutorID) *executor {
	e := n.caller(r, framework, id)
	if e != nil && e.stream == 0 {
		n.emit(Answer{r, statusForbidden, "Executor is not subscribed"})
		return nil
	}
	return e
}

// executorSubscribes gives an executor its stream, and on it whatever it has missed. A second
// subscription replaces the first: the executor may know before us that its connection broke.
func (n *Node) executorSubscribes(in ExecutorSubscribes) {
	e := n.caller(in.Request, in.Framework, in.Executor)
	if e == nil {
		return
	}
	if much := n.noStatuses(e.framework, in.Updates...); much != "" && len(in.Updates) > 0 {
		n.putOff(e)
		n.emit(Answer{in.Request, statusUnavailable, much})
		return
	}
	n.dropStreams(e)
	n.streams[in.Stream] = e
	n.emit(Answer{in.Request, statusOK, ""})
	if e.pid == 0 {
		e.early = &in
		return
	}
	n.greet(e, in)
}

// dropStreams ends the streams of an executor that has a new one, or is gone.
func (n *Node) dropStreams(e *executor) {
	if e.stream != 0 {
		delete(n.streams, e.stream)
		n.emit(CloseStream{Stream: e.stream})
	}
	if e.early != nil {
		delete(n.streams, e.early.Stream)
		n.emit(CloseStream{Stream: e.early.Stream})
	}
	e.stream, e.early = 0, nil
}

// greet makes an executor subscribed. One that is faster than the news of its start waits for that: its
// statuses are to carry the pid of its container.
func (n *Node) greet(e *executor, in ExecutorSubscribes) {
	e.stream, e.met = in.Stream, true
	n.emit(ToExecutor{Stream: e.stream, Event: ExecutorSubscribed{
		Agent: n.identity.Agent, Executor: e.info, Framework: e.framework.Info, Container: e.container}})
	n.emit(Notice{What: NoticeExecutorSubscribed, Framework: in.Framework, Executor: e.id, Container: e.container})
	for _, u := range in.Updates {
		n.takeUpdate(e, u)
	}
	if e.state == executorTerminating {
		n.emit(ToExecutor{Stream: e.stream, Event: ExecutorShutdown{}})
		return
	}
	n.enter(e, executorRunning)
	n.timers.stop(&e.deadline)
	n.redeliver(e, in.Tasks)
	n.deliver(e)
}

// putOff lets an executor that is there, but cannot be taken now, try again.
func (n *Node) putOff(e *executor) {
	if e.state == executorStarting && n.timers.isSet(&e.deadline) {
		n.timers.set(&e.deadline, n.in(n.config.ExecutorRegistrationTimeout), (*deadlineAlarm)(e))
	}
}

// redeliver finds the tasks that were handed over on a stream that broke before the executor had them:
// those without any status that the executor does not name. They are handed over again, and the kills of
// the others are repeated. (Mesos declares such tasks lost, although the executor only never heard of them.)
func (n *Node) redeliver(e *executor, named []ids.TaskID) {
	has := make(map[ids.TaskID]bool, len(named)) // however many it makes up, each task is looked up once
	for _, id := range named {
		has[id] = true
	}
	for _, t := range slices.Clone(e.tasks) {
		missed := !t.queued && t.state == mesos.TaskState_TASK_STAGING && !has[t.id]
		switch {
		case missed && t.kill != nil:
			n.report(t, n.killedBeforeDelivery(t))
		case missed:
			t.queued = true
		case t.kill != nil:
			n.emit(ToExecutor{Stream: e.stream, Event: ExecutorKill{Task: t.id, Policy: t.kill.policy}})
		}
	}
}

// streamClosed leaves the executor alone: it may come back as long as its container lives.
func (n *Node) streamClosed(in StreamClosed) {
	e := n.streams[in.Stream]
	if e == nil {
		return
	}
	delete(n.streams, in.Stream)
	if e.stream != in.Stream {
		e.early = nil // it was not greeted yet
		return
	}
	e.stream = 0
	n.emit(Notice{What: NoticeExecutorDisconnected, Framework: e.framework.ID, Executor: e.id, Container: e.container})
}

// executorUpdates takes a status over.
func (n *Node) executorUpdates(in ExecutorUpdates) {
	e := n.subscribedCaller(in.Request, in.Framework, in.Executor)
	switch {
	case e == nil:
		return
	case in.Update.Status.size() > n.config.MaxInfo:
		n.emit(Answer{in.Request, statusTooLarge, fmt.Sprintf("The status has %d bytes, at most %d are taken", in.Update.Status.size(), n.config.MaxInfo)})
		return
	case n.commits.broken != "":
		n.emit(Answer{in.Request, statusUnavailable, "The agent cannot write its log: " + n.commits.broken})
		return
	}
	if much := n.noStatuses(e.framework, in.Update); much != "" {
		n.emit(Answer{in.Request, statusUnavailable, much})
		return
	}
	n.emit(Answer{in.Request, statusAccepted, ""})
	n.takeUpdate(e, in.Update)
}

// takeUpdate owes an executor's status to the framework, and once it is durable a receipt to the executor.
// What came before, or after the end of its task, or means no task of the executor, gets only the receipt:
// it would be repeated forever otherwise.
func (n *Node) takeUpdate(e *executor, u ExecutorUpdate) {
	t := e.framework.tasks[u.Task]
	if t == nil {
		t = e.framework.past[u.Task]
	}
	switch {
	case u.Status.size() > n.config.MaxInfo:
		n.emit(Notice{What: NoticeLargeStatus, Framework: e.framework.ID, Executor: e.id, Task: u.Task})
	case t == nil || t.owner != e.id:
		n.emit(Notice{What: NoticeUnknownTask, Framework: e.framework.ID, Executor: e.id, Task: u.Task})
	case slices.Contains(t.seen, u.Status.UUID):
	case t.executor != e:
		n.emit(Notice{What: NoticeLateStatus, Framework: e.framework.ID, Executor: e.id, Task: u.Task, Detail: u.Status.State.String()})
	default:
		t.queued = false // whatever it knows the task from
		n.report(t, n.completed(e, u.Status))
		t.see(u.Status.UUID)
	}
	n.after(durable, func() { n.receipt(e, u) })
}

// receipt tells the executor that a status is safe. A status that is not durable has none, even if it was
// repeated meanwhile: commits are in order, and so are the receipts.
func (n *Node) receipt(e *executor, u ExecutorUpdate) {
	if e.stream != 0 {
		n.emit(ToExecutor{Stream: e.stream, Event: ExecutorAcknowledged{Task: u.Task, UUID: u.Status.UUID}})
	}
}

// completed adds to an executor's status what the agent knows better.
func (n *Node) completed(e *executor, s Status) *Status {
	if s.Timestamp == 0 {
		s.Timestamp = n.now.Seconds()
	}
	s.Container, s.PID = e.container, e.pid
	return &s
}

// see remembers an update. One that is owed is always known again: taken twice, it would come behind its
// successors.
func (t *task) see(u UUID) {
	t.seen = append(t.seen, u)
	t.seen = slices.Delete(t.seen, 0, max(0, len(t.seen)-seenPerTask-len(t.owed)))
}

// executorSends passes a message on to the scheduler, if a master listens.
func (n *Node) executorSends(in ExecutorSends) {
	e := n.subscribedCaller(in.Request, in.Framework, in.Executor)
	if e == nil {
		return
	}
	if size := len(in.Data); size > n.config.MaxInfo {
		n.emit(Answer{in.Request, statusTooLarge, fmt.Sprintf("The message has %d bytes, at most %d are taken", size, n.config.MaxInfo)})
		return
	}
	n.emit(Answer{in.Request, statusAccepted, ""})
	if !n.tell(ExecutorMessage{Framework: in.Framework, Executor: in.Executor, Data: in.Data}) {
		n.emit(Notice{What: NoticeMessageDropped, Framework: in.Framework, Executor: in.Executor,
			Detail: "from the executor; no master is connected"})
	}
}

func (n *Node) executorBeats(in ExecutorBeats) {
	if n.subscribedCaller(in.Request, in.Framework, in.Executor) != nil {
		n.emit(Answer{in.Request, statusAccepted, ""})
	}
}
