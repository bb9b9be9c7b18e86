package executorcore_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/core"
	. "github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	"github.com/meseta/meseta/internal/sdk/transcript"
)

func TestTranscripts(t *testing.T) {
	transcript.Run(t, func() transcript.Player { return newPlayer() })
}

// player plays a scenario against a core. Callbacks return at once unless the scenario says "slow".
type player struct {
	cfg    Config
	core   *Core
	now    core.Time
	slow   bool
	stream uint64 // the latest subscription
	sent   []Send // that have not been answered
	uuids  byte   // how many have been given out
}

func newPlayer() *player {
	p := &player{now: core.Time{Mono: time.Hour, Wall: time.Unix(1_800_000_000, 0)}}
	p.cfg = Config{
		Framework:        "F",
		Executor:         "E",
		Checkpoint:       true,
		RecoveryTimeout:  15 * time.Minute,
		BackoffMax:       2 * time.Second,
		GracePeriod:      5 * time.Second,
		FirstTimeout:     time.Minute,
		SubscribeTimeout: 30 * time.Second,
		Heartbeat:        30 * time.Minute,
		Pending:          mailbox.Limits{Items: 4, Bytes: 1 << 20},
		MaxUnanswered:    100,
		Random:           func() uint64 { return 7123456789 },
		NewUUID:          p.newUUID,
	}
	return p
}

func (p *player) newUUID() [16]byte {
	p.uuids++
	return [16]byte{p.uuids}
}

// Do implements transcript.Player.
func (p *player) Do(t *testing.T, words []string) []string {
	switch words[0] {
	case "config":
		for _, w := range words[1:] {
			switch key, value, _ := strings.Cut(w, "="); key {
			case "no-checkpoint":
				p.cfg.Checkpoint = false
			case "max-unanswered":
				p.cfg.MaxUnanswered, _ = strconv.Atoi(value)
			default:
				t.Fatalf("config %s?", w)
			}
		}
		return nil
	case "slow":
		p.slow = true
		return nil
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatal(err)
		}
		p.now = p.now.Add(d)
		return p.step(Tick{})
	case "deadline":
		d := p.core.NextDeadline()
		if d == core.Never {
			return []string{"no deadline"}
		}
		wait := max(0, d-p.now.Mono)
		p.now = p.now.Add(wait)
		return append([]string{"after " + wait.String()}, p.step(Tick{})...)
	}
	in := p.input(t, words)
	if p.core == nil {
		p.core = New(p.cfg)
	}
	before := p.core.Status()
	said := p.step(in)
	if after := p.core.Status(); after != before && words[0] != "start" {
		said = append(said, "now "+after.String())
	}
	return said
}

// step applies an input and says what came of it.
func (p *player) step(in Input) []string {
	var said []string
	for queue := []Input{in}; len(queue) > 0; queue = queue[1:] {
		for _, out := range p.core.Step(p.now, queue[0]) {
			said = append(said, p.describe(out))
			if _, ok := out.(Callback); ok && !p.slow {
				queue = append(queue, Returned{})
			}
		}
	}
	return said
}

// input reads an input. Events come from the latest subscription unless the line begins with "#n".
func (p *player) input(t *testing.T, words []string) Input {
	stream := p.stream
	if n, ok := strings.CutPrefix(words[0], "#"); ok {
		stream, _ = strconv.ParseUint(n, 10, 64)
		words = words[1:]
	}
	args := words[1:]
	event := func(typ executorpb.Event_Type, ev *executorpb.Event) Input {
		ev.Type = typ.Enum()
		return Received{Stream: stream, Event: ev, Size: 100}
	}
	switch words[0] {
	case "start":
		return Start{}
	case "stop":
		return Stop{}
	case "abort":
		return Abort{}
	case "returned":
		return Returned{}
	case "update":
		s := &mesos.TaskStatus{}
		if args[0] != "-" {
			s.TaskId = taskID(args[0])
		}
		if len(args) > 1 {
			s.State = mesos.TaskState(mesos.TaskState_value[args[1]]).Enum()
		}
		return Update{Status: s}
	case "send":
		return Message{Data: []byte(args[0])}

	case "SUBSCRIBED":
		return event(executorpb.Event_SUBSCRIBED, &executorpb.Event{Subscribed: &executorpb.Event_Subscribed{
			ExecutorInfo:  &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: new("E")}},
			FrameworkInfo: &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new("F")}},
			AgentInfo:     &mesos.AgentInfo{Id: &mesos.AgentID{Value: new("S")}},
		}})
	case "LAUNCH":
		return event(executorpb.Event_LAUNCH, &executorpb.Event{Launch: &executorpb.Event_Launch{Task: taskInfos(args)[0]}})
	case "LAUNCH_GROUP":
		return event(executorpb.Event_LAUNCH_GROUP, &executorpb.Event{LaunchGroup: &executorpb.Event_LaunchGroup{
			TaskGroup: &mesos.TaskGroupInfo{Tasks: taskInfos(args)}}})
	case "KILL":
		return event(executorpb.Event_KILL, &executorpb.Event{Kill: &executorpb.Event_Kill{TaskId: taskID(args[0])}})
	case "MESSAGE":
		return event(executorpb.Event_MESSAGE, &executorpb.Event{Message: &executorpb.Event_Message{Data: []byte(args[0])}})
	case "ACKNOWLEDGED":
		n, _ := strconv.Atoi(strings.TrimPrefix(args[1], "u"))
		uuid := [16]byte{byte(n)}
		return event(executorpb.Event_ACKNOWLEDGED, &executorpb.Event{Acknowledged: &executorpb.Event_Acknowledged{
			TaskId: taskID(args[0]), Uuid: uuid[:]}})
	case "SHUTDOWN":
		return event(executorpb.Event_SHUTDOWN, &executorpb.Event{})
	case "HEARTBEAT":
		return event(executorpb.Event_HEARTBEAT, &executorpb.Event{})
	case "UNKNOWN":
		return event(executorpb.Event_Type(99), &executorpb.Event{})
	case "EMPTY":
		return event(executorpb.Event_Type(executorpb.Event_Type_value[args[0]]), &executorpb.Event{})
	case "ERROR":
		return event(executorpb.Event_ERROR, &executorpb.Event{Error: &executorpb.Event_Error{Message: new(strings.Join(args, " "))}})

	case "closed":
		return Closed{Stream: stream, Err: errors.New(strings.Join(args, " "))}
	case "refused":
		return Closed{Stream: stream, Refused: true, Err: errors.New(strings.Join(args, " "))}
	case "answer":
		return p.answer(t, args)
	}
	t.Fatalf("%q is not an input", words)
	return nil
}

