package schedulercore_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	. "github.com/meseta/meseta/internal/sdk/schedulercore"
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
}

func newPlayer() *player {
	return &player{
		cfg: Config{
			Framework:          &mesos.FrameworkInfo{Name: new("demo"), User: new("root")},
			HeartbeatTolerance: 5,
			BackoffMin:         500 * time.Millisecond,
			BackoffMax:         15 * time.Second,
			SubscribeTimeout:   30 * time.Second,
			StopTimeout:        5 * time.Second,
			Pending:            mailbox.Limits{Items: 4, Bytes: 1 << 20},
			MaxUnanswered:      100,
			Random:             func() uint64 { return 7123456789 },
		},
		now: core.Time{Mono: time.Hour, Wall: time.Unix(1_800_000_000, 0)},
	}
}

// Do implements transcript.Player.
func (p *player) Do(t *testing.T, words []string) []string {
	switch words[0] {
	case "config":
		p.configure(t, words[1:])
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
	return p.step(in)
}

func (p *player) configure(t *testing.T, words []string) {
	info := p.cfg.Framework
	for _, w := range words {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "explicit":
			p.cfg.Explicit = true
		case "partition-aware":
			info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{
				Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE.Enum()})
		case "id":
			info.Id = &mesos.FrameworkID{Value: &value}
		case "roles":
			info.Roles = strings.Split(value, ",")
			info.Capabilities = append(info.Capabilities, &mesos.FrameworkInfo_Capability{
				Type: mesos.FrameworkInfo_Capability_MULTI_ROLE.Enum()})
		case "max-unanswered":
			p.cfg.MaxUnanswered, _ = strconv.Atoi(value)
		default:
			t.Fatalf("config %s?", w)
		}
	}
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
	event := func(typ schedulerpb.Event_Type, ev *schedulerpb.Event) Input {
		ev.Type = typ.Enum()
		return Received{Stream: stream, Event: ev, Size: 100}
	}
	switch words[0] {
	case "start":
		return Start{}
	case "stop":
		return Stop{Failover: slices.Contains(args, "failover")}
	case "abort":
		return Abort{}
	case "fail":
		return Fail{Err: errors.New(strings.Join(args, " "))}
	case "returned":
		return Returned{}
	case "launch":
		return Launch{Offers: offerIDs(args), Tasks: taskInfos(args)}
	case "accept":
		return Accept{Offers: offerIDs(args), Operations: []*mesos.Offer_Operation{
			{Type: mesos.Offer_Operation_LAUNCH_GROUP.Enum(), LaunchGroup: &mesos.Offer_Operation_LaunchGroup{
				TaskGroup: &mesos.TaskGroupInfo{Tasks: taskInfos(args)}}},
		}}
	case "decline":
		return Decline{Offers: offerIDs(args)}
	case "kill":
		return Kill{Task: taskID(args[0])}
	case "revive":
		return Revive{Roles: args}
	case "suppress":
		return Suppress{Roles: args}
	case "request":
		return Request{}
	case "reconcile":
		return Reconcile{Statuses: statuses(args)}
	case "ack":
		s := status(args[0])
		s.Uuid = []byte(args[1])
		return Acknowledge{Status: s}
	case "send":
		id, agent := at(args[0])
		return Message{Executor: &mesos.ExecutorID{Value: &id}, Agent: agent, Data: []byte(args[1])}

	case "SUBSCRIBED":
		sub := &schedulerpb.Event_Subscribed{FrameworkId: &mesos.FrameworkID{Value: &args[0]}}
		if len(args) > 1 {
			seconds, _ := strconv.ParseFloat(args[1], 64)
			sub.HeartbeatIntervalSeconds = &seconds
		}
		return event(schedulerpb.Event_SUBSCRIBED, &schedulerpb.Event{Subscribed: sub})
	case "HEARTBEAT":
		return event(schedulerpb.Event_HEARTBEAT, &schedulerpb.Event{})
	case "UNKNOWN":
		return event(schedulerpb.Event_Type(99), &schedulerpb.Event{})
	case "INVERSE_OFFERS":
		return event(schedulerpb.Event_INVERSE_OFFERS, &schedulerpb.Event{})
	case "OFFERS":
		var offers []*mesos.Offer
		for _, id := range offerIDs(args) {
			offers = append(offers, &mesos.Offer{Id: id})
		}
		return event(schedulerpb.Event_OFFERS, &schedulerpb.Event{Offers: &schedulerpb.Event_Offers{Offers: offers}})
	case "RESCIND":
		return event(schedulerpb.Event_RESCIND, &schedulerpb.Event{Rescind: &schedulerpb.Event_Rescind{OfferId: offerIDs(args)[0]}})
	case "UPDATE":
		s := status(args[0])
		s.State = mesos.TaskState(mesos.TaskState_value[args[1]]).Enum()
		if len(args) > 2 {
			s.Uuid = []byte(args[2])
		}
		return event(schedulerpb.Event_UPDATE, &schedulerpb.Event{Update: &schedulerpb.Event_Update{Status: s}})
	case "EMPTY":
		return event(schedulerpb.Event_Type(schedulerpb.Event_Type_value[args[0]]), &schedulerpb.Event{})
	case "MESSAGE":
		id, agent := at(args[0])
		return event(schedulerpb.Event_MESSAGE, &schedulerpb.Event{Message: &schedulerpb.Event_Message{
			ExecutorId: &mesos.ExecutorID{Value: &id}, AgentId: agent, Data: []byte(args[1])}})
	case "FAILURE":
		id, agent := at(args[0])
		f := &schedulerpb.Event_Failure{AgentId: agent}
		if id != "" {
			code, _ := strconv.Atoi(args[1])
			f.ExecutorId, f.Status = &mesos.ExecutorID{Value: &id}, new(int32(code))
		}
		return event(schedulerpb.Event_FAILURE, &schedulerpb.Event{Failure: f})
	case "ERROR":
		return event(schedulerpb.Event_ERROR, &schedulerpb.Event{Error: &schedulerpb.Event_Error{Message: new(strings.Join(args, " "))}})

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
		s := fmt.Sprintf("subscribe #%d", out.Stream)
		if id := out.Call.GetFrameworkId(); id != nil {
			s += " as " + id.GetValue()
			if out.Call.GetSubscribe().GetFrameworkInfo().GetId().GetValue() != id.GetValue() {
				s += " (but not in its description!)"
			}
		}
		if roles := out.Call.GetSubscribe().GetSuppressedRoles(); len(roles) > 0 {
			s += " without offers for " + strings.Join(roles, ",")
		}
		return s
	case Disconnect:
		return fmt.Sprintf("disconnect #%d: %v", out.Stream, out.Cause)
	case Send:
		p.sent = append(p.sent, out)
		return fmt.Sprintf("send #%d %s", out.Stream, describeCall(out.Call))
	case Dropped:
		return fmt.Sprintf("message of %d bytes dropped", out.Size)
	case Finished:
		if out.TornDown {
			return "finished, framework torn down"
		}
		return "finished"
	}
	return "→ " + describeCallback(out.(Callback))
}

