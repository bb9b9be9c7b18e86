package node

import "fmt"

// link is the connection to the master that counts at the moment.
//
// A master's Subscribed gives it a session and names the leader's epoch; from then on a message counts
// only if it carries both. The highest epoch is durable, so that a restarted agent does not fall back to a
// leader that was replaced.
type link struct {
	id      LinkID // 0: none
	up      bool   // Subscribed came
	session uint64
	epoch   uint64
	unsaid  []AgentBody // what happened between Subscribe and its answer
}

// linkOpened introduces the agent. A newer connection replaces an older one. An agent that was given up has
// nothing more to say.
func (n *Node) linkOpened(in LinkOpened) {
	if n.ending != nil && n.ending.reason != "" {
		n.emit(CloseLink{Link: in.Link, Reason: "the agent ends: " + n.ending.reason})
		return
	}
	n.link = link{id: in.Link}
	n.emit(ToMaster{Link: in.Link, Body: n.subscription()})
}

// linkClosed leaves everything as it is: what is owed waits for the next session.
func (n *Node) linkClosed(in LinkClosed) {
	if in.Link == n.link.id {
		n.link = link{}
	}
}

// tell sends a message if a session stands. What happens while a Subscribe is on its way is said when it is
// answered, since the list in it does not say so any more. Whatever is lost without a connection is in the
// next Subscribe. Messages of executors nobody has promised to deliver.
func (n *Node) tell(body AgentBody) bool {
	if n.link.up {
		n.emit(ToMaster{Link: n.link.id, Session: n.link.session, Epoch: n.link.epoch, Body: body})
		return true
	}
	if _, message := body.(ExecutorMessage); !message && n.link.id != 0 {
		n.link.unsaid = append(n.link.unsaid, body)
	}
	return false
}

// fromMaster applies the fence and hands on.
func (n *Node) fromMaster(in FromMaster) {
	if in.Link != n.link.id {
		return // said by a connection that is gone
	}
	switch body := in.Body.(type) {
	case Subscribed:
		n.subscribed(in, body)
		return
	case Refused:
		n.refused(body)
		return
	}
	if !n.link.up || in.Session != n.link.session || in.Epoch != n.link.epoch {
		n.emit(Notice{What: NoticeStale, Detail: fmt.Sprintf("session %d of epoch %d, expected %d of %d",
			in.Session, in.Epoch, n.link.session, n.link.epoch)})
		return
	}
	switch body := in.Body.(type) {
	case RunTask:
		n.runTask(body)
	case KillTask:
		n.killTask(body)
	case Acknowledge:
		n.acknowledge(body)
	case FrameworkMessage:
		n.frameworkMessage(body)
	case ShutdownExecutor:
		n.shutdownExecutor(body)
	case ShutdownFramework:
		n.shutdownFramework(body)
	case UpdateFramework:
		n.updateFramework(body)
	}
}

// subscribed begins a session, unless it is that of a leader that was replaced. In another cluster epochs
// begin anew.
func (n *Node) subscribed(in FromMaster, body Subscribed) {
	id := &n.identity
	if n.link.up {
		return
	}
	if body.Cluster == id.Cluster && in.Epoch < id.Epoch {
		n.emit(Notice{What: NoticeFenced, Detail: fmt.Sprintf("epoch %d, expected at least %d", in.Epoch, id.Epoch)})
		n.emit(CloseLink{Link: in.Link, Reason: fmt.Sprintf("leader epoch %d is over: the agent has followed %d", in.Epoch, id.Epoch)})
		n.link = link{}
		return
	}
	n.link.up, n.link.session, n.link.epoch = true, in.Session, in.Epoch
	next := IdentityRecord{Agent: body.Agent, Cluster: body.Cluster, Epoch: in.Epoch, Boot: n.config.Boot}
	if next != *id {
		*id = next
		n.record(next)
	}
	n.emit(Notice{What: NoticeRegistered, Detail: string(body.Agent)})
	for _, body := range n.link.unsaid {
		n.tell(body)
	}
	n.link.unsaid = nil
	n.forwardEverything()
}

// refused ends everything only if the cluster has given the agent up: then nothing may run that no master
// accounts for. A refusal for another reason, such as a version that is too old, costs no task its life.
func (n *Node) refused(body Refused) {
	n.emit(Notice{What: NoticeRefused, Detail: body.Reason})
	n.emit(CloseLink{Link: n.link.id, Reason: "refused by the master: " + body.Reason})
	n.link = link{}
	switch {
	case body.Gone:
		n.endAll(body.Reason)
	case body.Final:
		n.emit(GiveUp{Reason: body.Reason})
	}
}

// subscription is everything a master has to know.
func (n *Node) subscription() Subscribe {
	s := Subscribe{Agent: n.identity.Agent, Cluster: n.identity.Cluster}
	for _, f := range n.orderedFrameworks() {
		s.Frameworks = append(s.Frameworks, f.Framework)
		for _, e := range f.orderedExecutors() {
			s.Executors = append(s.Executors, ExecutorView{Framework: f.ID, Info: e.info, Container: e.container})
		}
		for _, t := range f.orderedTasks() {
			s.Tasks = append(s.Tasks, t.view(&n.commits))
		}
	}
	for t := range n.history.all() {
		s.Tasks = append(s.Tasks, t.view(&n.commits))
	}
	return s
}

// view is the task as far as it may be shown.
func (t *task) view(c *commits) TaskView {
	v := TaskView{
		Framework:            t.framework.ID,
		Task:                 t.id,
		Info:                 t.info,
		State:                t.shownState(c),
		ReportedState:        t.told,
		Statuses:             t.statuses,
		TerminalAcknowledged: t.past(),
	}
	if len(t.owed) > 0 && c.sayable(t.owed[0]) {
		v.ReportedState, v.ReportedUUID = t.owed[0].State, t.owed[0].UUID
	}
	if len(t.owed) > 0 && !c.has(t.owed[len(t.owed)-1].mark) {
		v.Statuses = t.shownStatuses(c)
	}
	return v
}