// answer answers the oldest call of a type.
func (p *player) answer(t *testing.T, args []string) Input {
	i := slices.IndexFunc(p.sent, func(s Send) bool { return s.Call.GetType().String() == args[0] })
	if i < 0 {
		t.Fatalf("no %s waits for an answer", args[0])
	}
	sent := p.sent[i]
	p.sent = slices.Delete(p.sent, i, i+1)
	in := Answered{Stream: sent.Stream, Call: sent.Call}
	for in.Outcome.String() != args[1] {
		in.Outcome++
		if in.Outcome > outcome.Unanswered {
			t.Fatalf("%q is not an outcome", args[1])
		}
	}
	if in.Outcome != outcome.Accepted {
		in.Err = errors.New("because")
	}
	return in
}

// describe says what an output is.
func (p *player) describe(out Output) string {
	switch out := out.(type) {
	case Subscribe:
		p.stream = out.Stream
		return fmt.Sprintf("subscribe #%d%s", out.Stream, describeSubscribe(out.Call))
	case Disconnect:
		return fmt.Sprintf("disconnect #%d: %v", out.Stream, out.Cause)
	case Send:
		p.sent = append(p.sent, out)
		return fmt.Sprintf("send #%d %s", out.Stream, describeCall(out.Call))
	case Dropped:
		return fmt.Sprintf("message of %d bytes dropped", out.Size)
	case Finished:
		return fmt.Sprintf("finished, %d updates unacknowledged", out.Unacknowledged)
	}
	return "→ " + describeCallback(out.(Callback))
}

func describeSubscribe(call *executorpb.Call) string {
	s := ""
	for i, t := range call.GetSubscribe().GetUnacknowledgedTasks() {
		if i == 0 {
			s += " tasks"
		}
		s += " " + t.GetTaskId().GetValue()
	}
	for i, u := range call.GetSubscribe().GetUnacknowledgedUpdates() {
		if i == 0 {
			s += " updates"
		}
		s += " " + describeUpdate(u)
	}
	return s + anonymous(call)
}

func describeCall(call *executorpb.Call) string {
	s := call.GetType().String()
	if u := call.GetUpdate(); u != nil {
		s += " " + describeUpdate(u)
		if u.GetStatus().GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR || u.GetStatus().GetTimestamp() < 1_800_000_000 {
			s += " (without source or timestamp!)"
		}
	}
	if m := call.GetMessage(); m != nil {
		s += " " + string(m.GetData())
	}
	return s + anonymous(call)
}

func anonymous(call *executorpb.Call) string {
	if call.GetFrameworkId().GetValue() != "F" || call.GetExecutorId().GetValue() != "E" {
		return " (without ids!)"
	}
	return ""
}

func describeUpdate(u *executorpb.Call_Update) string {
	s := u.GetStatus()
	return fmt.Sprintf("%s:%s:u%d", s.GetTaskId().GetValue(), strings.TrimPrefix(s.GetState().String(), "TASK_"), s.GetUuid()[0])
}

func describeCallback(cb Callback) string {
	switch cb := cb.(type) {
	case Registered:
		return fmt.Sprintf("registered %s of %s on %s", cb.Executor.GetExecutorId().GetValue(), cb.Framework.GetId().GetValue(), cb.Agent.GetId().GetValue())
	case Reregistered:
		return "reregistered on " + cb.Agent.GetId().GetValue()
	case Disconnected:
		return "disconnected"
	case LaunchTask:
		return "launch " + cb.Task.GetTaskId().GetValue()
	case KillTask:
		return "kill " + cb.Task.GetValue()
	case FrameworkMessage:
		return "message " + string(cb.Data)
	case Shutdown:
		return "shutdown"
	case Error:
		return "error: " + cb.Err.Error()
	}
	return fmt.Sprintf("%T", cb)
}

func taskID(id string) *mesos.TaskID { return &mesos.TaskID{Value: &id} }

func taskInfos(words []string) []*mesos.TaskInfo {
	var tasks []*mesos.TaskInfo
	for _, w := range words {
		tasks = append(tasks, &mesos.TaskInfo{TaskId: taskID(w)})
	}
	return tasks
}
