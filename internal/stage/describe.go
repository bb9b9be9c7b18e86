package stage

import (
	"fmt"
	"strings"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// How history words what is said.

// DescribeStatus words a status.
func DescribeStatus(s *mesos.TaskStatus) string {
	text := s.GetTaskId().GetValue() + " " + s.GetState().String()
	if s.Reason != nil {
		text += " " + s.GetReason().String()
	}
	if s.GetMessage() != "" {
		text += fmt.Sprintf(" %q", s.GetMessage())
	}
	return text
}

func describeEvent(e *schedulerpb.Event) string {
	switch e.GetType() {
	case schedulerpb.Event_SUBSCRIBED:
		return "SUBSCRIBED as " + e.Subscribed.FrameworkId.GetValue()
	case schedulerpb.Event_UPDATE:
		return "UPDATE " + DescribeStatus(e.Update.Status)
	case schedulerpb.Event_OFFERS:
		text := "OFFERS"
		for _, o := range e.Offers.Offers {
			text += fmt.Sprintf(" %s(%s)", o.Id.GetValue(), o.GetHostname())
		}
		return text
	case schedulerpb.Event_RESCIND:
		return "RESCIND " + e.Rescind.OfferId.GetValue()
	case schedulerpb.Event_MESSAGE:
		return fmt.Sprintf("MESSAGE of %s, %d bytes", e.Message.ExecutorId.GetValue(), len(e.Message.Data))
	case schedulerpb.Event_FAILURE:
		if e.Failure.ExecutorId != nil {
			return fmt.Sprintf("FAILURE of executor %s, status %d", e.Failure.ExecutorId.GetValue(), e.Failure.GetStatus())
		}
		return "FAILURE of agent " + e.Failure.AgentId.GetValue()
	case schedulerpb.Event_ERROR:
		return fmt.Sprintf("ERROR %q", e.Error.GetMessage())
	}
	return e.GetType().String()
}

func describeCall(c *schedulerpb.Call) string {
	words := []string{c.GetType().String()}
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	switch c.GetType() {
	case schedulerpb.Call_ACCEPT:
		for _, o := range c.Accept.OfferIds {
			say("%s", o.GetValue())
		}
		for _, op := range c.Accept.Operations {
			for _, t := range launches(op) {
				say("launch %s", t.TaskId.GetValue())
			}
		}
	case schedulerpb.Call_DECLINE:
		for _, o := range c.Decline.OfferIds {
			say("%s", o.GetValue())
		}
	case schedulerpb.Call_ACKNOWLEDGE:
		say("%s", c.Acknowledge.TaskId.GetValue())
	case schedulerpb.Call_KILL:
		say("%s", c.Kill.TaskId.GetValue())
	case schedulerpb.Call_MESSAGE:
		say("to %s, %d bytes", c.Message.ExecutorId.GetValue(), len(c.Message.Data))
	case schedulerpb.Call_RECONCILE:
		for _, t := range c.Reconcile.Tasks {
			say("%s", t.TaskId.GetValue())
		}
	case schedulerpb.Call_SUPPRESS:
		say("%s", strings.Join(c.GetSuppress().GetRoles(), " "))
	}
	return strings.Join(words, " ")
}

// launches are the tasks that an operation launches.
func launches(op *mesos.Offer_Operation) []*mesos.TaskInfo {
	if op.GetType() == mesos.Offer_Operation_LAUNCH_GROUP {
		return op.GetLaunchGroup().GetTaskGroup().GetTasks()
	}
	return op.GetLaunch().GetTaskInfos()
}

func describeExecutorEvent(e *executorpb.Event) string {
	switch e.GetType() {
	case executorpb.Event_LAUNCH:
		return "LAUNCH " + e.Launch.Task.TaskId.GetValue()
	case executorpb.Event_KILL:
		return "KILL " + e.Kill.TaskId.GetValue()
	case executorpb.Event_ACKNOWLEDGED:
		return "ACKNOWLEDGED " + e.Acknowledged.TaskId.GetValue()
	case executorpb.Event_MESSAGE:
		return fmt.Sprintf("MESSAGE of %d bytes", len(e.Message.Data))
	}
	return e.GetType().String()
}

func describeExecutorCall(c *executorpb.Call) string {
	switch c.GetType() {
	case executorpb.Call_SUBSCRIBE:
		return fmt.Sprintf("SUBSCRIBE with %d tasks and %d updates that are not acknowledged",
			len(c.Subscribe.UnacknowledgedTasks), len(c.Subscribe.UnacknowledgedUpdates))
	case executorpb.Call_UPDATE:
		return "UPDATE " + DescribeStatus(c.Update.Status)
	case executorpb.Call_MESSAGE:
		return fmt.Sprintf("MESSAGE of %d bytes", len(c.Message.Data))
	}
	return c.GetType().String()
}
