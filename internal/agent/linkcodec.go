package agent

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// linkVersion is the version of the agent link that this agent speaks; the history is in link.proto.
const linkVersion = 1

// linkDecoder reads what masters say. It keeps the last framework, which most tasks share.
type linkDecoder struct {
	accounts  *accounts
	framework node.Framework
}

// decode gives the body of a message as the core understands it; nil for a sign of life.
func (d *linkDecoder) decode(m *linkpb.MasterMessage) (node.MasterBody, error) {
	switch b := m.Body.(type) {
	case *linkpb.MasterMessage_Subscribed:
		return node.Subscribed{Agent: ids.AgentID(b.Subscribed.AgentId), Cluster: b.Subscribed.ClusterId, Master: b.Subscribed.MasterId}, nil
	case *linkpb.MasterMessage_Refused:
		return node.Refused{Reason: b.Refused.Reason, Final: b.Refused.Final, Gone: b.Refused.Gone}, nil
	case *linkpb.MasterMessage_RunTask:
		return d.runTask(b.RunTask)
	case *linkpb.MasterMessage_KillTask:
		return killTask(b.KillTask)
	case *linkpb.MasterMessage_Acknowledge:
		return node.Acknowledge{Framework: ids.FrameworkID(b.Acknowledge.FrameworkId), Task: ids.TaskID(b.Acknowledge.TaskId),
			UUID: uuidOf(b.Acknowledge.Uuid)}, nil
	case *linkpb.MasterMessage_Message:
		return node.FrameworkMessage{Framework: ids.FrameworkID(b.Message.FrameworkId), Executor: ids.ExecutorID(b.Message.ExecutorId),
			Data: b.Message.Data}, nil
	case *linkpb.MasterMessage_ShutdownExecutor:
		return node.ShutdownExecutor{Framework: ids.FrameworkID(b.ShutdownExecutor.FrameworkId),
			Executor: ids.ExecutorID(b.ShutdownExecutor.ExecutorId)}, nil
	case *linkpb.MasterMessage_ShutdownFramework:
		return node.ShutdownFramework{Framework: ids.FrameworkID(b.ShutdownFramework.FrameworkId)}, nil
	case *linkpb.MasterMessage_UpdateFramework:
		f, err := d.frameworkOf(b.UpdateFramework.FrameworkInfo)
		return node.UpdateFramework{Framework: f}, err
	case *linkpb.MasterMessage_Ping:
		return nil, nil
	}
	return nil, fmt.Errorf("message of a kind that this version does not know (%T)", m.Body)
}

func (d *linkDecoder) frameworkOf(info []byte) (node.Framework, error) {
	if d.framework.Info != nil && bytes.Equal(d.framework.Info, info) {
		return d.framework, nil
	}
	f, err := decodeFramework(info)
	if err == nil {
		d.framework = f
	}
	return f, err
}

func (d *linkDecoder) runTask(m *linkpb.RunTask) (node.MasterBody, error) {
	f, err := d.frameworkOf(m.FrameworkInfo)
	if err != nil {
		return nil, err
	}
	t, e, unsupported, err := decodeTask(m.TaskInfo)
	if err != nil {
		return nil, err
	}
	user := t.Command.User
	if e != nil {
		user = e.Command.User
	}
	if user == "" {
		user = f.User
	}
	return node.RunTask{Framework: f, Task: t, Executor: e, ExecutorLives: m.ExecutorLives,
		Unsupported: unsupported, UserProblem: d.accounts.problem(user)}, nil
}

func killTask(m *linkpb.KillTask) (node.MasterBody, error) {
	k := node.KillTask{Framework: ids.FrameworkID(m.FrameworkId), Task: ids.TaskID(m.TaskId), Policy: m.KillPolicy}
	if len(m.KillPolicy) > 0 {
		policy := new(mesos.KillPolicy)
		if err := proto.Unmarshal(m.KillPolicy, policy); err != nil {
			return nil, fmt.Errorf("kill policy for task %q: %w", m.TaskId, err)
		}
		k.Grace = durationFrom(policy.GracePeriod)
	}
	return k, nil
}

