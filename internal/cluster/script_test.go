package cluster

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// TestTranscripts plays the scripts in testdata. A line that begins with ">" is an input, the lines below
// it are what the core answers; -update rewrites them. "#" begins a comment. See script.do for the inputs.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playScript(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("the transcript reads differently now (go test -run Transcripts -update rewrites it):\n%s", got)
			}
		})
	}
}

func playScript(t *testing.T, text string) string {
	s := newScript()
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ">"):
			fmt.Fprintln(&b, line)
			for _, out := range s.do(t, strings.Fields(line[1:])) {
				fmt.Fprintln(&b, "  "+out)
			}
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

// script is one core and what a transcript has done to it. Streams are s1, s2, …; links 1, 2, …; the
// n-th status that the script makes up has the uuid n.
type script struct {
	c       *Cluster
	now     core.Time
	streams map[string]StreamID // of frameworks by id
	links   map[string]LinkID   // of agents by id
	opened  int
	linked  LinkID
	hold    bool // records wait until "persist"
	watched bool // what is published is printed
	waiting []Ticket
}

func newScript() *script {
	return &script{
		c:       New(Config{MasterID: "M"}),
		now:     core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)},
		streams: make(map[string]StreamID),
		links:   make(map[string]LinkID),
	}
}

// do carries out one input line and prints the outputs:
//
//	recover [framework=F] [removed=F] [agent=A] [unreachable=A]
//	subscribe [id=F] [role=R] [aware] [timeout=10s] [suppressed]   a scheduler, on a new stream
//	close F                                                        its stream ends
//	agent [id=A] [late=LINK] [res=cpus:4;mem:1024] [task=F/T/STATUS…] [exec=F/E] [framework=F]
//	unlink A [silent=30s]   unregister A                           its link ends | it leaves
//	accept F O[,O] [T[/E][=RES] …] [refuse=5s]    decline F O [refuse=5s]
//	revive F   suppress F   teardown F   kill F T [A]   shutdown F E A   message F E A
//	order kill T [F]   order teardown F   order gone A             an operator
//	ack F T A N   reconcile F [T[@A] …]
//	update A F T STATE N [latest=STATE]   exited A F E STATUS   send A F E   refused A F T   gone A F
//	closed LINK                                                    a link ends that need not be the latest
//	watch (from here on, what is published is printed)
//	wait D   hold   persist   frameworks (that are in the books)   history
func (s *script) do(t *testing.T, args []string) []string {
	t.Helper()
	name, args := args[0], args[1:]
	switch name {
	case "wait":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		return s.wait(d)
	case "hold":
		s.hold = true
		return nil
	case "watch":
		s.watched = true
		return nil
	case "frameworks":
		out := []string{"frameworks:"}
		for f := range s.c.View().Frameworks.All() {
			out = append(out, string(f.Info.ID))
		}
		return []string{strings.Join(out, " ")}
	case "history":
		v, out := s.c.View(), []string{"history:"}
		for task := range v.CompletedTasks.All() {
			out = append(out, fmt.Sprintf("%s/%s/%s", task.Key.Framework, task.Key.Task, strings.TrimPrefix(task.State.String(), "TASK_")))
		}
		for f := range v.CompletedFrameworks.All() {
			out = append(out, string(f.Info.ID))
		}
		return []string{strings.Join(out, " ")}
	case "persist":
		s.hold = false
		var out []string
		for _, ticket := range s.waiting {
			out = append(out, s.step(Persisted{ticket})...)
		}
		s.waiting = nil
		return out
	}
	in := s.input(t, name, args)
	if in == nil {
		t.Fatalf("no such input: %s", name)
	}
	return s.step(in)
}

// wait lets time pass, stopping at each deadline.
func (s *script) wait(d time.Duration) (out []string) {
	end := s.now.Add(d)
	for {
		next := s.c.NextDeadline()
		if next > end.Mono {
			s.now = end
			return append(out, s.step(Tick{})...)
		}
		s.now = s.now.Add(max(0, next-s.now.Mono))
		out = append(out, s.step(Tick{})...)
	}
}

