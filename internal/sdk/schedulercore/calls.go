package schedulercore

import (
	"iter"
	"maps"
	"slices"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
)

// reconcileBatch is how many tasks one RECONCILE names at most.
const reconcileBatch = 1000

func (c *Core) launch(in Launch) {
	if len(in.Tasks) == 0 {
		c.decline(in.Offers, in.Filters)
		return
	}
	c.accept(Accept{
		Offers: in.Offers,
		Operations: []*mesos.Offer_Operation{{
			Type:   mesos.Offer_Operation_LAUNCH.Enum(),
			Launch: &mesos.Offer_Operation_Launch{TaskInfos: in.Tasks},
		}},
		Filters: in.Filters,
	})
}

func (c *Core) accept(in Accept) {
	accept := &schedulerpb.Call_Accept{OfferIds: in.Offers, Operations: in.Operations, Filters: in.Filters}
	if !c.connected() {
		c.notLaunched(accept, c.lost, mesos.TaskStatus_REASON_MASTER_DISCONNECTED.Enum(), "Master disconnected")
		return
	}
	c.forgetOffers(in.Offers)
	for t := range launched(accept) {
		c.tasks[ids.TaskID(t.GetTaskId().GetValue())] = task{agent: ids.AgentID(t.GetAgentId().GetValue())}
	}
	c.send(&schedulerpb.Call{Type: schedulerpb.Call_ACCEPT.Enum(), Accept: accept})
}

// launched are the tasks that an ACCEPT launches.
func launched(accept *schedulerpb.Call_Accept) iter.Seq[*mesos.TaskInfo] {
	return func(yield func(*mesos.TaskInfo) bool) {
		for _, op := range accept.GetOperations() {
			for _, tasks := range [][]*mesos.TaskInfo{
				op.GetLaunch().GetTaskInfos(),
				op.GetLaunchGroup().GetTaskGroup().GetTasks(),
			} {
				for _, t := range tasks {
					if !yield(t) {
						return
					}
				}
			}
		}
	}
}

// notLaunched tells the framework that the tasks of an ACCEPT have certainly not reached the master. The
// updates have no uuid: nobody waits for their acknowledgement.
func (c *Core) notLaunched(accept *schedulerpb.Call_Accept, state mesos.TaskState, reason *mesos.TaskStatus_Reason, message string) {
	for t := range launched(accept) {
		delete(c.tasks, ids.TaskID(t.GetTaskId().GetValue()))
		if c.status != mesos.Status_DRIVER_RUNNING {
			continue
		}
		c.call(StatusUpdate{Status: &mesos.TaskStatus{
			TaskId:    t.GetTaskId(),
			State:     state.Enum(),
			Message:   new(message),
			Source:    mesos.TaskStatus_SOURCE_MASTER.Enum(),
			Reason:    reason,
			AgentId:   t.GetAgentId(),
			Timestamp: new(c.now.Seconds()),
		}}, 0)
	}
}

func (c *Core) decline(offers []*mesos.OfferID, filters *mesos.Filters) {
	if !c.connected() || len(offers) == 0 {
		return
	}
	c.forgetOffers(offers)
	c.send(&schedulerpb.Call{
		Type:    schedulerpb.Call_DECLINE.Enum(),
		Decline: &schedulerpb.Call_Decline{OfferIds: offers, Filters: filters},
	})
}

func (c *Core) forgetOffers(offers []*mesos.OfferID) {
	for _, id := range offers {
		delete(c.offers, ids.OfferID(id.GetValue()))
	}
}

func (c *Core) kill(id *mesos.TaskID) {
	t, known := c.tasks[ids.TaskID(id.GetValue())]
	if known {
		t.kill = true
		c.tasks[ids.TaskID(id.GetValue())] = t
	}
	if c.connected() {
		c.sendKill(id, t.agent)
	}
}

func (c *Core) sendKill(id *mesos.TaskID, agent ids.AgentID) {
	c.send(&schedulerpb.Call{
		Type: schedulerpb.Call_KILL.Enum(),
		Kill: &schedulerpb.Call_Kill{TaskId: id, AgentId: agentID(agent)},
	})
}

