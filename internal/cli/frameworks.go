package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/duration"
)

// FrameworkRow is a framework in a list.
type FrameworkRow struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	User       string   `json:"user"`
	Roles      []string `json:"roles"`
	State      string   `json:"state"`
	CPUs       float64  `json:"cpus"`
	Mem        float64  `json:"mem"`
	Registered float64  `json:"registered"` // seconds since 1970
}

type frameworkMessage = masterpb.Response_GetFrameworks_Framework

// Frameworks prints the frameworks that live and, if all are wanted, those that ended.
func (c *Client) Frameworks(ctx context.Context, s *Screen, o ListOptions) error {
	return printList(ctx, s, o, func(ctx context.Context) (*list[FrameworkRow], error) {
		r, err := c.Call(ctx, masterpb.Call_GET_FRAMEWORKS)
		if err != nil {
			return nil, err
		}
		var rows []FrameworkRow
		for _, f := range allFrameworks(r.GetGetFrameworks(), o.All) {
			rows = append(rows, frameworkRow(f))
		}
		return &list[FrameworkRow]{rows, frameworkColumns, pick(o.All, "no frameworks", "no frameworks; those that ended: meseta frameworks --all")}, nil
	})
}

// allFrameworks are those that live and, if they are wanted, those that ended.
func allFrameworks(r *masterpb.Response_GetFrameworks, ended bool) []*frameworkMessage {
	if !ended {
		return r.GetFrameworks()
	}
	return slices.Concat(r.GetFrameworks(), r.GetCompletedFrameworks())
}

var frameworkColumns = []column[FrameworkRow]{
	{title: "FRAMEWORK", cell: func(r FrameworkRow) string { return r.ID }, kind: anID},
	{title: "NAME", cell: func(r FrameworkRow) string { return r.Name }, kind: prose},
	{title: "USER", cell: func(r FrameworkRow) string { return r.User }, wide: true},
	{title: "ROLES", cell: func(r FrameworkRow) string { return strings.Join(r.Roles, ",") }, wide: true},
	{title: "STATE", cell: func(r FrameworkRow) string { return r.State }, kind: aState},
	{title: "CPUS", cell: func(r FrameworkRow) string { return number(r.CPUs) }},
	{title: "MEM", cell: func(r FrameworkRow) string { return number(r.Mem) }},
	{title: "SINCE", cell: func(r FrameworkRow) string { return ago(r.Registered) }},
}

func frameworkRow(f *frameworkMessage) FrameworkRow {
	info := f.GetFrameworkInfo()
	roles := info.GetRoles()
	if len(roles) == 0 {
		roles = []string{cmp.Or(info.GetRole(), "*")}
	}
	state := pick(f.GetConnected(), "connected", "disconnected")
	if f.GetUnregisteredTime().GetNanoseconds() != 0 {
		state = "completed"
	}
	return FrameworkRow{
		ID: info.GetId().GetValue(), Name: info.GetName(), User: info.GetUser(), Roles: roles, State: state,
		CPUs: scalar(f.AllocatedResources, "cpus"), Mem: scalar(f.AllocatedResources, "mem"),
		Registered: seconds(f.GetRegisteredTime()),
	}
}

var frameworkNaming = naming[*frameworkMessage]{
	noun: "framework", list: "meseta frameworks --all",
	id:     func(f *frameworkMessage) string { return f.GetFrameworkInfo().GetId().GetValue() },
	name:   func(f *frameworkMessage) string { return f.GetFrameworkInfo().GetName() },
	called: func(f *frameworkMessage) string { return f.GetFrameworkInfo().GetName() },
}

// frameworkName is the name of a framework; empty if it is not known.
func frameworkName(state *masterpb.Response_GetState, id string) string {
	for _, f := range allFrameworks(state.GetGetFrameworks(), true) {
		if frameworkNaming.id(f) == id {
			return f.GetFrameworkInfo().GetName()
		}
	}
	return ""
}

