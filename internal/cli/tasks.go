package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

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

// Tasks prints the tasks that live and, if all are wanted, those that ended.
func (c *Client) Tasks(ctx context.Context, s *Screen, o ListOptions) error {
	return printList(ctx, s, o, func(ctx context.Context) (*list[TaskRow], error) {
		r, err := c.Call(ctx, masterpb.Call_GET_TASKS)
		if err != nil {
			return nil, err
		}
		found := slices.Concat(r.GetGetTasks().GetPendingTasks(), r.GetGetTasks().GetTasks())
		if o.All {
			found = allTasks(r.GetGetTasks())
		}
		return &list[TaskRow]{taskRows(found), taskColumns, pick(o.All, "no tasks", "no tasks; those that ended: meseta tasks --all")}, nil
	})
}

func allTasks(r *masterpb.Response_GetTasks) []*mesos.Task {
	return slices.Concat(r.GetPendingTasks(), r.GetTasks(), r.GetUnreachableTasks(), r.GetCompletedTasks())
}

// taskRows are tasks as rows, what happened last first.
func taskRows(tasks []*mesos.Task) []TaskRow {
	var rows []TaskRow
	for _, t := range tasks {
		rows = append(rows, taskRow(t))
	}
	slices.SortStableFunc(rows, func(a, b TaskRow) int { return cmp.Compare(b.Since, a.Since) })
	return rows
}

var taskColumns = []column[TaskRow]{
	{title: "TASK", cell: func(r TaskRow) string { return r.ID }, kind: anID},
	{title: "NAME", cell: func(r TaskRow) string { return r.Name }, kind: prose},
	{title: "STATE", cell: func(r TaskRow) string { return r.State }, kind: aState},
	{title: "CPUS", cell: func(r TaskRow) string { return number(r.CPUs) }},
	{title: "MEM", cell: func(r TaskRow) string { return number(r.Mem) }},
	{title: "SINCE", cell: func(r TaskRow) string { return ago(r.Since) }},
	{title: "AGENT", cell: func(r TaskRow) string { return r.Agent }, kind: anID, wide: true},
	{title: "FRAMEWORK", cell: func(r TaskRow) string { return r.Framework }, kind: anID},
	{title: "MESSAGE", cell: func(r TaskRow) string { return r.Message }, kind: prose, wide: true},
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

var taskNaming = naming[*mesos.Task]{
	noun: "task", list: "meseta tasks --all",
	id: func(t *mesos.Task) string { return t.GetTaskId().GetValue() },
	name: func(t *mesos.Task) string {
		return t.GetName() + ", " + shortState(t.GetState()) + ", of framework " + t.GetFrameworkId().GetValue()
	},
	called: func(t *mesos.Task) string { return t.GetName() },
}

// findTask finds the task that is meant. One that lives is meant before those that ended; and of several that
// ended under one id or name, the last.
func findTask(r *masterpb.Response_GetTasks, called string) (*mesos.Task, error) {
	var live, ended []*mesos.Task
	for _, t := range allTasks(r) {
		if terminal(t.GetState()) {
			ended = append(ended, t)
		} else {
			live = append(live, t)
		}
	}
	t, err := taskNaming.find(live, called)
	if !errors.Is(err, errUnknown) {
		return t, err
	}
	for _, t := range slices.Backward(ended) {
		if taskNaming.id(t) == called || t.GetName() == called {
			return t, nil
		}
	}
	return taskNaming.find(ended, called)
}

func terminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_UNREACHABLE, mesos.TaskState_TASK_UNKNOWN:
		return false
	}
	return true
}

// ShowTask prints all there is to say about a task.
func (c *Client) ShowTask(ctx context.Context, s *Screen, f Format, called string) error {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return err
	}
	state := r.GetGetState()
	t, err := findTask(state.GetGetTasks(), called)
	if err != nil {
		return err
	}
	if f == JSON {
		return printMessage(s, t)
	}
	row := taskRow(t)
	sheet := &sheet{screen: s}
	sheet.add("Task", row.ID)
	sheet.add("Name", row.Name)
	sheet.addLike("State", row.State, stateColor(row.State))
	sheet.add("Since", since(row.Since))
	sheet.add("Message", row.Message)
	sheet.add("Framework", nameAnd(frameworkName(state, row.Framework), row.Framework))
	sheet.add("Agent", nameAnd(agentName(state, row.Agent), row.Agent))
	sheet.add("Executor", row.Executor)
	sheet.add("Resources", inWords(t.Resources))
	sheet.add("User", t.GetUser())
	sheet.add("Labels", labels(t.Labels))
	for _, status := range slices.Backward(t.Statuses) {
		if id := status.GetContainerStatus().GetContainerId().GetValue(); id != "" {
			sheet.add("Container", id)
			sheet.add("Address", addresses(status.GetContainerStatus()))
			break
		}
	}
	addTable(sheet, "Statuses", list[*mesos.TaskStatus]{rows: t.Statuses, columns: statusColumns})
	return sheet.print()
}

var statusColumns = []column[*mesos.TaskStatus]{
	{title: "STATE", cell: func(s *mesos.TaskStatus) string { return shortState(s.GetState()) }, kind: aState},
	{title: "AT", cell: func(s *mesos.TaskStatus) string { return moment(s.GetTimestamp()).Format("2006-01-02 15:04:05.000") }},
	{title: "REASON", cell: func(s *mesos.TaskStatus) string {
		if s.Reason == nil {
			return ""
		}
		return s.GetReason().String()[len("REASON_"):]
	}},
	{title: "MESSAGE", cell: func(s *mesos.TaskStatus) string { return s.GetMessage() }, kind: prose},
}

// nameAnd gives an id behind the name, if there is one.
func nameAnd(name, id string) string {
	if name == "" {
		return id
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

func addresses(s *mesos.ContainerStatus) (text string) {
	for _, n := range s.GetNetworkInfos() {
		for _, a := range n.GetIpAddresses() {
			text = cmp.Or(text, a.GetIpAddress())
		}
	}
	return text
}
