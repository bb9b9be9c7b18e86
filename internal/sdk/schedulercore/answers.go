package schedulercore

import (
	"fmt"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// maxRetries bounds the calls that wait to be repeated. What does not find room is lost like the call of
// a lost connection.
const maxRetries = 10_000

// retry is a call that the master was too busy for.
type retry struct {
	due  time.Duration
	call *schedulerpb.Call
}

// answered handles the fate of a call.
func (c *Core) answered(in Answered) {
	current := in.Stream == c.link.stream && c.connected()
	if current {
		c.link.unanswered--
	}
	switch call := in.Call; {
	case call.GetType() == schedulerpb.Call_ACCEPT:
		c.acceptAnswered(in, current)
	case call.GetType() == schedulerpb.Call_TEARDOWN && (in.Outcome == outcome.Accepted || in.Outcome == outcome.Refused):
		c.stop.answered, c.stop.tornDown = true, in.Outcome == outcome.Accepted
	case in.Outcome == outcome.Busy && current && isRepeatable(call.GetType()) && len(c.retries) < maxRetries:
		c.retries = append(c.retries, retry{c.now.Mono + c.chance(2*c.cfg.BackoffMin), call})
	case in.Outcome == outcome.Unanswered && current:
		c.disconnect(fmt.Errorf("no answer to %s: %w", call.GetType(), in.Err))
	}
}

// acceptAnswered handles the fate of an ACCEPT, which is never repeated.
func (c *Core) acceptAnswered(in Answered, current bool) {
	accept := in.Call.GetAccept()
	switch in.Outcome {
	case outcome.Accepted:
	case outcome.Unsent:
		c.notLaunched(accept, c.lost, mesos.TaskStatus_REASON_MASTER_DISCONNECTED.Enum(), "Master disconnected")
	case outcome.Invalid:
		c.notLaunched(accept, mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_INVALID.Enum(), in.Err.Error())
		c.decline(accept.GetOfferIds(), nil)
	case outcome.Refused, outcome.Busy:
		c.notLaunched(accept, c.lost, nil, fmt.Sprintf("The master did not take the launch: %v", in.Err))
		c.decline(accept.GetOfferIds(), nil)
	case outcome.Unanswered:
		// The next subscription asks what became of the tasks.
		if current {
			c.disconnect(fmt.Errorf("no answer to ACCEPT: %w", in.Err))
		}
	}
}

// retryDue repeats the calls whose time has come.
func (c *Core) retryDue() {
	waiting := c.retries
	if len(waiting) == 0 {
		return
	}
	c.retries = nil
	for _, r := range waiting {
		switch {
		case !c.connected():
			return
		case r.due > c.now.Mono:
			c.retries = append(c.retries, r)
		default:
			if call := c.stillWanted(r.call); call != nil {
				c.send(call)
			}
		}
	}
}

// isRepeatable says whether repeating a call does no harm. Messages are best effort, and an ACCEPT is
// never repeated.
func isRepeatable(typ schedulerpb.Call_Type) bool {
	switch typ {
	case schedulerpb.Call_DECLINE, schedulerpb.Call_KILL, schedulerpb.Call_ACKNOWLEDGE,
		schedulerpb.Call_RECONCILE, schedulerpb.Call_SUPPRESS, schedulerpb.Call_REVIVE,
		schedulerpb.Call_TEARDOWN:
		return true
	}
	return false
}
