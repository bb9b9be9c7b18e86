package clusterpb

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
)

// How long an offer's rest is refused unless the scheduler says otherwise, and at most.
const (
	defaultRefusal = 5 * time.Second
	maxRefusal     = 365 * 24 * time.Hour
)

// CallProblem says what a scheduler's call lacks to be looked at, in Mesos' words; empty if nothing.
func CallProblem(call *schedulerpb.Call) string {
	if call.Type == nil || call.GetType() == schedulerpb.Call_UNKNOWN {
		return expecting("type", false)
	}
	if call.GetType() == schedulerpb.Call_SUBSCRIBE {
		return subscribeProblem(call)
	}
	if call.FrameworkId == nil {
		return expecting("framework_id", false)
	}
	switch call.GetType() {
	case schedulerpb.Call_ACCEPT:
		return acceptProblem(call.Accept)
	case schedulerpb.Call_DECLINE:
		return expecting("decline", call.Decline != nil)
	case schedulerpb.Call_ACCEPT_INVERSE_OFFERS:
		return expecting("accept_inverse_offers", call.AcceptInverseOffers != nil)
	case schedulerpb.Call_DECLINE_INVERSE_OFFERS:
		return expecting("decline_inverse_offers", call.DeclineInverseOffers != nil)
	case schedulerpb.Call_KILL:
		return expecting("kill", call.Kill != nil)
	case schedulerpb.Call_SHUTDOWN:
		return expecting("shutdown", call.Shutdown != nil)
	case schedulerpb.Call_ACKNOWLEDGE:
		if call.Acknowledge != nil && !validUUID(call.Acknowledge.GetUuid()) {
			return "Not a valid UUID"
		}
		return expecting("acknowledge", call.Acknowledge != nil)
	case schedulerpb.Call_ACKNOWLEDGE_OPERATION_STATUS:
		if call.AcknowledgeOperationStatus != nil && !validUUID(call.AcknowledgeOperationStatus.GetUuid()) {
			return "Not a valid UUID"
		}
		return expecting("acknowledge_operation_status", call.AcknowledgeOperationStatus != nil)
	case schedulerpb.Call_RECONCILE:
		return expecting("reconcile", call.Reconcile != nil)
	case schedulerpb.Call_RECONCILE_OPERATIONS:
		return expecting("reconcile_operations", call.ReconcileOperations != nil)
	case schedulerpb.Call_MESSAGE:
		return expecting("message", call.Message != nil)
	case schedulerpb.Call_REQUEST:
		return expecting("request", call.Request != nil)
	case schedulerpb.Call_UPDATE_FRAMEWORK:
		if call.UpdateFramework != nil && call.FrameworkId.GetValue() != call.UpdateFramework.GetFrameworkInfo().GetId().GetValue() {
			return "'framework_id' differs from 'update_framework.framework_info.id'"
		}
		return expecting("update_framework", call.UpdateFramework != nil)
	}
	return ""
}

// expecting names a part of a call that has to be there.
func expecting(name string, there bool) string {
	if there {
		return ""
	}
	return "Expecting '" + name + "' to be present"
}

// acceptProblem is about operations that cannot be told, or that have nothing of what their type promises.
func acceptProblem(m *schedulerpb.Call_Accept) string {
	for i, op := range m.GetOperations() {
		switch name := fmt.Sprintf("accept.operations[%d]", i); {
		case op.GetType() == mesos.Offer_Operation_UNKNOWN:
			return expecting(name+".type", false)
		case op.GetType() == mesos.Offer_Operation_LAUNCH && op.Launch == nil:
			return expecting(name+".launch", false)
		}
	}
	return expecting("accept", m != nil)
}

func subscribeProblem(call *schedulerpb.Call) string {
	if call.Subscribe == nil {
		return "Expecting 'subscribe' to be present"
	}
	if call.FrameworkId.GetValue() != call.Subscribe.GetFrameworkInfo().GetId().GetValue() {
		return "'framework_id' differs from 'subscribe.framework_info.id'"
	}
	return ""
}

// validUUID accepts what Mesos accepts: 16 bytes that name one of the versions 1 to 5.
func validUUID(b []byte) bool {
	return len(b) == 16 && b[6]>>4 >= 1 && b[6]>>4 <= 5
}

// SubscribeFrom takes a SUBSCRIBE over that opened a stream.
func SubscribeFrom(stream cluster.StreamID, m *schedulerpb.Call_Subscribe) cluster.Subscribe {
	problem := frameworkProblem(m.GetFrameworkInfo())
	return cluster.Subscribe{Stream: stream, Framework: FrameworkFrom(m.GetFrameworkInfo()), Problem: problem, Suppressed: roles(m.SuppressedRoles)}
}

