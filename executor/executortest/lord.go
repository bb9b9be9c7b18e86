package executortest

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/sim/agentwire"
	"github.com/meseta/meseta/internal/stage"
)

const (
	frameworkID = "framework"
	agentID     = "agent-S0"
	epoch       = 1
)

// lord is master and scheduler of the agent in one: it passes on what the test wants, and acknowledges every update.
type lord struct {
	a       *Agent
	link    *stage.Link // nil while the agent is away
	session uint64      // of the link
	unsaid  []*linkpb.MasterMessage

	started  bool // the executor was, by a task
	launched []string
	updates  stage.Updates
	messages [][]byte
}

// Accept implements stage.Lord.
func (l *lord) Accept(link *stage.Link) (hear func(*linkpb.AgentMessage), closed func(time.Duration)) {
	l.session++
	session := l.session
	hear = func(m *linkpb.AgentMessage) { l.hear(link, session, m) }
	closed = func(time.Duration) {
		if l.link == link {
			l.link = nil
		}
	}
	return hear, closed
}

func (l *lord) hear(link *stage.Link, session uint64, m *linkpb.AgentMessage) {
	switch b := m.Body.(type) {
	case *linkpb.AgentMessage_Subscribe:
		l.link = link
		link.Tell(&linkpb.MasterMessage{Session: session, Epoch: epoch, Body: &linkpb.MasterMessage_Subscribed{
			Subscribed: &linkpb.Subscribed{AgentId: agentID, ClusterId: "test", MasterId: "test"}}})
		for _, m := range l.unsaid {
			l.tell(m)
		}
		l.unsaid = nil
	case *linkpb.AgentMessage_Update:
		status := agentwire.Decode[mesos.TaskStatus](b.Update.Status)
		l.updates.Add(status)
		if len(status.Uuid) > 0 {
			l.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_Acknowledge{Acknowledge: &linkpb.Acknowledge{
				FrameworkId: frameworkID, TaskId: status.TaskId.GetValue(), Uuid: status.Uuid}}})
		}
	case *linkpb.AgentMessage_TaskRefused:
		l.updates.Add(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &b.TaskRefused.TaskId},
			State: mesos.TaskState_TASK_LOST.Enum(), Message: &b.TaskRefused.Message})
	case *linkpb.AgentMessage_Message:
		l.messages = append(l.messages, b.Message.Data)
	case *linkpb.AgentMessage_ExecutorExited:
		l.started = false
	}
}

// tell says something to the agent, now or when it is back.
func (l *lord) tell(m *linkpb.MasterMessage) {
	if l.link == nil {
		l.unsaid = append(l.unsaid, m)
		return
	}
	m.Session, m.Epoch = l.session, epoch
	l.link.Tell(m)
}

func (l *lord) launch(task *mesos.TaskInfo) {
	if task.TaskId == nil {
		task.TaskId = &mesos.TaskID{Value: new(fmt.Sprintf("task-%d", len(l.launched)))}
	}
	if task.Name == nil {
		task.Name = task.TaskId.Value
	}
	task.AgentId = &mesos.AgentID{Value: new(agentID)}
	task.Executor = l.a.info
	l.launched = append(l.launched, task.TaskId.GetValue())
	l.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_RunTask{RunTask: &linkpb.RunTask{
		FrameworkInfo: agentwire.Must(proto.Marshal(&mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new(frameworkID)},
			Name: new("test"), User: new("nobody")})),
		TaskInfo:      agentwire.Must(proto.Marshal(task)),
		ExecutorLives: l.started,
	}}})
	l.started = true
}

func (l *lord) kill(task string) {
	l.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_KillTask{KillTask: &linkpb.KillTask{
		FrameworkId: frameworkID, TaskId: task}}})
}

func (l *lord) send(data []byte) {
	l.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_Message{Message: &linkpb.FrameworkMessage{
		FrameworkId: frameworkID, ExecutorId: l.a.info.ExecutorId.GetValue(), Data: data}}})
}

func (l *lord) shutdown() {
	l.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_ShutdownExecutor{ShutdownExecutor: &linkpb.ShutdownExecutor{
		FrameworkId: frameworkID, ExecutorId: l.a.info.ExecutorId.GetValue()}}})
}
