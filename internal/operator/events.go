package operator

import (
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
)

// Subscribed is the first event of a stream: everything there is, to which all later events are changes.
func Subscribed(v *cluster.View, heartbeat time.Duration) *masterpb.Event {
	return &masterpb.Event{Type: masterpb.Event_SUBSCRIBED.Enum(), Subscribed: &masterpb.Event_Subscribed{
		GetState: state(v), HeartbeatIntervalSeconds: new(heartbeat.Seconds())}}
}

// Heartbeat is nothing but a sign of life.
func Heartbeat() *masterpb.Event { return &masterpb.Event{Type: masterpb.Event_HEARTBEAT.Enum()} }

// EventOf is a change as those who subscribed hear it.
func EventOf(c cluster.Change) *masterpb.Event {
	switch c := c.(type) {
	case cluster.TaskAdded:
		return &masterpb.Event{Type: masterpb.Event_TASK_ADDED.Enum(),
			TaskAdded: &masterpb.Event_TaskAdded{Task: clusterpb.TaskTo(c.Task)}}
	case cluster.TaskUpdated:
		return &masterpb.Event{Type: masterpb.Event_TASK_UPDATED.Enum(),
			TaskUpdated: &masterpb.Event_TaskUpdated{FrameworkId: &mesos.FrameworkID{Value: new(string(c.Task.Key.Framework))},
				Status: clusterpb.StatusTo(c.Status), State: c.Task.State.Enum()}}
	case cluster.AgentAdded:
		return &masterpb.Event{Type: masterpb.Event_AGENT_ADDED.Enum(),
			AgentAdded: &masterpb.Event_AgentAdded{Agent: agent(c.Agent)}}
	case cluster.AgentRemoved:
		return &masterpb.Event{Type: masterpb.Event_AGENT_REMOVED.Enum(),
			AgentRemoved: &masterpb.Event_AgentRemoved{AgentId: &mesos.AgentID{Value: new(string(c.Agent))}}}
	case cluster.FrameworkAdded:
		return &masterpb.Event{Type: masterpb.Event_FRAMEWORK_ADDED.Enum(),
			FrameworkAdded: &masterpb.Event_FrameworkAdded{Framework: newFramework(c.Framework)}}
	case cluster.FrameworkUpdated:
		return &masterpb.Event{Type: masterpb.Event_FRAMEWORK_UPDATED.Enum(),
			FrameworkUpdated: &masterpb.Event_FrameworkUpdated{Framework: newFramework(c.Framework)}}
	case cluster.FrameworkRemoved:
		return &masterpb.Event{Type: masterpb.Event_FRAMEWORK_REMOVED.Enum(),
			FrameworkRemoved: &masterpb.Event_FrameworkRemoved{FrameworkInfo: clusterpb.FrameworkTo(&c.Framework.Info)}}
	}
	panic(fmt.Sprintf("operator: change of unknown type %T", c))
}

// newFramework is a framework as an event has it: as in a list, but that it was not removed is said too.
func newFramework(f *cluster.Framework) *masterpb.Response_GetFrameworks_Framework {
	m := framework(f)
	if m.UnregisteredTime == nil {
		m.UnregisteredTime = &mesos.TimeInfo{Nanoseconds: new(int64(0))}
	}
	return m
}
