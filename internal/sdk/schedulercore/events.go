package schedulercore

import (
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
)

// received handles an event of the present subscription. Types that the driver has no callback for are
// ignored, so that a newer master can send more.
func (c *Core) received(in Received) {
	if in.Stream != c.link.stream || !c.link.open() {
		return
	}
	switch typ := in.Event.GetType(); {
	case typ == schedulerpb.Event_ERROR:
		c.fail(fmt.Errorf("the master ends the subscription: %s", in.Event.GetError().GetMessage()))
	case typ == schedulerpb.Event_SUBSCRIBED && c.link.state == linkSubscribing:
		c.subscribed(in.Event.GetSubscribed())
	case c.link.state == linkSubscribed:
		c.heard()
		c.happened(in)
	}
}

// happened handles what a subscribed master says.
func (c *Core) happened(in Received) {
	cb := callbackFor(in.Event)
	switch cb := cb.(type) {
	case nil:
		return
	case ResourceOffers:
		c.offered(cb.Offers)
	case OfferRescinded:
		delete(c.offers, ids.OfferID(cb.Offer.GetValue()))
	case StatusUpdate:
		c.remember(cb.Status)
	case FrameworkMessage:
		if !c.callbacks.Drained() {
			// Messages are best effort. The rest of the room is for what is not.
			c.emit(Dropped{Size: in.Size})
			return
		}
	}
	if c.status == mesos.Status_DRIVER_RUNNING {
		if lost, ok := cb.(AgentLost); ok {
			c.reconcileOn(ids.AgentID(lost.Agent.GetValue()))
		}
		c.call(cb, in.Size)
		if c.callbacks.Full() {
			c.disconnect(errCallbacks)
		}
	}
}

// callbackFor is the callback that an event becomes, or nil. An event without the part that its type
// promises becomes none.
func callbackFor(ev *schedulerpb.Event) Callback {
	switch ev.GetType() {
	case schedulerpb.Event_OFFERS:
		if offers := ev.GetOffers().GetOffers(); len(offers) > 0 {
			return ResourceOffers{Offers: offers}
		}
	case schedulerpb.Event_RESCIND:
		if r := ev.GetRescind(); r != nil {
			return OfferRescinded{Offer: r.GetOfferId()}
		}
	case schedulerpb.Event_UPDATE:
		if u := ev.GetUpdate(); u != nil {
			return StatusUpdate{Status: u.GetStatus()}
		}
	case schedulerpb.Event_MESSAGE:
		if m := ev.GetMessage(); m != nil {
			return FrameworkMessage{Executor: m.GetExecutorId(), Agent: m.GetAgentId(), Data: m.GetData()}
		}
	case schedulerpb.Event_FAILURE:
		switch f := ev.GetFailure(); {
		case f.GetExecutorId() != nil:
			return ExecutorLost{Executor: f.GetExecutorId(), Agent: f.GetAgentId(), Status: int(f.GetStatus())}
		case f.GetAgentId() != nil:
			return AgentLost{Agent: f.GetAgentId()}
		}
	}
	return nil
}

// offered remembers offers, or hands them back at once if the driver is aborted.
func (c *Core) offered(offers []*mesos.Offer) {
	switch c.status {
	case mesos.Status_DRIVER_RUNNING:
		for _, o := range offers {
			c.offers[ids.OfferID(o.GetId().GetValue())] = struct{}{}
		}
	case mesos.Status_DRIVER_ABORTED:
		var back []*mesos.OfferID
		for _, o := range offers {
			back = append(back, o.GetId())
		}
		c.decline(back, nil)
	}
}

// remember keeps the books about which tasks are alive.
func (c *Core) remember(s *mesos.TaskStatus) {
	id := ids.TaskID(s.GetTaskId().GetValue())
	if isTerminal(s.GetState()) {
		delete(c.tasks, id)
		return
	}
	t, known := c.tasks[id]
	if agent := s.GetAgentId().GetValue(); agent != "" || !known {
		t.agent = ids.AgentID(agent)
	}
	t.unreachable = s.GetState() == mesos.TaskState_TASK_UNREACHABLE
	c.tasks[id] = t
}

// isTerminal says whether a task in the given state has ended. TASK_UNREACHABLE and TASK_UNKNOWN have not,
// as far as anybody knows.
func isTerminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_FINISHED, mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_KILLED,
		mesos.TaskState_TASK_ERROR, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_DROPPED,
		mesos.TaskState_TASK_GONE, mesos.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}
