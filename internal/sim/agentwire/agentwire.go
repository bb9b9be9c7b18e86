// Package agentwire is what the shell of a simulated agent translates: the messages of the agent link and of
// the executor API to what the agent's core understands, and back. The shell of the real agent does the same
// with more care: what comes in here was encoded by the house, so that nonsense is a bug, and panics.
package agentwire

import (
	"bytes"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// Must is for what the house has encoded.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("agentwire: %v", err))
	}
	return v
}

// Decode reads a message that the house has encoded.
func Decode[M any, P interface {
	*M
	proto.Message
}](raw []byte) *M {
	m := P(new(M))
	if err := proto.Unmarshal(raw, m); err != nil {
		panic(fmt.Sprintf("agentwire: decode %T: %v", m, err))
	}
	return (*M)(m)
}

// Decoder reads what masters say. It keeps the last framework, which most tasks share.
type Decoder struct {
	// UserProblem says why an executor's account cannot be used. Nil means that all can.
	UserProblem func(user string) string

	framework node.Framework
}

// Decode gives the body of a message; nil for a sign of life.
func (d *Decoder) Decode(m *linkpb.MasterMessage) node.MasterBody {
	switch b := m.Body.(type) {
	case *linkpb.MasterMessage_Subscribed:
		return node.Subscribed{Agent: ids.AgentID(b.Subscribed.AgentId), Cluster: b.Subscribed.ClusterId, Master: b.Subscribed.MasterId}
	case *linkpb.MasterMessage_Refused:
		return node.Refused{Reason: b.Refused.Reason, Final: b.Refused.Final, Gone: b.Refused.Gone}
	case *linkpb.MasterMessage_RunTask:
		task, executor := taskOf(b.RunTask.TaskInfo)
		problem := ""
		if executor != nil && d.UserProblem != nil {
			problem = d.UserProblem(executor.Command.User)
		}
		return node.RunTask{UserProblem: problem, Framework: d.frameworkOf(b.RunTask.FrameworkInfo), Task: task, Executor: executor,
			ExecutorLives: b.RunTask.ExecutorLives}
	case *linkpb.MasterMessage_KillTask:
		k := node.KillTask{Framework: ids.FrameworkID(b.KillTask.FrameworkId), Task: ids.TaskID(b.KillTask.TaskId), Policy: b.KillTask.KillPolicy}
		if len(k.Policy) > 0 {
			k.Grace = durationOf(Decode[mesos.KillPolicy](k.Policy).GracePeriod)
		}
		return k
	case *linkpb.MasterMessage_Acknowledge:
		return node.Acknowledge{Framework: ids.FrameworkID(b.Acknowledge.FrameworkId), Task: ids.TaskID(b.Acknowledge.TaskId),
			UUID: node.UUID(b.Acknowledge.Uuid)}
	case *linkpb.MasterMessage_Message:
		return node.FrameworkMessage{Framework: ids.FrameworkID(b.Message.FrameworkId), Executor: ids.ExecutorID(b.Message.ExecutorId),
			Data: b.Message.Data}
	case *linkpb.MasterMessage_ShutdownExecutor:
		return node.ShutdownExecutor{Framework: ids.FrameworkID(b.ShutdownExecutor.FrameworkId),
			Executor: ids.ExecutorID(b.ShutdownExecutor.ExecutorId)}
	case *linkpb.MasterMessage_ShutdownFramework:
		return node.ShutdownFramework{Framework: ids.FrameworkID(b.ShutdownFramework.FrameworkId)}
	case *linkpb.MasterMessage_UpdateFramework:
		return node.UpdateFramework{Framework: d.frameworkOf(b.UpdateFramework.FrameworkInfo)}
	case *linkpb.MasterMessage_Ping:
		return nil
	}
	panic(fmt.Sprintf("agentwire: master message of unknown type %T", m.Body))
}

func (d *Decoder) frameworkOf(info []byte) node.Framework {
	if d.framework.Info != nil && bytes.Equal(d.framework.Info, info) {
		return d.framework
	}
	m := Decode[mesos.FrameworkInfo](info)
	f := node.Framework{ID: ids.FrameworkID(m.Id.GetValue()), User: m.GetUser(), Info: info}
	for _, c := range m.Capabilities {
		switch c.GetType() {
		case mesos.FrameworkInfo_Capability_PARTITION_AWARE:
			f.PartitionAware = true
		case mesos.FrameworkInfo_Capability_TASK_KILLING_STATE:
			f.KillingState = true
		}
	}
	d.framework = f
	return f
}

