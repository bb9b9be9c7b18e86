package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// TaskRow is a task in a list.
type TaskRow struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	State     string  `json:"state"`
	Framework string  `json:"framework_id"`
	Agent     string  `json:"agent_id"`
	Executor  string  `json:"executor_id,omitempty"`
	CPUs      float64 `json:"cpus"`
	Mem       float64 `json:"mem"`
	Since     float64 `json:"since"` // seconds since 1970, of the last status
	Message   string  `json:"message,omitempty"`
}

// Tasks prints the tasks that live and, if all is set, those that ended.
func (c *Client) Tasks(ctx context.Context, w io.Writer, f Format, all bool) error {
	r, err := c.Call(ctx, masterpb.Call_GET_TASKS)
	if err != nil {
		return err
	}
	found := append(r.GetGetTasks().GetPendingTasks(), r.GetGetTasks().GetTasks()...)
	if all {
		found = append(found, r.GetGetTasks().GetUnreachableTasks()...)
		found = append(found, r.GetGetTasks().GetCompletedTasks()...)
	}
	rows := make([]TaskRow, 0, len(found))
	for _, t := range found {
		rows = append(rows, taskRow(t))
	}
	slices.SortStableFunc(rows, func(a, b TaskRow) int { return cmp.Compare(b.Since, a.Since) })
	return printList(w, f, rows, []column[TaskRow]{
		{title: "TASK", cell: func(r TaskRow) string { return r.ID }},
		{title: "NAME", cell: func(r TaskRow) string { return r.Name }},
		{title: "STATE", cell: func(r TaskRow) string { return r.State }},
		{title: "CPUS", cell: func(r TaskRow) string { return number(r.CPUs) }},
		{title: "MEM", cell: func(r TaskRow) string { return number(r.Mem) }},
		{title: "SINCE", cell: func(r TaskRow) string { return ago(r.Since) }},
		{title: "AGENT", cell: func(r TaskRow) string { return r.Agent }, wide: true},
		{title: "FRAMEWORK", cell: func(r TaskRow) string { return r.Framework }},
		{title: "MESSAGE", cell: func(r TaskRow) string { return r.Message }, wide: true},
	})
}

func taskRow(t *mesos.Task) TaskRow {
	row := TaskRow{
		ID: t.GetTaskId().GetValue(), Name: t.GetName(), State: shortState(t.GetState()),
		Framework: t.GetFrameworkId().GetValue(), Agent: t.GetAgentId().GetValue(), Executor: t.GetExecutorId().GetValue(),
		CPUs: scalar(t.Resources, "cpus"), Mem: scalar(t.Resources, "mem"),
	}
	if n := len(t.Statuses); n > 0 {
		row.Since, row.Message = t.Statuses[n-1].GetTimestamp(), t.Statuses[n-1].GetMessage()
	}
	return row
}

// AgentRow is an agent in a list.
type AgentRow struct {
	ID         string  `json:"id"`
	Hostname   string  `json:"hostname"`
	Address    string  `json:"address"`
	Active     bool    `json:"active"`
	CPUs       float64 `json:"cpus"`
	CPUsUsed   float64 `json:"cpus_used"`
	Mem        float64 `json:"mem"`
	MemUsed    float64 `json:"mem_used"`
	Disk       float64 `json:"disk"`
	DiskUsed   float64 `json:"disk_used"`
	Registered float64 `json:"registered"` // seconds since 1970
}