// killAgain repeats the kills that a lost connection may have swallowed.
func (c *Core) killAgain() {
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		if t := c.tasks[id]; t.kill && c.connected() {
			c.sendKill(&mesos.TaskID{Value: new(string(id))}, t.agent)
		}
	}
}

func (c *Core) request(in Request) {
	if c.connected() {
		c.send(&schedulerpb.Call{
			Type:    schedulerpb.Call_REQUEST.Enum(),
			Request: &schedulerpb.Call_Request{Requests: in.Requests},
		})
	}
}

func (c *Core) reconcile(in Reconcile) {
	if !c.connected() {
		return // the next subscription reconciles everything
	}
	var tasks []*schedulerpb.Call_Reconcile_Task
	for _, s := range in.Statuses {
		tasks = append(tasks, &schedulerpb.Call_Reconcile_Task{TaskId: s.GetTaskId(), AgentId: s.GetAgentId()})
	}
	c.sendReconcile(tasks)
}

// reconcileAll asks for the state of every task of the framework: by name for those that the core has
// heard of, since the master may have lost them, and of all for those that only the master knows.
func (c *Core) reconcileAll() {
	c.reconcileNamed(func(task) bool { return true })
	if c.adopted || len(c.tasks) == 0 {
		c.sendReconcile(nil)
	}
}

// reconcileOn asks for the tasks of an agent that is lost, but for those that the master has said to be
// unreachable with it. There are others when the master, or the one before it, died together with the agent:
// it never knew them, and when it was asked before, it was still waiting for the agent to tell.
func (c *Core) reconcileOn(agent ids.AgentID) {
	c.reconcileNamed(func(t task) bool { return !t.unreachable && (t.agent == agent || t.agent == "") })
}

// reconcileNamed asks for some of the tasks that the core has heard of, if there are any.
func (c *Core) reconcileNamed(wanted func(task) bool) {
	var tasks []*schedulerpb.Call_Reconcile_Task
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		if t := c.tasks[id]; wanted(t) {
			tasks = append(tasks, &schedulerpb.Call_Reconcile_Task{
				TaskId:  &mesos.TaskID{Value: new(string(id))},
				AgentId: agentID(t.agent),
			})
		}
	}
	if len(tasks) > 0 {
		c.sendReconcile(tasks)
	}
}

// sendReconcile asks for the named tasks, or for all if none is named.
func (c *Core) sendReconcile(tasks []*schedulerpb.Call_Reconcile_Task) {
	for {
		batch := tasks[:min(len(tasks), reconcileBatch)]
		tasks = tasks[len(batch):]
		if !c.connected() {
			return
		}
		c.send(&schedulerpb.Call{
			Type:      schedulerpb.Call_RECONCILE.Enum(),
			Reconcile: &schedulerpb.Call_Reconcile{Tasks: batch},
		})
		if len(tasks) == 0 {
			return
		}
	}
}

// acknowledge acknowledges an update. Without a uuid nobody waits for that; without a connection the
// update comes again.
func (c *Core) acknowledge(s *mesos.TaskStatus) {
	if len(s.GetUuid()) == 0 || !c.connected() {
		return
	}
	c.send(&schedulerpb.Call{
		Type: schedulerpb.Call_ACKNOWLEDGE.Enum(),
		Acknowledge: &schedulerpb.Call_Acknowledge{
			AgentId: s.GetAgentId(),
			TaskId:  s.GetTaskId(),
			Uuid:    s.GetUuid(),
		},
	})
}

func (c *Core) message(in Message) {
	if c.connected() {
		c.send(&schedulerpb.Call{
			Type: schedulerpb.Call_MESSAGE.Enum(),
			Message: &schedulerpb.Call_Message{
				AgentId:    in.Agent,
				ExecutorId: in.Executor,
				Data:       in.Data,
			},
		})
	}
}

// agentID is nil for an agent that is not known.
func agentID(id ids.AgentID) *mesos.AgentID {
	if id == "" {
		return nil
	}
	return &mesos.AgentID{Value: new(string(id))}
}
