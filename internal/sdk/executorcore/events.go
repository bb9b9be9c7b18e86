package executorcore

import (
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
)

// received handles an event of the present subscription. Types that the driver has no callback for are
// ignored, so that a newer agent can send more.
func (c *Core) received(in Received) {
	if in.Stream != c.link.stream || !c.link.open() {
		return
	}
	switch typ := in.Event.GetType(); {
	case typ == executorpb.Event_ERROR:
		c.fail(fmt.Errorf("the agent ends the subscription: %s", in.Event.GetError().GetMessage()))
	case typ == executorpb.Event_SUBSCRIBED && c.link.state == linkSubscribing:
		c.subscribed(in.Event.GetSubscribed())
	case c.link.state == linkSubscribed:
		c.happened(in.Event, in.Size)
	}
}

// happened handles what a subscribed agent says.
func (c *Core) happened(ev *executorpb.Event, size int) {
	switch ev.GetType() {
	case executorpb.Event_ACKNOWLEDGED:
		c.acknowledged(ev.GetAcknowledged())
	case executorpb.Event_LAUNCH:
		c.launch(ev.GetLaunch().GetTask(), size)
	case executorpb.Event_LAUNCH_GROUP:
		for _, t := range ev.GetLaunchGroup().GetTaskGroup().GetTasks() {
			c.launch(t, size)
		}
	case executorpb.Event_KILL:
		if k := ev.GetKill(); k != nil {
			c.call(KillTask{Task: k.GetTaskId()}, size)
		}
	case executorpb.Event_MESSAGE:
		if ev.GetMessage() == nil {
			return
		}
		if !c.callbacks.Drained() {
			// Messages are best effort. The rest of the room is for what is not.
			c.emit(Dropped{Size: size})
			return
		}
		c.call(FrameworkMessage{Data: ev.GetMessage().GetData()}, size)
	case executorpb.Event_SHUTDOWN:
		c.shutdown()
	}
	if c.callbacks.Full() && c.connected() {
		c.disconnect(errCallbacks)
	}
}

// launch takes a task in. An agent that is not sure whether a task has arrived may send it again.
func (c *Core) launch(t *mesos.TaskInfo, size int) {
	if t == nil || !c.running() || c.end.begun {
		return
	}
	if c.tasks.add(ids.TaskID(t.GetTaskId().GetValue()), t) {
		c.call(LaunchTask{Task: t}, size)
	}
}