// step applies an input and, unless they are held, reports records as durable at once.
func (s *script) step(in Input) (lines []string) {
	var tickets []Ticket
	for _, out := range s.c.Step(s.now, in) {
		if p, ok := out.(Persist); ok {
			tickets = append(tickets, p.Ticket)
		}
		if _, ok := out.(Publish); ok && !s.watched {
			continue
		}
		lines = append(lines, s.print(out))
	}
	if s.hold {
		s.waiting = append(s.waiting, tickets...)
		return lines
	}
	for _, ticket := range tickets {
		lines = append(lines, s.step(Persisted{ticket})...)
	}
	return lines
}

var optionNames = []string{"id", "late", "role", "timeout", "res", "task", "exec", "framework", "removed", "agent", "unreachable", "refuse", "latest", "silent"}

// options splits "k=v" and bare words from an argument list.
func options(args []string) (plain []string, option map[string][]string) {
	option = make(map[string][]string)
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok && slices.Contains(optionNames, k) {
			option[k] = append(option[k], v)
		} else {
			plain = append(plain, a)
		}
	}
	return plain, option
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func (s *script) input(t *testing.T, name string, args []string) Input {
	plain, option := options(args)
	arg := func(i int) string {
		if i < len(plain) {
			return plain[i]
		}
		return ""
	}
	switch name {
	case "recover":
		var in Recovered
		for _, f := range option["framework"] {
			in.Frameworks = append(in.Frameworks, FrameworkInfo{ID: ids.FrameworkID(f)})
		}
		for _, a := range option["agent"] {
			in.Agents = append(in.Agents, ids.AgentID(a))
		}
		for _, a := range option["unreachable"] {
			in.Unreachable = append(in.Unreachable, UnreachableAgent{ids.AgentID(a), time.Unix(999_000, 0)})
		}
		for _, f := range option["removed"] {
			in.Removed = append(in.Removed, ids.FrameworkID(f))
		}
		return in
	case "subscribe":
		return s.subscribe(t, plain, option)
	case "close":
		return StreamClosed{s.streams[arg(0)]}
	case "agent":
		return s.agent(t, option)
	case "unregister":
		return AgentUnregistered{s.links[arg(0)]}
	case "closed":
		n, _ := strconv.Atoi(arg(0))
		return LinkClosed{Link: LinkID(n), Reason: "gone"}
	case "unlink":
		return LinkClosed{s.links[arg(0)], "gone", parse(t, first(option["silent"]))}
	case "update":
		n, _ := strconv.Atoi(arg(4))
		status := Status{Task: ids.TaskID(arg(2)), State: state(t, arg(3)), UUID: UUID{15: byte(n)}, Raw: []byte(arg(3) + "#" + arg(4))}
		return AgentUpdate{Link: s.links[arg(0)], Framework: ids.FrameworkID(arg(1)), Status: status,
			Latest: state(t, cmp.Or(first(option["latest"]), arg(3)))}
	case "exited":
		n, _ := strconv.Atoi(arg(3))
		return AgentExecutorExited{s.links[arg(0)], ids.FrameworkID(arg(1)), ids.ExecutorID(arg(2)), int32(n)}
	case "send":
		return AgentMessage{s.links[arg(0)], ids.FrameworkID(arg(1)), ids.ExecutorID(arg(2)), []byte("hello")}
	case "refused":
		return AgentTaskRefused{s.links[arg(0)], ids.FrameworkID(arg(1)), ids.TaskID(arg(2)),
			mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, "no room"}
	case "gone":
		return AgentFrameworkGone{s.links[arg(0)], ids.FrameworkID(arg(1))}
	}
	if name == "order" && arg(0) == "kill" {
		return OperatorCall{OrderKill{Task: ids.TaskID(arg(1)), Framework: ids.FrameworkID(arg(2))}}
	}
	if name == "order" && arg(0) == "gone" {
		return OperatorCall{OrderMarkGone{ids.AgentID(arg(1))}}
	}
	if name == "order" {
		return OperatorCall{OrderTeardown{ids.FrameworkID(arg(1))}}
	}
	if call := s.call(t, name, plain, option, arg); call != nil {
		return SchedulerCall{Framework: ids.FrameworkID(arg(0)), Stream: s.streams[arg(0)], Call: call}
	}
	return nil
}