func describeCall(call *schedulerpb.Call) string {
	words := []string{call.GetType().String()}
	add := func(w ...string) { words = append(words, w...) }
	if call.GetFrameworkId() == nil {
		add("(without framework id!)")
	}
	accept := call.GetAccept()
	for _, id := range slices.Concat(accept.GetOfferIds(), call.GetDecline().GetOfferIds()) {
		add(id.GetValue())
	}
	for _, op := range accept.GetOperations() {
		for _, t := range slices.Concat(op.GetLaunch().GetTaskInfos(), op.GetLaunchGroup().GetTaskGroup().GetTasks()) {
			add(t.GetTaskId().GetValue())
		}
	}
	if k := call.GetKill(); k != nil {
		add(atAgent(k.GetTaskId().GetValue(), k.GetAgentId()))
	}
	if a := call.GetAcknowledge(); a != nil {
		add(atAgent(a.GetTaskId().GetValue(), a.GetAgentId()), string(a.GetUuid()))
	}
	if r := call.GetReconcile(); r != nil && len(r.GetTasks()) == 0 {
		add("everything")
	}
	for _, t := range call.GetReconcile().GetTasks() {
		add(atAgent(t.GetTaskId().GetValue(), t.GetAgentId()))
	}
	if m := call.GetMessage(); m != nil {
		add(atAgent(m.GetExecutorId().GetValue(), m.GetAgentId()), string(m.GetData()))
	}
	add(call.GetSuppress().GetRoles()...)
	add(call.GetRevive().GetRoles()...)
	return strings.Join(words, " ")
}

