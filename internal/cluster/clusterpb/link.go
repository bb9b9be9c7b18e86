package clusterpb

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
)

// AgentSubscribeFrom gives an agent's first message on a link as the core understands it. The agent is to
// be reached at ip.
func AgentSubscribeFrom(link cluster.LinkID, m *linkpb.Subscribe, ip string) (cluster.AgentSubscribe, error) {
	in := cluster.AgentSubscribe{Link: link, ID: ids.AgentID(m.AgentId)}
	info := new(mesos.AgentInfo)
	if err := proto.Unmarshal(m.AgentInfo, info); err != nil {
		return in, fmt.Errorf("agent info: %w", err)
	}
	var err error
	if in.Info, err = AgentFrom(info, ip, m.Release); err != nil {
		return in, err
	}
	for _, f := range m.Frameworks {
		message := new(mesos.FrameworkInfo)
		if err := proto.Unmarshal(f.FrameworkInfo, message); err != nil {
			return in, fmt.Errorf("framework info: %w", err)
		}
		in.Frameworks = append(in.Frameworks, FrameworkFrom(message))
	}
	for _, e := range m.Executors {
		message := new(mesos.ExecutorInfo)
		if err := proto.Unmarshal(e.ExecutorInfo, message); err != nil {
			return in, fmt.Errorf("executor info: %w", err)
		}
		one, err := ExecutorFrom(message)
		if err != nil {
			return in, fmt.Errorf("executor %s: %w", one.ID, err)
		}
		in.Executors = append(in.Executors, cluster.AgentExecutor{Framework: ids.FrameworkID(e.FrameworkId), Info: one})
	}
	for _, t := range m.Tasks {
		one, err := agentTask(t)
		if err != nil {
			return in, err
		}
		in.Tasks = append(in.Tasks, one)
	}
	return in, nil
}

func agentTask(m *linkpb.Task) (cluster.AgentTask, error) {
	t := cluster.AgentTask{
		Framework: ids.FrameworkID(m.FrameworkId),
		State:     mesos.TaskState(m.State),
		Told:      mesos.TaskState(m.AcknowledgedState),
		Finished:  m.TerminalAcknowledged,
	}
	info := new(mesos.TaskInfo)
	if err := proto.Unmarshal(m.TaskInfo, info); err != nil {
		return t, fmt.Errorf("task info: %w", err)
	}
	if t.Info = TaskFrom(info); t.Info.Problem != "" {
		return t, fmt.Errorf("task %s: %s", t.Info.ID, t.Info.Problem)
	}
	for _, raw := range m.Statuses {
		s, err := StatusFrom(raw)
		if err != nil {
			return t, fmt.Errorf("task %s: %w", t.Info.ID, err)
		}
		t.Statuses = append(t.Statuses, s.Remembered())
	}
	return t, nil
}

// AgentInputFrom gives a later message of an agent as the core understands it; nil for a sign of life.
func AgentInputFrom(link cluster.LinkID, m *linkpb.AgentMessage) (cluster.Input, error) {
	switch b := m.Body.(type) {
	case *linkpb.AgentMessage_Update:
		s, err := StatusFrom(b.Update.Status)
		if err != nil {
			return nil, err
		}
		return cluster.AgentUpdate{Link: link, Framework: ids.FrameworkID(b.Update.FrameworkId), Status: s,
			Latest: mesos.TaskState(b.Update.LatestState)}, nil
	case *linkpb.AgentMessage_Message:
		return cluster.AgentMessage{Link: link, Framework: ids.FrameworkID(b.Message.FrameworkId),
			Executor: ids.ExecutorID(b.Message.ExecutorId), Data: b.Message.Data}, nil
	case *linkpb.AgentMessage_ExecutorExited:
		return cluster.AgentExecutorExited{Link: link, Framework: ids.FrameworkID(b.ExecutorExited.FrameworkId),
			Executor: ids.ExecutorID(b.ExecutorExited.ExecutorId), Status: b.ExecutorExited.Status}, nil
	case *linkpb.AgentMessage_TaskRefused:
		return cluster.AgentTaskRefused{Link: link, Framework: ids.FrameworkID(b.TaskRefused.FrameworkId),
			Task: ids.TaskID(b.TaskRefused.TaskId), Reason: mesos.TaskStatus_Reason(b.TaskRefused.Reason),
			Message: b.TaskRefused.Message}, nil
	case *linkpb.AgentMessage_FrameworkGone:
		return cluster.AgentFrameworkGone{Link: link, Framework: ids.FrameworkID(b.FrameworkGone.FrameworkId)}, nil
	case *linkpb.AgentMessage_Unregister:
		return cluster.AgentUnregistered{Link: link}, nil
	case *linkpb.AgentMessage_Ping:
		return nil, nil
	}
	return nil, fmt.Errorf("agent message of unexpected type %T", m.Body)
}