// CallFrom takes over a call, other than SUBSCRIBE, that has no problem. An error means that it is well
// formed but not built yet.
func CallFrom(m *schedulerpb.Call) (cluster.Call, error) {
	switch m.GetType() {
	case schedulerpb.Call_TEARDOWN:
		return cluster.Teardown{}, nil
	case schedulerpb.Call_ACCEPT:
		return acceptFrom(m.Accept)
	case schedulerpb.Call_DECLINE:
		return cluster.Decline{Offers: offerIDs(m.Decline.OfferIds), Refuse: refusal(m.Decline.Filters)}, nil
	case schedulerpb.Call_REVIVE:
		return cluster.Revive{Roles: roles(m.Revive.GetRoles())}, nil
	case schedulerpb.Call_SUPPRESS:
		return cluster.Suppress{Roles: roles(m.Suppress.GetRoles())}, nil
	case schedulerpb.Call_KILL:
		kill := cluster.Kill{
			Task:  ids.TaskID(m.Kill.GetTaskId().GetValue()),
			Agent: ids.AgentID(m.Kill.GetAgentId().GetValue()),
		}
		if m.Kill.KillPolicy != nil {
			kill.Policy = Encode(m.Kill.KillPolicy)
		}
		return kill, nil
	case schedulerpb.Call_SHUTDOWN:
		return cluster.Shutdown{
			Executor: ids.ExecutorID(m.Shutdown.GetExecutorId().GetValue()),
			Agent:    ids.AgentID(m.Shutdown.GetAgentId().GetValue()),
		}, nil
	case schedulerpb.Call_ACKNOWLEDGE:
		return cluster.Acknowledge{
			Agent: ids.AgentID(m.Acknowledge.GetAgentId().GetValue()),
			Task:  ids.TaskID(m.Acknowledge.GetTaskId().GetValue()),
			UUID:  cluster.UUID(m.Acknowledge.GetUuid()),
		}, nil
	case schedulerpb.Call_RECONCILE:
		return reconcileFrom(m.Reconcile), nil
	case schedulerpb.Call_MESSAGE:
		return cluster.Message{
			Agent:    ids.AgentID(m.Message.GetAgentId().GetValue()),
			Executor: ids.ExecutorID(m.Message.GetExecutorId().GetValue()),
			Data:     m.Message.GetData(),
		}, nil
	case schedulerpb.Call_REQUEST:
		return cluster.RequestResources{}, nil
	}
	return nil, fmt.Errorf("%s is not implemented", m.GetType())
}

func acceptFrom(m *schedulerpb.Call_Accept) (cluster.Call, error) {
	accept := cluster.Accept{Offers: offerIDs(m.OfferIds), Refuse: refusal(m.Filters)}
	for _, op := range m.Operations {
		if op.GetType() != mesos.Offer_Operation_LAUNCH {
			return nil, fmt.Errorf("ACCEPT with an operation of type %s is not implemented", op.GetType())
		}
		for _, t := range op.GetLaunch().GetTaskInfos() {
			accept.Tasks = append(accept.Tasks, LaunchFrom(t))
		}
	}
	return accept, nil
}

func reconcileFrom(m *schedulerpb.Call_Reconcile) cluster.Reconcile {
	var r cluster.Reconcile
	for _, t := range m.Tasks {
		r.Tasks = append(r.Tasks, cluster.ReconcileTask{
			Task:  ids.TaskID(t.GetTaskId().GetValue()),
			Agent: ids.AgentID(t.GetAgentId().GetValue()),
		})
	}
	return r
}

func offerIDs(ms []*mesos.OfferID) []ids.OfferID {
	out := make([]ids.OfferID, len(ms))
	for i, m := range ms {
		out[i] = ids.OfferID(m.GetValue())
	}
	return out
}

func roles(names []string) []ids.Role {
	out := make([]ids.Role, len(names))
	for i, n := range names {
		out[i] = ids.Role(n)
	}
	return out
}

// refusal reads filters as Mesos does: five seconds unless said otherwise, a year at the most.
func refusal(f *mesos.Filters) time.Duration {
	if f == nil || f.RefuseSeconds == nil || f.GetRefuseSeconds() < 0 {
		return defaultRefusal
	}
	return min(Seconds(f.GetRefuseSeconds()), maxRefusal)
}
