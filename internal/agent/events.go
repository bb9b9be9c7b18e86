package agent

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/node"
)

// executorEvent gives an event of the core as executors read it.
func (a *agent) executorEvent(event node.ExecutorEvent) (*executorpb.Event, error) {
	switch e := event.(type) {
	case node.ExecutorSubscribed:
		return a.subscribedEvent(e)
	case node.ExecutorLaunch:
		task := new(mesos.TaskInfo)
		if err := proto.Unmarshal(e.Task, task); err != nil {
			return nil, fmt.Errorf("task to launch: %w", err)
		}
		return &executorpb.Event{Type: executorpb.Event_LAUNCH.Enum(), Launch: &executorpb.Event_Launch{Task: task}}, nil
	case node.ExecutorKill:
		kill := &executorpb.Event_Kill{TaskId: &mesos.TaskID{Value: new(string(e.Task))}}
		if len(e.Policy) > 0 {
			kill.KillPolicy = new(mesos.KillPolicy)
			if err := proto.Unmarshal(e.Policy, kill.KillPolicy); err != nil {
				return nil, fmt.Errorf("kill policy: %w", err)
			}
		}
		return &executorpb.Event{Type: executorpb.Event_KILL.Enum(), Kill: kill}, nil
	case node.ExecutorAcknowledged:
		return &executorpb.Event{Type: executorpb.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executorpb.Event_Acknowledged{
			TaskId: &mesos.TaskID{Value: new(string(e.Task))}, Uuid: e.UUID[:]}}, nil
	case node.ExecutorHears:
		data := e.Data
		if data == nil {
			data = []byte{}
		}
		return &executorpb.Event{Type: executorpb.Event_MESSAGE.Enum(), Message: &executorpb.Event_Message{Data: data}}, nil
	case node.ExecutorShutdown:
		return &executorpb.Event{Type: executorpb.Event_SHUTDOWN.Enum()}, nil
	}
	return nil, fmt.Errorf("event of unknown type %T", event)
}

func (a *agent) subscribedEvent(e node.ExecutorSubscribed) (*executorpb.Event, error) {
	executor, framework := new(mesos.ExecutorInfo), new(mesos.FrameworkInfo)
	if err := proto.Unmarshal(e.Executor, executor); err != nil {
		return nil, fmt.Errorf("executor info: %w", err)
	}
	if err := proto.Unmarshal(e.Framework, framework); err != nil {
		return nil, fmt.Errorf("framework info: %w", err)
	}
	return &executorpb.Event{Type: executorpb.Event_SUBSCRIBED.Enum(), Subscribed: &executorpb.Event_Subscribed{
		ExecutorInfo:  executor,
		FrameworkInfo: framework,
		AgentInfo:     a.info.with(e.Agent),
		ContainerId:   &mesos.ContainerID{Value: new(string(e.Container))},
	}}, nil
}

// heartbeat is the event that keeps an executor's connection from looking dead.
func heartbeat() *executorpb.Event {
	return &executorpb.Event{Type: executorpb.Event_HEARTBEAT.Enum()}
}