// encodeToMaster gives a message of the core as a record of the link.
func (a *agent) encodeToMaster(out node.ToMaster) ([]byte, error) {
	m := &linkpb.AgentMessage{Session: out.Session, Epoch: out.Epoch}
	switch b := out.Body.(type) {
	case node.Subscribe:
		subscribe, err := a.subscribeMessage(b)
		if err != nil {
			return nil, err
		}
		m.Body = &linkpb.AgentMessage_Subscribe{Subscribe: subscribe}
	case node.Update:
		m.Body = &linkpb.AgentMessage_Update{Update: &linkpb.Update{FrameworkId: string(b.Framework),
			Status: a.statuses.append(nil, a.loop.core.Identity().Agent, b.Task, b.Status), LatestState: int32(b.Latest)}}
	case node.ExecutorMessage:
		m.Body = &linkpb.AgentMessage_Message{Message: &linkpb.ExecutorMessage{FrameworkId: string(b.Framework),
			ExecutorId: string(b.Executor), Data: b.Data}}
	case node.ExecutorExited:
		m.Body = &linkpb.AgentMessage_ExecutorExited{ExecutorExited: &linkpb.ExecutorExited{FrameworkId: string(b.Framework),
			ExecutorId: string(b.Executor), Status: int32(b.Status)}}
	case node.TaskRefused:
		m.Body = &linkpb.AgentMessage_TaskRefused{TaskRefused: &linkpb.TaskRefused{FrameworkId: string(b.Framework),
			TaskId: string(b.Task), Reason: int32(b.Reason), Message: validText(b.Message)}}
	case node.AgentLeaves:
		m.Body = &linkpb.AgentMessage_Unregister{Unregister: &linkpb.Unregister{}}
	case node.AgentFrameworkGone:
		m.Body = &linkpb.AgentMessage_FrameworkGone{FrameworkGone: &linkpb.FrameworkGone{FrameworkId: string(b.Framework)}}
	default:
		return nil, fmt.Errorf("message of unknown type %T", b)
	}
	return proto.Marshal(m)
}

func (a *agent) subscribeMessage(s node.Subscribe) (*linkpb.Subscribe, error) {
	info, err := proto.Marshal(a.info.with(s.Agent))
	if err != nil {
		return nil, fmt.Errorf("encode the agent's info: %w", err)
	}
	m := &linkpb.Subscribe{Version: linkVersion, AgentId: string(s.Agent), ClusterId: s.Cluster, AgentInfo: info, Release: a.config.Release}
	for _, f := range s.Frameworks {
		m.Frameworks = append(m.Frameworks, &linkpb.Framework{FrameworkInfo: f.Info})
	}
	for _, e := range s.Executors {
		m.Executors = append(m.Executors, &linkpb.Executor{FrameworkId: string(e.Framework), ExecutorInfo: e.Info, ContainerId: string(e.Container)})
	}
	for _, t := range s.Tasks {
		m.Tasks = append(m.Tasks, a.taskMessage(s.Agent, t))
	}
	return m, nil
}

// withoutData is a TaskInfo without what only its executor reads, and which may be most of it: the list of all
// tasks has to fit into one record. Whatever cannot be read stays.
func withoutData(info []byte) []byte {
	const data = 6 // TaskInfo.data
	var out []byte
	kept := 0 // what of info is in out already
	for at := 0; at < len(info); {
		field, _, n := protowire.ConsumeField(info[at:])
		if n < 0 {
			return info
		}
		if field == data {
			out = append(out, info[kept:at]...)
			kept = at + n
		}
		at += n
	}
	if kept == 0 {
		return info
	}
	return append(out, info[kept:]...)
}

func (a *agent) taskMessage(agent ids.AgentID, t node.TaskView) *linkpb.Task {
	m := &linkpb.Task{
		FrameworkId:          string(t.Framework),
		TaskInfo:             withoutData(t.Info),
		State:                int32(t.State),
		AcknowledgedState:    int32(t.ReportedState),
		TerminalAcknowledged: t.TerminalAcknowledged,
	}
	if t.ReportedUUID != (node.UUID{}) {
		m.StatusUuid = t.ReportedUUID[:]
	}
	for _, s := range t.Statuses {
		m.Statuses = append(m.Statuses, a.statuses.append(nil, agent, t.Task, s))
	}
	return m
}