func taskOf(info []byte) (node.TaskInfo, *node.ExecutorInfo) {
	m := Decode[mesos.TaskInfo](info)
	t := node.TaskInfo{ID: ids.TaskID(m.TaskId.GetValue()), KillGrace: durationOf(m.KillPolicy.GetGracePeriod()), Info: info}
	if d := durationOf(m.MaxCompletionTime); d != nil {
		t.MaxTime = *d
	}
	if m.Executor == nil {
		t.Command = commandOf(m.Command)
		return t, nil
	}
	return t, &node.ExecutorInfo{
		ID:            ids.ExecutorID(m.Executor.ExecutorId.GetValue()),
		Command:       commandOf(m.Executor.Command),
		ShutdownGrace: durationOf(m.Executor.ShutdownGracePeriod),
		Info:          Must(proto.Marshal(m.Executor)),
	}
}

func durationOf(m *mesos.DurationInfo) *time.Duration {
	if m == nil {
		return nil
	}
	return new(time.Duration(m.GetNanoseconds()))
}

func commandOf(m *mesos.CommandInfo) node.Command {
	c := node.Command{Shell: m.GetShell(), Value: m.GetValue(), User: m.GetUser()}
	for _, u := range m.GetUris() {
		c.URIs = append(c.URIs, node.URI{Value: u.GetValue()})
	}
	return c
}

// Encoder writes what an agent says.
type Encoder struct {
	Info func(ids.AgentID) *mesos.AgentInfo // what it says of itself
}

// Message gives a message of an agent's core as one of the link.
func (e Encoder) Message(agent ids.AgentID, out node.ToMaster) *linkpb.AgentMessage {
	m := &linkpb.AgentMessage{Session: out.Session, Epoch: out.Epoch}
	switch b := out.Body.(type) {
	case node.Subscribe:
		m.Body = &linkpb.AgentMessage_Subscribe{Subscribe: e.subscribe(b)}
	case node.Update:
		m.Body = &linkpb.AgentMessage_Update{Update: &linkpb.Update{FrameworkId: string(b.Framework),
			Status: statusBytes(agent, b.Task, b.Status), LatestState: int32(b.Latest)}}
	case node.ExecutorMessage:
		m.Body = &linkpb.AgentMessage_Message{Message: &linkpb.ExecutorMessage{FrameworkId: string(b.Framework),
			ExecutorId: string(b.Executor), Data: b.Data}}
	case node.ExecutorExited:
		m.Body = &linkpb.AgentMessage_ExecutorExited{ExecutorExited: &linkpb.ExecutorExited{FrameworkId: string(b.Framework),
			ExecutorId: string(b.Executor), Status: int32(b.Status)}}
	case node.TaskRefused:
		m.Body = &linkpb.AgentMessage_TaskRefused{TaskRefused: &linkpb.TaskRefused{FrameworkId: string(b.Framework),
			TaskId: string(b.Task), Reason: int32(b.Reason), Message: b.Message}}
	case node.AgentFrameworkGone:
		m.Body = &linkpb.AgentMessage_FrameworkGone{FrameworkGone: &linkpb.FrameworkGone{FrameworkId: string(b.Framework)}}
	case node.AgentLeaves:
		m.Body = &linkpb.AgentMessage_Unregister{Unregister: &linkpb.Unregister{}}
	default:
		panic(fmt.Sprintf("agentwire: agent message of unknown type %T", b))
	}
	return m
}

func (e Encoder) subscribe(s node.Subscribe) *linkpb.Subscribe {
	m := &linkpb.Subscribe{Version: 1, AgentId: string(s.Agent), ClusterId: s.Cluster, AgentInfo: Must(proto.Marshal(e.Info(s.Agent)))}
	for _, f := range s.Frameworks {
		m.Frameworks = append(m.Frameworks, &linkpb.Framework{FrameworkInfo: f.Info})
	}
	for _, e := range s.Executors {
		m.Executors = append(m.Executors, &linkpb.Executor{FrameworkId: string(e.Framework), ExecutorInfo: e.Info, ContainerId: string(e.Container)})
	}
	for _, t := range s.Tasks {
		one := &linkpb.Task{FrameworkId: string(t.Framework), TaskInfo: t.Info, State: int32(t.State),
			AcknowledgedState: int32(t.ReportedState), TerminalAcknowledged: t.TerminalAcknowledged}
		if t.ReportedUUID != (node.UUID{}) {
			one.StatusUuid = t.ReportedUUID[:]
		}
		for _, status := range t.Statuses {
			one.Statuses = append(one.Statuses, statusBytes(s.Agent, t.Task, status))
		}
		m.Tasks = append(m.Tasks, one)
	}
	return m
}

// statusBytes is a status as bytes of mesos.v1.TaskStatus.
func statusBytes(agent ids.AgentID, task ids.TaskID, s *node.Status) []byte {
	m := &mesos.TaskStatus{
		TaskId:    &mesos.TaskID{Value: new(string(task))},
		State:     s.State.Enum(),
		Source:    s.Source.Enum(),
		AgentId:   &mesos.AgentID{Value: new(string(agent))},
		Timestamp: new(s.Timestamp),
		Data:      s.Data,
	}
	if s.Message != "" {
		m.Message = new(s.Message)
	}
	if s.Reason != node.NoReason {
		m.Reason = s.Reason.Enum()
	}
	if s.Executor != "" {
		m.ExecutorId = &mesos.ExecutorID{Value: new(string(s.Executor))}
	}
	if s.UUID != (node.UUID{}) {
		m.Uuid = s.UUID[:]
	}
	return append(Must(proto.Marshal(m)), s.Rest...)
}

