package executorcore

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
)

// uuid names an update: 16 bytes, as a string so that it can be a key.
type uuid string

// update is an update that the agent has not acknowledged.
type update struct {
	status *mesos.TaskStatus
	stream uint64 // the latest subscription that it was handed to
}

// update makes an update of a status, keeps it, and sends it if there is an agent to send it to.
func (c *Core) update(status *mesos.TaskStatus) {
	if !c.running() {
		return
	}
	if err := checkStatus(status); err != nil {
		c.fail(err)
		return
	}
	id := c.cfg.NewUUID()
	status = proto.CloneOf(status)
	status.Uuid = id[:]
	status.Source = mesos.TaskStatus_SOURCE_EXECUTOR.Enum()
	status.Timestamp = new(c.now.Seconds())

	u := &update{status: status}
	c.updates.add(uuid(id[:]), u)
	if c.connected() {
		c.sendUpdate(u)
	}
}

// checkStatus says what makes a status unacceptable to every agent. Keeping such a one would make every
// later subscription fail.
func checkStatus(s *mesos.TaskStatus) error {
	switch {
	case s.GetTaskId().GetValue() == "":
		return errors.New("status update without a task id")
	case s.State == nil:
		return fmt.Errorf("status update of task %q without a state", s.GetTaskId().GetValue())
	case s.GetState() == mesos.TaskState_TASK_STAGING:
		return fmt.Errorf("status update of task %q with TASK_STAGING, which is not an executor's to send", s.GetTaskId().GetValue())
	}
	return nil
}

func (c *Core) sendUpdate(u *update) {
	u.stream = c.link.stream
	c.send(&executorpb.Call{
		Type:   executorpb.Call_UPDATE.Enum(),
		Update: &executorpb.Call_Update{Status: u.status},
	})
}

// sendRest sends the updates that were made after SUBSCRIBE had left.
func (c *Core) sendRest() {
	for u := range c.updates.values() {
		if u.stream != c.link.stream {
			c.sendUpdate(u)
		}
		if !c.connected() {
			return
		}
	}
}

// acknowledged forgets an update, and its task, which the agent now knows to have arrived.
func (c *Core) acknowledged(ack *executorpb.Event_Acknowledged) {
	c.updates.remove(uuid(ack.GetUuid()))
	c.tasks.remove(ids.TaskID(ack.GetTaskId().GetValue()))
}

// updateRefused handles an update that will never be accepted. Losing it in silence would break the
// promise, and so would sending it for ever, with all others behind it.
func (c *Core) updateRefused(in Answered) {
	status := in.Call.GetUpdate().GetStatus()
	c.updates.remove(uuid(status.GetUuid()))
	if c.running() {
		c.fail(fmt.Errorf("%s of task %q is not accepted: %w", status.GetState(), status.GetTaskId().GetValue(), in.Err))
	}
}

// message sends bytes to the scheduler if there is an agent to send them to.
func (c *Core) message(data []byte) {
	if c.running() {
		c.send(&executorpb.Call{
			Type:    executorpb.Call_MESSAGE.Enum(),
			Message: &executorpb.Call_Message{Data: data},
		})
	}
}
