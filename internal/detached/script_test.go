package detached

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/sdk/transcript"
)

func TestTranscripts(t *testing.T) {
	transcript.Run(t, func() transcript.Player {
		return &script{c: New(Config{MasterID: "M", Epoch: 7}), now: core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)}}
	})
}

// script is a core and what a transcript does to it:
//
//	recover [framework=F] [gone] [task=ID[@AGENT][!] …]     ! is a task that was killed
//	run [cpus=1] [role=R] [n=3] [bytes=N]   kill T
//	subscribed   closed [REASON…]   offer O AGENT RESOURCES [role=R]
//	status T AGENT STATE [REASON] [#N]      #N is the UUID of an agent's status
//	hold   persist                          records are durable at once, unless they are held
//	wait D   view
type script struct {
	c       *Core
	now     core.Time
	asked   Request
	hold    bool
	pending []Ticket
}

func (s *script) Do(t *testing.T, words []string) []string {
	name, args := words[0], words[1:]
	switch name {
	case "hold":
		s.hold = true
		return nil
	case "persist":
		s.hold = false
		var out []string
		held := s.pending
		s.pending = nil
		for _, ticket := range held {
			out = append(out, s.step(Persisted{ticket})...)
		}
		return out
	case "wait":
		return s.wait(t, args[0])
	case "view":
		return s.view()
	}
	return s.step(s.input(t, name, args))
}

func (s *script) input(t *testing.T, name string, args []string) Input {
	option := func(key string) string {
		for _, a := range args {
			if value, ok := strings.CutPrefix(a, key+"="); ok {
				return value
			}
		}
		return ""
	}
	number := func(key string, otherwise int) int {
		if text := option(key); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		return otherwise
	}
	role := ids.Role(option("role"))
	if role == "" {
		role = "*"
	}
	switch name {
	case "recover":
		return s.recovered(args, option("framework"))
	case "run":
		s.asked++
		return Run{Request: s.asked, Name: "n", Role: role, Spec: make([]byte, number("bytes", 1)), Instances: number("n", 1),
			Demand: demand.Demand{CPUs: resources.Scalar(number("cpus", 1)) * resources.One}}
	case "kill":
		s.asked++
		return Kill{Request: s.asked, Task: ids.TaskID(args[0])}
	case "subscribed":
		return Subscribed{}
	case "closed":
		return Closed{strings.Join(args, " ")}
	case "offer":
		return Offers{{ids.OfferID(args[0]), ids.AgentID(args[1]), role, resources.MustParse(args[2])}}
	case "status":
		in := Status{Task: ids.TaskID(args[0]), Agent: ids.AgentID(args[1]), State: mesos.TaskState(mesos.TaskState_value["TASK_"+args[2]])}
		for _, a := range args[3:] {
			if n, ok := strings.CutPrefix(a, "#"); ok {
				copy(in.UUID[:], n)
			} else {
				in.Reason = mesos.TaskStatus_Reason(mesos.TaskStatus_Reason_value["REASON_"+a])
			}
		}
		return in
	}
	t.Fatalf("no such input: %s", name)
	return nil
}

func (s *script) recovered(args []string, framework string) Recovered {
	in := Recovered{Framework: ids.FrameworkID(framework)}
	for i, a := range args {
		text, ok := strings.CutPrefix(a, "task=")
		if !ok {
			in.Gone = in.Gone || a == "gone"
			continue
		}
		text, killed := strings.CutSuffix(text, "!")
		id, agent, _ := strings.Cut(text, "@")
		in.Tasks = append(in.Tasks, Task{ID: ids.TaskID(id), Role: "*", Agent: ids.AgentID(agent), Killed: killed,
			Demand: demand.Demand{CPUs: resources.One}, Created: time.Unix(int64(i), 0), Spec: []byte{0}})
	}
	return in
}

func (s *script) wait(t *testing.T, text string) (out []string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	for end := s.now.Add(d); ; {
		next := s.c.NextDeadline()
		if next > end.Mono {
			s.now = end
			return out
		}
		s.now = s.now.Add(max(0, next-s.now.Mono))
		out = append(out, s.step(Tick{})...)
	}
}

func (s *script) view() (out []string) {
	v := s.c.View()
	for _, t := range v.Tasks {
		out = append(out, fmt.Sprintf("%s %s", t.ID, place(t.Agent, t.Killed)))
	}
	for _, e := range v.Ended {
		out = append(out, fmt.Sprintf("%s %s: %s", e.Task.ID, e.State, e.Text))
	}
	return out
}

// step applies an input and prints what happens, with what follows when its records are durable.
func (s *script) step(in Input) (lines []string) {
	var durable []Ticket
	for _, o := range s.c.Step(s.now, in) {
		lines = append(lines, show(o))
		if p, ok := o.(Persist); ok && s.hold {
			s.pending = append(s.pending, p.Ticket)
		} else if ok {
			durable = append(durable, p.Ticket)
		}
	}
	for _, ticket := range durable {
		lines = append(lines, s.step(Persisted{ticket})...)
	}
	return lines
}

func show(o Output) string {
	switch o := o.(type) {
	case Subscribe:
		return fmt.Sprintf("subscribe %s roles %s suppressed %s", o.Framework, o.Roles, o.Suppressed)
	case Accept:
		var all []string
		for _, l := range o.Launches {
			all = append(all, fmt.Sprintf("%s with %s", l.Task, l.Share.Resources))
		}
		return fmt.Sprintf("accept %s: %s", o.Offer, strings.Join(all, ", "))
	case Decline:
		return fmt.Sprintf("decline %s for %s", o.Offer, o.Refuse)
	case Revive:
		return fmt.Sprintf("revive %s", []ids.Role(o))
	case Suppress:
		return fmt.Sprintf("suppress %s", []ids.Role(o))
	case Acknowledge:
		return fmt.Sprintf("acknowledge %s #%c", o.Task, o.UUID[0])
	case End:
		return fmt.Sprintf("end %s on %s", o.Task, o.Agent)
	case Reconcile:
		return fmt.Sprintf("reconcile %v", []Placed(o))
	case Persist:
		var all []string
		for _, r := range o.Records {
			all = append(all, showRecord(r))
		}
		return "persist " + few(all)
	case Answer:
		var all []string
		for _, id := range o.Tasks {
			all = append(all, string(id))
		}
		verdict := [...]string{"done", "refused", "not mine"}[o.Verdict]
		return strings.TrimSpace(fmt.Sprintf("answer %d: %s %s%s", o.Request, verdict, few(all), o.Text) + onAgent(o.Agent))
	case Notice:
		return fmt.Sprintf("notice: %s %v", o.Text, o.Attrs)
	}
	return fmt.Sprintf("%T", o)
}

func onAgent(a ids.AgentID) string {
	if a == "" {
		return ""
	}
	return "on " + string(a)
}

// few names the first and the last of many.
func few(all []string) string {
	if n := len(all); n > 4 {
		all = []string{all[0], "…", all[n-1]}
	}
	return strings.Join(all, ", ")
}

func showRecord(r Record) string {
	switch r := r.(type) {
	case KeepFramework:
		return "framework " + string(r.ID)
	case DropFramework:
		return "drop framework " + string(r.ID)
	case KeepTask:
		return string(r.Task.ID) + " " + place(r.Task.Agent, r.Task.Killed)
	case DropTask:
		return "drop " + string(r.ID)
	}
	return fmt.Sprintf("%T", r)
}

func place(agent ids.AgentID, killed bool) string {
	text := "waits"
	if agent != "" {
		text = "may be on " + string(agent)
	}
	if killed {
		text += ", killed"
	}
	return text
}