// statusOf is an executor's status as the core understands it.
func statusOf(m *mesos.TaskStatus) node.ExecutorUpdate {
	s := node.Status{
		UUID:      node.UUID(m.Uuid),
		State:     m.GetState(),
		Source:    m.GetSource(),
		Reason:    node.NoReason,
		Message:   m.GetMessage(),
		Data:      m.Data,
		Executor:  ids.ExecutorID(m.ExecutorId.GetValue()),
		Timestamp: m.GetTimestamp(),
	}
	if m.Reason != nil {
		s.Reason = *m.Reason
	}
	rest := proto.CloneOf(m)
	rest.Uuid, rest.State, rest.Source, rest.Reason, rest.Message, rest.Data = nil, nil, nil, nil, nil, nil
	rest.TaskId, rest.AgentId, rest.ExecutorId, rest.Timestamp = nil, nil, nil, nil
	s.Rest = Must(proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(rest))
	return node.ExecutorUpdate{Task: ids.TaskID(m.TaskId.GetValue()), Status: s}
}

// CallInput gives an executor's call, other than SUBSCRIBE, as the core understands it.
func CallInput(r node.RequestID, call *executorpb.Call) node.Input {
	framework, executor := ids.FrameworkID(call.FrameworkId.GetValue()), ids.ExecutorID(call.ExecutorId.GetValue())
	switch call.GetType() {
	case executorpb.Call_UPDATE:
		return node.ExecutorUpdates{Request: r, Framework: framework, Executor: executor, Update: statusOf(call.Update.Status)}
	case executorpb.Call_MESSAGE:
		return node.ExecutorSends{Request: r, Framework: framework, Executor: executor, Data: call.Message.Data}
	case executorpb.Call_HEARTBEAT:
		return node.ExecutorBeats{Request: r, Framework: framework, Executor: executor}
	}
	panic(fmt.Sprintf("agentwire: executor call of unknown type %s", call.GetType()))
}

// SubscribeInput gives an executor's SUBSCRIBE as the core understands it.
func SubscribeInput(r node.RequestID, s node.StreamID, call *executorpb.Call) node.Input {
	in := node.ExecutorSubscribes{Request: r, Stream: s, Framework: ids.FrameworkID(call.FrameworkId.GetValue()),
		Executor: ids.ExecutorID(call.ExecutorId.GetValue())}
	for _, t := range call.Subscribe.UnacknowledgedTasks {
		in.Tasks = append(in.Tasks, ids.TaskID(t.TaskId.GetValue()))
	}
	for _, u := range call.Subscribe.UnacknowledgedUpdates {
		in.Updates = append(in.Updates, statusOf(u.Status))
	}
	return in
}

// Event gives an event of the core as executors read it.
func (e Encoder) Event(event node.ExecutorEvent) *executorpb.Event {
	switch ev := event.(type) {
	case node.ExecutorSubscribed:
		return &executorpb.Event{Type: executorpb.Event_SUBSCRIBED.Enum(), Subscribed: &executorpb.Event_Subscribed{
			ExecutorInfo:  Decode[mesos.ExecutorInfo](ev.Executor),
			FrameworkInfo: Decode[mesos.FrameworkInfo](ev.Framework),
			AgentInfo:     e.Info(ev.Agent),
			ContainerId:   &mesos.ContainerID{Value: new(string(ev.Container))},
		}}
	case node.ExecutorLaunch:
		return &executorpb.Event{Type: executorpb.Event_LAUNCH.Enum(), Launch: &executorpb.Event_Launch{Task: Decode[mesos.TaskInfo](ev.Task)}}
	case node.ExecutorKill:
		kill := &executorpb.Event_Kill{TaskId: &mesos.TaskID{Value: new(string(ev.Task))}}
		if len(ev.Policy) > 0 {
			kill.KillPolicy = Decode[mesos.KillPolicy](ev.Policy)
		}
		return &executorpb.Event{Type: executorpb.Event_KILL.Enum(), Kill: kill}
	case node.ExecutorAcknowledged:
		return &executorpb.Event{Type: executorpb.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executorpb.Event_Acknowledged{
			TaskId: &mesos.TaskID{Value: new(string(ev.Task))}, Uuid: bytes.Clone(ev.UUID[:])}}
	case node.ExecutorHears:
		return &executorpb.Event{Type: executorpb.Event_MESSAGE.Enum(), Message: &executorpb.Event_Message{Data: ev.Data}}
	case node.ExecutorShutdown:
		return &executorpb.Event{Type: executorpb.Event_SHUTDOWN.Enum()}
	}
	panic(fmt.Sprintf("agentwire: executor event of unknown type %T", event))
}