// Leader is what a master's shell adds to what an agent hears.
type Leader struct {
	ClusterID string
	MasterID  string
	Epoch     uint64

	PingInterval   time.Duration
	MaxMissedPings int
}

// CommandTo is a command as a message of a link's session.
func (l *Leader) CommandTo(session uint64, c cluster.Command) *linkpb.MasterMessage {
	out := &linkpb.MasterMessage{Session: session, Epoch: l.Epoch}
	switch c := c.(type) {
	case cluster.Welcome:
		out.Body = &linkpb.MasterMessage_Subscribed{Subscribed: &linkpb.Subscribed{
			AgentId: string(c.Agent), ClusterId: l.ClusterID, MasterId: l.MasterID,
			PingIntervalNs: int64(l.PingInterval), MaxMissedPings: uint32(l.MaxMissedPings)}}
	case cluster.Refuse:
		out.Body = &linkpb.MasterMessage_Refused{Refused: &linkpb.Refused{Reason: c.Reason, Final: c.Final, Gone: c.Gone}}
	case cluster.RunTask:
		out.Body = &linkpb.MasterMessage_RunTask{RunTask: &linkpb.RunTask{
			FrameworkInfo: Encode(FrameworkTo(&c.Framework.Info)),
			TaskInfo:      TaskBytes(c.Framework.Info.ID, &c.Task),
			ExecutorLives: c.ExecutorLives}}
	case cluster.KillTask:
		out.Body = &linkpb.MasterMessage_KillTask{KillTask: &linkpb.KillTask{
			FrameworkId: string(c.Framework), TaskId: string(c.Task), KillPolicy: c.Policy}}
	case cluster.AcknowledgeUpdate:
		out.Body = &linkpb.MasterMessage_Acknowledge{Acknowledge: &linkpb.Acknowledge{
			FrameworkId: string(c.Framework), TaskId: string(c.Task), Uuid: c.UUID[:]}}
	case cluster.FrameworkMessage:
		out.Body = &linkpb.MasterMessage_Message{Message: &linkpb.FrameworkMessage{
			FrameworkId: string(c.Framework), ExecutorId: string(c.Executor), Data: c.Data}}
	case cluster.ShutdownExecutor:
		out.Body = &linkpb.MasterMessage_ShutdownExecutor{ShutdownExecutor: &linkpb.ShutdownExecutor{
			FrameworkId: string(c.Framework), ExecutorId: string(c.Executor)}}
	case cluster.ShutdownFramework:
		out.Body = &linkpb.MasterMessage_ShutdownFramework{ShutdownFramework: &linkpb.ShutdownFramework{
			FrameworkId: string(c.Framework)}}
	case cluster.UpdateFramework:
		out.Body = &linkpb.MasterMessage_UpdateFramework{UpdateFramework: &linkpb.UpdateFramework{
			FrameworkInfo: Encode(FrameworkTo(&c.Framework.Info))}}
	default:
		panic(fmt.Sprintf("clusterpb: command of unknown type %T", c))
	}
	return out
}