func (s *script) call(t *testing.T, name string, plain []string, option map[string][]string, arg func(int) string) Call {
	switch name {
	case "accept":
		a := Accept{Offers: offerIDs(arg(1)), Refuse: parse(t, first(option["refuse"]))}
		for _, task := range plain[2:] {
			a.Tasks = append(a.Tasks, s.task(t, task))
		}
		return a
	case "decline":
		return Decline{Offers: offerIDs(arg(1)), Refuse: parse(t, first(option["refuse"]))}
	case "revive":
		return Revive{}
	case "suppress":
		return Suppress{}
	case "teardown":
		return Teardown{}
	case "kill":
		return Kill{Task: ids.TaskID(arg(1)), Agent: ids.AgentID(arg(2))}
	case "shutdown":
		return Shutdown{ids.ExecutorID(arg(1)), ids.AgentID(arg(2))}
	case "message":
		return Message{ids.AgentID(arg(2)), ids.ExecutorID(arg(1)), []byte("hello")}
	case "ack":
		n, _ := strconv.Atoi(arg(3))
		return Acknowledge{ids.AgentID(arg(2)), ids.TaskID(arg(1)), UUID{15: byte(n)}}
	case "reconcile":
		var r Reconcile
		for _, one := range plain[1:] {
			task, agent, _ := strings.Cut(one, "@")
			r.Tasks = append(r.Tasks, ReconcileTask{ids.TaskID(task), ids.AgentID(agent)})
		}
		return r
	}
	return nil
}

func (s *script) subscribe(t *testing.T, plain []string, option map[string][]string) Input {
	s.opened++
	stream := StreamID(fmt.Sprintf("s%d", s.opened))
	info := FrameworkInfo{ID: ids.FrameworkID(first(option["id"])), Name: "test", User: "root",
		FailoverTimeout: parse(t, first(option["timeout"]))}
	if roles := option["role"]; roles != nil {
		info.Capabilities = info.Capabilities.With(mesos.FrameworkInfo_Capability_MULTI_ROLE)
		for _, r := range roles {
			info.Roles = append(info.Roles, ids.Role(r))
		}
	}
	in := Subscribe{Stream: stream, Framework: info}
	if slices.Contains(plain, "aware") {
		in.Framework.Capabilities = info.Capabilities.With(mesos.FrameworkInfo_Capability_PARTITION_AWARE)
	}
	if slices.Contains(plain, "suppressed") {
		in.Suppressed = in.Framework.EffectiveRoles()
	}
	id := cmp.Or(string(info.ID), fmt.Sprintf("M-%04d", s.c.nextFramework))
	s.streams[id] = stream
	return in
}

func (s *script) agent(t *testing.T, option map[string][]string) Input {
	s.linked++
	in := AgentSubscribe{Link: s.linked, ID: ids.AgentID(first(option["id"])), Info: AgentInfo{Hostname: "host",
		Resources: list(t, cmp.Or(first(option["res"]), "cpus:4;mem:1024"))}}
	if late := first(option["late"]); late != "" {
		n, _ := strconv.ParseUint(late, 10, 64)
		s.linked--
		in.Link = LinkID(n)
	} else {
		s.links[cmp.Or(string(in.ID), fmt.Sprintf("M-S%d", s.c.nextAgent))] = s.linked
	}
	for _, one := range option["task"] {
		p := strings.Split(one, "/")
		task := s.task(t, p[1])
		task.Agent, task.Resources = "nowhere", task.Resources.Allocate("*") // the link says where it is
		in.Tasks = append(in.Tasks, agentTask(t, p[0], task, p[2:]))
	}
	for _, one := range option["exec"] {
		f, e, _ := strings.Cut(one, "/")
		in.Executors = append(in.Executors, AgentExecutor{ids.FrameworkID(f), s.executor(t, e, "*")})
	}
	for _, f := range option["framework"] {
		in.Frameworks = append(in.Frameworks, FrameworkInfo{ID: ids.FrameworkID(f)})
	}
	return in
}