// ShowFramework prints all there is to say about a framework.
func (c *Client) ShowFramework(ctx context.Context, s *Screen, f Format, called string) error {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return err
	}
	state := r.GetGetState()
	found, err := frameworkNaming.find(allFrameworks(state.GetGetFrameworks(), true), called)
	if err != nil {
		return err
	}
	if f == JSON {
		return printMessage(s, found)
	}
	row, info := frameworkRow(found), found.GetFrameworkInfo()
	sheet := &sheet{screen: s}
	sheet.add("Framework", row.ID)
	sheet.add("Name", row.Name)
	sheet.addLike("State", row.State, stateColor(row.State))
	sheet.add("User", row.User)
	sheet.add("Principal", info.GetPrincipal())
	sheet.add("Roles", strings.Join(row.Roles, ", "))
	sheet.add("Subscribed", since(row.Registered))
	if again := seconds(found.GetReregisteredTime()); again != row.Registered {
		sheet.add("Came back", since(again))
	}
	sheet.add("Ended", since(seconds(found.GetUnregisteredTime())))
	sheet.add("Failover", failover(info.GetFailoverTimeout()))
	sheet.add("Capabilities", capabilities(info))
	sheet.add("Labels", labels(info.GetLabels()))
	sheet.add("Web page", info.GetWebuiUrl())
	sheet.add("Used", inWords(found.AllocatedResources))
	sheet.add("Offered", inWords(found.OfferedResources))
	live, ended := tasksOf(state, row.ID)
	addTable(sheet, "Tasks", list[TaskRow]{rows: taskRows(live), columns: taskColumns})
	if len(ended) > 0 {
		sheet.add("Ended tasks", fmt.Sprintf("%d; see: meseta tasks --all", len(ended)))
	}
	return sheet.print()
}

// failover says what becomes of a framework without a scheduler.
func failover(timeout float64) string {
	if timeout <= 0 {
		return "it ends, with its tasks, as soon as its scheduler is away"
	}
	return fmt.Sprintf("it ends, with its tasks, when its scheduler was away for %s", duration.Format(time.Duration(min(timeout, 1e9)*1e9)))
}

// tasksOf are the tasks of a framework.
func tasksOf(state *masterpb.Response_GetState, framework string) (live, ended []*mesos.Task) {
	for _, t := range allTasks(state.GetGetTasks()) {
		switch {
		case t.GetFrameworkId().GetValue() != framework:
		case terminal(t.GetState()):
			ended = append(ended, t)
		default:
			live = append(live, t)
		}
	}
	return live, ended
}

func capabilities(info *mesos.FrameworkInfo) string {
	var all []string
	for _, c := range info.GetCapabilities() {
		all = append(all, c.GetType().String())
	}
	return strings.Join(all, ", ")
}

// Teardown ends a framework and all its tasks. On a terminal it asks first, unless sure.
func (c *Client) Teardown(ctx context.Context, s *Screen, called string, sure bool) error {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return err
	}
	state := r.GetGetState()
	f, err := frameworkNaming.find(state.GetGetFrameworks().GetFrameworks(), called)
	if err != nil {
		return err
	}
	id, live := frameworkNaming.id(f), 0
	if tasks, _ := tasksOf(state, id); tasks != nil {
		live = len(tasks)
	}
	what := fmt.Sprintf("framework %q (%s)", f.GetFrameworkInfo().GetName(), visible(id))
	if sure, err = s.confirm(what, live, sure); err != nil || !sure {
		return err
	}
	if _, err := c.ask(ctx, &masterpb.Call{Type: masterpb.Call_TEARDOWN.Enum(),
		Teardown: &masterpb.Call_Teardown{FrameworkId: &mesos.FrameworkID{Value: &id}}}); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s is torn down, with %s\n", what, plural(live, "task"))
	return nil
}