// Agents prints the agents.
func (c *Client) Agents(ctx context.Context, w io.Writer, f Format) error {
	r, err := c.Call(ctx, masterpb.Call_GET_AGENTS)
	if err != nil {
		return err
	}
	var rows []AgentRow
	for _, a := range r.GetGetAgents().GetAgents() {
		rows = append(rows, AgentRow{
			ID: a.GetAgentInfo().GetId().GetValue(), Hostname: a.GetAgentInfo().GetHostname(), Address: agentAddress(a),
			Active: a.GetActive(),
			CPUs:   scalar(a.TotalResources, "cpus"), CPUsUsed: scalar(a.AllocatedResources, "cpus"),
			Mem: scalar(a.TotalResources, "mem"), MemUsed: scalar(a.AllocatedResources, "mem"),
			Disk: scalar(a.TotalResources, "disk"), DiskUsed: scalar(a.AllocatedResources, "disk"),
			Registered: float64(a.GetRegisteredTime().GetNanoseconds()) / 1e9,
		})
	}
	return printList(w, f, rows, []column[AgentRow]{
		{title: "AGENT", cell: func(r AgentRow) string { return r.ID }},
		{title: "HOST", cell: func(r AgentRow) string { return r.Hostname }},
		{title: "ADDRESS", cell: func(r AgentRow) string { return r.Address }, wide: true},
		{title: "STATE", cell: func(r AgentRow) string { return pick(r.Active, "active", "away") }},
		{title: "CPUS", cell: func(r AgentRow) string { return used(r.CPUsUsed, r.CPUs) }},
		{title: "MEM", cell: func(r AgentRow) string { return used(r.MemUsed, r.Mem) }},
		{title: "DISK", cell: func(r AgentRow) string { return used(r.DiskUsed, r.Disk) }},
		{title: "SINCE", cell: func(r AgentRow) string { return ago(r.Registered) }},
	})
}

// agentAddress is where the agent's API is: what stands behind the @ of its pid.
func agentAddress(a *masterpb.Response_GetAgents_Agent) string {
	_, address, _ := strings.Cut(a.GetPid(), "@")
	return address
}

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

// Frameworks prints the frameworks that live and, if all is set, those that ended.
func (c *Client) Frameworks(ctx context.Context, w io.Writer, f Format, all bool) error {
	r, err := c.Call(ctx, masterpb.Call_GET_FRAMEWORKS)
	if err != nil {
		return err
	}
	var rows []FrameworkRow
	for _, one := range r.GetGetFrameworks().GetFrameworks() {
		rows = append(rows, frameworkRow(one, pick(one.GetConnected(), "connected", "disconnected")))
	}
	if all {
		for _, one := range r.GetGetFrameworks().GetCompletedFrameworks() {
			rows = append(rows, frameworkRow(one, "completed"))
		}
	}
	return printList(w, f, rows, []column[FrameworkRow]{
		{title: "FRAMEWORK", cell: func(r FrameworkRow) string { return r.ID }},
		{title: "NAME", cell: func(r FrameworkRow) string { return r.Name }},
		{title: "USER", cell: func(r FrameworkRow) string { return r.User }, wide: true},
		{title: "ROLES", cell: func(r FrameworkRow) string { return strings.Join(r.Roles, ",") }, wide: true},
		{title: "STATE", cell: func(r FrameworkRow) string { return r.State }},
		{title: "CPUS", cell: func(r FrameworkRow) string { return number(r.CPUs) }},
		{title: "MEM", cell: func(r FrameworkRow) string { return number(r.Mem) }},
		{title: "SINCE", cell: func(r FrameworkRow) string { return ago(r.Registered) }},
	})
}

func frameworkRow(f *masterpb.Response_GetFrameworks_Framework, state string) FrameworkRow {
	info := f.GetFrameworkInfo()
	roles := info.GetRoles()
	if len(roles) == 0 {
		roles = []string{cmp.Or(info.GetRole(), "*")}
	}
	return FrameworkRow{
		ID: info.GetId().GetValue(), Name: info.GetName(), User: info.GetUser(), Roles: roles, State: state,
		CPUs: scalar(f.AllocatedResources, "cpus"), Mem: scalar(f.AllocatedResources, "mem"),
		Registered: float64(f.GetRegisteredTime().GetNanoseconds()) / 1e9,
	}
}

func scalar(rs []*mesos.Resource, name string) (sum float64) {
	for _, r := range rs {
		if r.GetName() == name {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

func shortState(s mesos.TaskState) string { return strings.TrimPrefix(s.String(), "TASK_") }

// number prints an amount with as many decimals as it has, three at most.
func number(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }

func used(part, whole float64) string { return number(part) + "/" + number(whole) }

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// ago says how long ago a moment was, as coarsely as people do.
func ago(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	d := time.Since(time.UnixMicro(int64(seconds * 1e6)))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