func describeCallback(cb Callback) string {
	switch cb := cb.(type) {
	case Registered:
		return "registered " + cb.Framework.GetValue()
	case Reregistered:
		return "reregistered"
	case Disconnected:
		return "disconnected"
	case ResourceOffers:
		s := "offers"
		for _, o := range cb.Offers {
			s += " " + o.GetId().GetValue()
		}
		return s
	case OfferRescinded:
		return "rescinded " + cb.Offer.GetValue()
	case StatusUpdate:
		s := "update " + atAgent(cb.Status.GetTaskId().GetValue(), cb.Status.GetAgentId()) + " " + cb.Status.GetState().String()
		if cb.Status.Reason != nil {
			s += " " + cb.Status.GetReason().String()
		}
		if cb.Status.Message != nil {
			s += fmt.Sprintf(" %s %q at %.0f", cb.Status.GetSource(), cb.Status.GetMessage(), cb.Status.GetTimestamp())
		}
		return s
	case FrameworkMessage:
		return "message from " + atAgent(cb.Executor.GetValue(), cb.Agent) + ": " + string(cb.Data)
	case AgentLost:
		return "agent lost " + cb.Agent.GetValue()
	case ExecutorLost:
		return fmt.Sprintf("executor lost %s, status %d", atAgent(cb.Executor.GetValue(), cb.Agent), cb.Status)
	case Error:
		return "error: " + cb.Err.Error()
	}
	return fmt.Sprintf("%T", cb)
}

// offerIDs are the words that name offers: those that begin with O.
func offerIDs(words []string) []*mesos.OfferID {
	var offers []*mesos.OfferID
	for _, w := range words {
		if strings.HasPrefix(w, "O") {
			offers = append(offers, &mesos.OfferID{Value: &w})
		}
	}
	return offers
}

// taskInfos are the words that name tasks on agents: "t1@S1".
func taskInfos(words []string) []*mesos.TaskInfo {
	var tasks []*mesos.TaskInfo
	for _, w := range words {
		if !strings.HasPrefix(w, "O") {
			id, agent := at(w)
			tasks = append(tasks, &mesos.TaskInfo{TaskId: taskID(id), AgentId: agent})
		}
	}
	return tasks
}

func statuses(words []string) []*mesos.TaskStatus {
	var all []*mesos.TaskStatus
	for _, w := range words {
		all = append(all, status(w))
	}
	return all
}

func status(word string) *mesos.TaskStatus {
	id, agent := at(word)
	return &mesos.TaskStatus{TaskId: taskID(id), AgentId: agent}
}

func taskID(id string) *mesos.TaskID { return &mesos.TaskID{Value: &id} }

// at splits "t1@S1".
func at(word string) (id string, agent *mesos.AgentID) {
	id, on, found := strings.Cut(word, "@")
	if !found {
		return id, nil
	}
	return id, &mesos.AgentID{Value: &on}
}

func atAgent(id string, agent *mesos.AgentID) string {
	if agent == nil {
		return id
	}
	return id + "@" + agent.GetValue()
}