// agentTask reads STATUS[/STATUS …][/ended] of a task that an agent reports: what its scheduler was told
// last, and then what it was not, a STATUS being STATE[#N]. A task that has "ended" is history.
func agentTask(t *testing.T, framework string, info TaskInfo, words []string) AgentTask {
	out := AgentTask{Framework: ids.FrameworkID(framework), Info: info}
	for i, word := range words {
		if word == "ended" {
			out.Finished = true
			continue
		}
		name, number, numbered := strings.Cut(word, "#")
		out.State = state(t, name)
		if i == 0 {
			out.Told = out.State
		}
		if n, _ := strconv.Atoi(number); numbered {
			out.Statuses = append(out.Statuses, Status{Task: info.ID, State: out.State, UUID: UUID{15: byte(n)}, Raw: []byte(word)})
		}
	}
	return out
}

// task reads T[/E][=RES][@A], with % for a slash in T; a task asks for one cpu unless it says otherwise.
func (s *script) task(t *testing.T, text string) TaskInfo {
	text, agent, _ := strings.Cut(text, "@")
	text, res, _ := strings.Cut(text, "=")
	id, executor, custom := strings.Cut(text, "/")
	info := TaskInfo{ID: ids.TaskID(strings.ReplaceAll(id, "%", "/")), Agent: ids.AgentID(cmp.Or(agent, "M-S0")),
		Resources: list(t, cmp.Or(strings.ReplaceAll(res, "+", ";"), "cpus:1")), HasCommand: !custom}
	if custom {
		e := s.executor(t, executor, "")
		info.Executor = &e
	}
	return info
}

// executor reads E or E!raw; every executor asks for half a cpu.
func (s *script) executor(t *testing.T, text string, role ids.Role) ExecutorInfo {
	id, raw, _ := strings.Cut(text, "!")
	l := list(t, "cpus:0.5")
	if role != "" {
		l = l.Allocate(role)
	}
	return ExecutorInfo{ID: ids.ExecutorID(id), Resources: l, Raw: []byte(raw)}
}

func offerIDs(text string) (out []ids.OfferID) {
	for one := range strings.SplitSeq(text, ",") {
		if one != "" {
			out = append(out, ids.OfferID(strings.Replace(one, "O", "M-O", 1)))
		}
	}
	return out
}

