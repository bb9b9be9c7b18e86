package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// Filter says which events are of interest: those of any of the kinds, if there are any, for which all else
// holds too.
type Filter struct {
	kinds []string // task, agent, framework
	want  []condition
}

// condition is that something of an event begins like this.
type condition struct{ key, prefix string }

// Set adds to a filter, from a flag: a kind, or KEY=VALUE.
func (f *Filter) Set(s string) error {
	key, value, is := strings.Cut(s, "=")
	switch key {
	case "task", "agent", "framework":
		if is {
			f.want = append(f.want, condition{key, value})
		} else {
			f.kinds = append(f.kinds, key)
		}
		return nil
	case "state":
		if value != "" {
			f.want = append(f.want, condition{key, strings.TrimPrefix(strings.ToUpper(value), "TASK_")})
			return nil
		}
	}
	return fmt.Errorf("%q: expected task, agent or framework, or one of these with =ID, or state=STATE", s)
}

// String is the filter as it was given.
func (f *Filter) String() string {
	all := slices.Clone(f.kinds)
	for _, c := range f.want {
		all = append(all, c.key+"="+c.prefix)
	}
	return strings.Join(all, ",")
}

// Type is what the help calls it.
func (f *Filter) Type() string { return "filter" }

// admits tells whether an event is of interest.
func (f *Filter) admits(n *news) bool {
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, n.kind) {
		return false
	}
	for _, c := range f.want {
		has, named := map[string]string{"task": n.task, "agent": n.agent, "framework": n.framework, "state": n.state}[c.key], ""
		switch c.key {
		case "agent":
			named = n.agentName
		case "framework":
			named = n.frameworkName
		}
		if has == "" || !fits(has, c.prefix) && named != c.prefix {
			return false
		}
	}
	return true
}

func (f *Filter) empty() bool { return len(f.kinds) == 0 && len(f.want) == 0 }

// news is an event as people are told of it.
type news struct {
	kind             string // task, agent, framework
	what             string // a state, or what happened
	task, state      string
	agent, agentName string
	framework        string
	frameworkName    string
	message          string
}

