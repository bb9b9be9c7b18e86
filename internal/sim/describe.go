package sim

import (
	"fmt"
	"strings"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/sdk/schedulercore"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// How history words what is said.

func describeStatus(s *mesos.TaskStatus) string {
	text := fmt.Sprintf("%s %s", s.TaskId.GetValue(), s.GetState())
	if len(s.Uuid) > 0 {
		text += fmt.Sprintf(" %x", s.Uuid[12:])
	} else {
		text += " (no uuid)"
	}
	if s.GetMessage() != "" {
		text += " " + s.GetMessage()
	}
	return text
}

func describeOffers(offers []*mesos.Offer) string {
	var b strings.Builder
	for _, o := range offers {
		fmt.Fprintf(&b, " %s(%s)", o.Id.GetValue(), o.GetHostname())
	}
	return b.String()
}

func describeEvent(e *schedulerpb.Event) string {
	switch e.GetType() {
	case schedulerpb.Event_UPDATE:
		return "UPDATE " + describeStatus(e.Update.Status)
	case schedulerpb.Event_OFFERS:
		return "OFFERS" + describeOffers(e.Offers.Offers)
	case schedulerpb.Event_RESCIND:
		return "RESCIND " + e.Rescind.OfferId.GetValue()
	case schedulerpb.Event_ERROR:
		return "ERROR " + e.Error.GetMessage()
	}
	return e.GetType().String()
}

func describeCall(c *schedulerpb.Call) string {
	text := c.GetType().String()
	switch c.GetType() {
	case schedulerpb.Call_ACCEPT:
		for _, o := range c.Accept.OfferIds {
			text += " " + o.GetValue()
		}
		for _, op := range c.Accept.Operations {
			for _, t := range op.GetLaunch().GetTaskInfos() {
				text += " run " + t.TaskId.GetValue() + "/" + t.GetExecutor().GetExecutorId().GetValue()
			}
		}
	case schedulerpb.Call_DECLINE:
		for _, o := range c.Decline.OfferIds {
			text += " " + o.GetValue()
		}
	case schedulerpb.Call_ACKNOWLEDGE:
		text += fmt.Sprintf(" %s %x", c.Acknowledge.TaskId.GetValue(), c.Acknowledge.Uuid[12:])
	case schedulerpb.Call_KILL:
		text += " " + c.Kill.TaskId.GetValue()
	case schedulerpb.Call_RECONCILE:
		for _, t := range c.Reconcile.Tasks {
			text += " " + t.TaskId.GetValue()
		}
	}
	return text
}

func describeCommand(c cluster.Command) string {
	switch c := c.(type) {
	case cluster.RunTask:
		return fmt.Sprintf("run %s of %s", c.Task.ID, c.Framework.Info.ID)
	case cluster.KillTask:
		return fmt.Sprintf("kill %s", c.Task)
	case cluster.AcknowledgeUpdate:
		return fmt.Sprintf("acknowledge %s %x", c.Task, c.UUID[12:])
	case cluster.UpdateFramework:
		return fmt.Sprintf("framework %s is back", c.Framework.Info.ID)
	}
	return fmt.Sprintf("%T%+v", c, c)
}

func describeToMaster(out node.ToMaster) string {
	switch b := out.Body.(type) {
	case node.Update:
		return fmt.Sprintf("update %s %s %x, latest %s", b.Task, b.Status.State, b.Status.UUID[12:], b.Latest)
	case node.Subscribe:
		text := fmt.Sprintf("subscribe %q:", b.Agent)
		for _, t := range b.Tasks {
			text += fmt.Sprintf(" %s=%s", t.Task, strings.TrimPrefix(t.State.String(), "TASK_"))
			if t.TerminalAcknowledged {
				text += "(history)"
			}
		}
		for _, e := range b.Executors {
			text += " executor in " + short(e.Container)
		}
		return text
	}
	return fmt.Sprintf("%T%+v", out.Body, out.Body)
}

func describeToExecutor(e node.ExecutorEvent) string {
	switch e := e.(type) {
	case node.ExecutorLaunch:
		return "LAUNCH " + agentwire.Decode[mesos.TaskInfo](e.Task).TaskId.GetValue()
	case node.ExecutorAcknowledged:
		return fmt.Sprintf("ACKNOWLEDGED %s %x", e.Task, e.UUID[12:])
	case node.ExecutorKill:
		return fmt.Sprintf("KILL %s", e.Task)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "node.Executor")
}

func describeNotice(n node.Notice) string {
	var b strings.Builder
	for _, word := range []string{string(n.Framework), string(n.Executor), string(n.Task), string(n.Container), n.Detail} {
		if word != "" {
			fmt.Fprintf(&b, "[%s]", word)
		}
	}
	return b.String()
}

func describeCallback(cb executorcore.Callback) string {
	switch cb := cb.(type) {
	case executorcore.LaunchTask:
		return "LaunchTask " + cb.Task.TaskId.GetValue()
	case executorcore.KillTask:
		return "KillTask " + cb.Task.GetValue()
	case executorcore.Error:
		return "Error " + cb.Err.Error()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", cb), "executorcore.")
}

func describeSchedulerCallback(cb schedulercore.Callback) string {
	switch cb := cb.(type) {
	case schedulercore.StatusUpdate:
		return "hears " + describeStatus(cb.Status)
	case schedulercore.ResourceOffers:
		return "is offered" + describeOffers(cb.Offers)
	case schedulercore.Error:
		return "Error " + cb.Err.Error()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", cb), "schedulercore.")
}