func list(t *testing.T, text string) Resources {
	l, err := resources.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func parse(t *testing.T, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func state(t *testing.T, name string) mesos.TaskState {
	s, ok := mesos.TaskState_value["TASK_"+name]
	if !ok {
		t.Fatalf("no such state: %s", name)
	}
	return mesos.TaskState(s)
}

// print gives an output as a line.
func (s *script) print(o Output) string {
	switch o := o.(type) {
	case Answer:
		if o.Code == Accepted && o.After != 0 {
			return fmt.Sprintf("202 once #%d is durable", o.After)
		}
		if o.Code == Accepted {
			return "202"
		}
		return fmt.Sprintf("%d %s", o.Code, o.Text)
	case Send:
		return fmt.Sprintf("%s: %s", o.Stream, printEvent(o.Event))
	case CloseStream:
		return fmt.Sprintf("%s: closed", o.Stream)
	case Publish:
		return "published: " + printChange(o.Change)
	case ToAgent:
		return fmt.Sprintf("link %d: %s", o.Link, printCommand(o.Command))
	case CloseLink:
		return fmt.Sprintf("link %d: closed", o.Link)
	case Persist:
		var records []string
		for _, r := range o.Records {
			records = append(records, printRecord(r))
		}
		return fmt.Sprintf("persist #%d: %s", o.Ticket, strings.Join(records, "; "))
	case Notice:
		return fmt.Sprintf("notice: %s %v", o.Text, o.Attrs)
	}
	return fmt.Sprintf("%T", o)
}

func printEvent(e Event) string {
	switch e := e.(type) {
	case Subscribed:
		return "SUBSCRIBED " + string(e.Framework)
	case Offers:
		var all []string
		for _, o := range e.Offers {
			all = append(all, fmt.Sprintf("%s of %s: %s", o.ID, o.Agent.ID, o.Resources))
		}
		return "OFFERS " + strings.Join(all, ", ")
	case Rescind:
		return "RESCIND " + string(e.Offer)
	case Update:
		st := e.Status
		if st.Raw != nil {
			return fmt.Sprintf("UPDATE %s %s", st.Task, st.Raw)
		}
		like := ""
		if st.Like != nil {
			like = " like " + string(st.Like)
		}
		if !st.UnreachableSince.IsZero() {
			like += fmt.Sprintf(" unreachable since %d", st.UnreachableSince.Unix())
		}
		return fmt.Sprintf("UPDATE %s %s %s %q on %q%s", st.Task, st.State, st.Reason, st.Message, st.Agent, like)
	case ExecutorMessage:
		return fmt.Sprintf("MESSAGE from %s on %s", e.Executor, e.Agent)
	case Failure:
		return fmt.Sprintf("FAILURE %s %s %d", e.Agent, e.Executor, e.Status)
	case Error:
		return "ERROR " + e.Message
	}
	return fmt.Sprintf("%T", e)
}

func printChange(c Change) string {
	switch c := c.(type) {
	case TaskAdded:
		return fmt.Sprintf("TASK_ADDED %s/%s %s", c.Task.Key.Framework, c.Task.Key.Task, c.Task.State)
	case TaskUpdated:
		return fmt.Sprintf("TASK_UPDATED %s/%s %s: %s", c.Task.Key.Framework, c.Task.Key.Task, c.Task.State, printEvent(Update{*c.Status}))
	case AgentAdded:
		return fmt.Sprintf("AGENT_ADDED %s connected %t", c.Agent.ID, c.Agent.Connected())
	case AgentRemoved:
		return fmt.Sprintf("AGENT_REMOVED %s", c.Agent)
	case FrameworkAdded:
		return fmt.Sprintf("FRAMEWORK_ADDED %s connected %t", c.Framework.Info.ID, c.Framework.Connected())
	case FrameworkUpdated:
		return fmt.Sprintf("FRAMEWORK_UPDATED %s connected %t", c.Framework.Info.ID, c.Framework.Connected())
	case FrameworkRemoved:
		return fmt.Sprintf("FRAMEWORK_REMOVED %s", c.Framework.Info.ID)
	}
	return fmt.Sprintf("%T", c)
}

func printCommand(c Command) string {
	switch c := c.(type) {
	case Welcome:
		return "welcome " + string(c.Agent)
	case Refuse:
		return "refused" + map[bool]string{true: " for good"}[c.Final] + ": " + c.Reason
	case RunTask:
		text := fmt.Sprintf("run %s of %s with %s", c.Task.ID, c.Framework.Info.ID, c.Task.Resources)
		if c.Task.Executor != nil {
			text += fmt.Sprintf(" in %s with %s", c.Task.Executor.ID, c.Task.Executor.Resources)
		}
		if c.ExecutorLives {
			text += " that lives"
		}
		return text
	case KillTask:
		return fmt.Sprintf("kill %s of %s", c.Task, c.Framework)
	case AcknowledgeUpdate:
		return fmt.Sprintf("acknowledge %s of %s #%d", c.Task, c.Framework, c.UUID[15])
	case FrameworkMessage:
		return fmt.Sprintf("message to %s of %s", c.Executor, c.Framework)
	case ShutdownExecutor:
		return fmt.Sprintf("shut down %s of %s", c.Executor, c.Framework)
	case ShutdownFramework:
		return fmt.Sprintf("shut down %s", c.Framework)
	case UpdateFramework:
		return fmt.Sprintf("framework %s is back", c.Framework.Info.ID)
	}
	return fmt.Sprintf("%T", c)
}

func printRecord(r Record) string {
	switch r := r.(type) {
	case AdmitAgent:
		return "admit agent " + string(r.ID)
	case MarkAgentGone:
		return "agent " + string(r.ID) + " is gone"
	case RemoveAgent:
		return "forget agent " + string(r.ID)
	case LoseAgent:
		return "lose agent " + string(r.ID)
	case AdmitFramework:
		return "admit framework " + string(r.Info.ID)
	case RemoveFramework:
		return "remove framework " + string(r.ID)
	}
	return fmt.Sprintf("%T", r)
}