// Events prints what happens in the cluster, a line for each event, until ctx ends. A stream that breaks off is
// begun anew.
func (c *Client) Events(ctx context.Context, s *Screen, f Format, filter *Filter) error {
	r := &reporter{screen: s, format: f, filter: filter, client: c}
	if f == JSON {
		c.codec = wire.JSON // records are printed as they come
	}
	for {
		err := r.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !r.begun || errors.Is(err, errPrint):
			return err
		case r.complaint != err.Error():
			r.complaint = err.Error()
			fmt.Fprintf(s.Err, "meseta: %v; trying again\n", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// errPrint is within the error when nobody reads what is printed.
var errPrint = errors.New("cannot print")

// reporter prints events.
type reporter struct {
	screen    *Screen
	format    Format
	filter    *Filter
	client    *Client
	begun     bool   // the cluster was seen at least once
	complaint string // that was printed last
	hosts     map[string]string
	names     map[string]string  // of frameworks
	placed    map[taskKey]string // agents of tasks
}

// follow prints events until the stream ends.
func (r *reporter) follow(ctx context.Context) error {
	for record, err := range r.client.records(ctx) {
		e := new(masterpb.Event)
		if err == nil {
			err = r.client.codec.Unmarshal(record, e)
		}
		if err != nil {
			return err
		}
		if err := r.report(e, record); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// report prints an event.
func (r *reporter) report(e *masterpb.Event, record []byte) error {
	if s := e.GetSubscribed(); s != nil {
		r.learn(s.GetGetState())
		r.complaint = ""
		if !r.begun && r.screen.Terminal() && r.format != JSON {
			r.greet(s.GetGetState())
		}
		r.begun = true
	}
	n := r.newsOf(e)
	switch {
	case n == nil && (e.GetType() == masterpb.Event_HEARTBEAT || r.format != JSON || !r.filter.empty()):
		return nil
	case n != nil && !r.filter.admits(n):
		return nil
	}
	if r.format == JSON {
		return r.print(string(record))
	}
	return r.print(r.line(n, time.Now()))
}

func (r *reporter) print(line string) error {
	if _, err := fmt.Fprintln(r.screen.Out, line); err != nil {
		return fmt.Errorf("%w: %w", errPrint, err)
	}
	return nil
}

func (r *reporter) greet(state *masterpb.Response_GetState) {
	fmt.Fprintln(r.screen.Out, r.screen.paint(dim, fmt.Sprintf("%s, %s, %s; waiting for something to happen, Ctrl-C ends",
		plural(len(state.GetGetAgents().GetAgents()), "agent"), plural(len(state.GetGetFrameworks().GetFrameworks()), "framework"),
		plural(len(state.GetGetTasks().GetTasks()), "task"))))
}

// learn notes who is called how.
func (r *reporter) learn(state *masterpb.Response_GetState) {
	r.hosts, r.names, r.placed = make(map[string]string), make(map[string]string), make(map[taskKey]string)
	for _, a := range state.GetGetAgents().GetAgents() {
		r.hosts[agentNaming.id(a)] = a.GetAgentInfo().GetHostname()
	}
	for _, f := range allFrameworks(state.GetGetFrameworks(), true) {
		r.names[frameworkNaming.id(f)] = f.GetFrameworkInfo().GetName()
	}
	for _, t := range state.GetGetTasks().GetTasks() {
		r.placed[keyOf(t)] = t.GetAgentId().GetValue()
	}
}

// newsOf is what an event tells people; nil for nothing.
func (r *reporter) newsOf(e *masterpb.Event) *news {
	var n *news
	switch e.GetType() {
	case masterpb.Event_TASK_ADDED:
		t := e.GetTaskAdded().GetTask()
		r.placed[keyOf(t)] = t.GetAgentId().GetValue()
		n = r.taskNews(keyOf(t), t.GetState(), "")
	case masterpb.Event_TASK_UPDATED:
		u := e.GetTaskUpdated()
		key := taskKey{u.GetFrameworkId().GetValue(), u.GetStatus().GetTaskId().GetValue()}
		n = r.taskNews(key, u.GetStatus().GetState(), u.GetStatus().GetMessage())
		if terminal(u.GetState()) {
			delete(r.placed, key)
		}
	case masterpb.Event_AGENT_ADDED:
		a := e.GetAgentAdded().GetAgent()
		r.hosts[agentNaming.id(a)] = a.GetAgentInfo().GetHostname()
		n = &news{kind: "agent", agent: agentNaming.id(a), what: "registered", message: inWords(a.TotalResources)}
	case masterpb.Event_AGENT_REMOVED:
		n = &news{kind: "agent", agent: e.GetAgentRemoved().GetAgentId().GetValue(), what: "removed"}
	case masterpb.Event_FRAMEWORK_ADDED:
		n = r.frameworkNews(e.GetFrameworkAdded().GetFramework(), "added")
	case masterpb.Event_FRAMEWORK_UPDATED:
		n = r.frameworkNews(e.GetFrameworkUpdated().GetFramework(), "updated")
	case masterpb.Event_FRAMEWORK_REMOVED:
		info := e.GetFrameworkRemoved().GetFrameworkInfo()
		n = &news{kind: "framework", framework: info.GetId().GetValue(), what: "removed"}
		r.names[n.framework] = info.GetName()
	default:
		return nil
	}
	n.agentName, n.frameworkName = r.hosts[n.agent], r.names[n.framework]
	return n
}

func (r *reporter) taskNews(key taskKey, state mesos.TaskState, message string) *news {
	s := shortState(state)
	return &news{kind: "task", task: key.task, framework: key.framework, agent: r.placed[key], what: s, state: s, message: message}
}

func (r *reporter) frameworkNews(f *frameworkMessage, what string) *news {
	n := &news{kind: "framework", framework: frameworkNaming.id(f), what: what}
	r.names[n.framework] = f.GetFrameworkInfo().GetName()
	if what == "added" && f.GetConnected() {
		n.what = "subscribed"
	} else if what == "updated" {
		n.what = "came back"
	}
	return n
}

// line is what people read of an event: when, what, who, where, and why.
func (r *reporter) line(n *news, now time.Time) string {
	id := visible
	if r.screen.Terminal() && r.format != Wide {
		id = func(s string) string { return visible(shortID(s)) }
	}
	text := ""
	switch n.kind {
	case "task":
		text = id(n.task)
		if n.message == "" || r.format == Wide { // else the message is what matters
			text += " of " + called(n.frameworkName, id(n.framework))
		}
		text += " on " + called(n.agentName, id(n.agent))
		if r.format == Wide {
			text += fmt.Sprintf(" (framework %s, agent %s)", id(n.framework), orDash(id(n.agent)))
		}
	case "agent":
		text = fmt.Sprintf("agent %s (%s)", id(n.agent), called(n.agentName, ""))
	case "framework":
		text = fmt.Sprintf("framework %s (%s)", id(n.framework), called(n.frameworkName, ""))
	}
	if n.message != "" {
		text += ": " + visible(n.message)
	}
	const before = len("15:04:05  ") + whatWidth + len("  ")
	if r.screen.Terminal() && r.format != Wide {
		cells := []string{text}
		cut(cells, max(20, r.screen.width-before))
		text = cells[0]
	}
	return fmt.Sprintf("%s  %s%s  %s", r.screen.paint(dim, now.Format(time.TimeOnly)), r.screen.paint(lookOf(n), n.what),
		strings.Repeat(" ", max(0, whatWidth-len(n.what))), text)
}

// whatWidth is the width of the longest usual state.
const whatWidth = len("UNREACHABLE")

func lookOf(n *news) color {
	switch n.what {
	case "removed":
		return yellow
	case "registered", "subscribed", "came back":
		return green
	}
	return stateColor(n.state)
}

// called is a name or, where there is none, an id.
func called(name, id string) string {
	if name != "" {
		return visible(name)
	}
	return orDash(id)
}
