package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// LogOptions say what of a task's output to print.
type LogOptions struct {
	Follow bool // until the task ends
	Stderr bool // in place of stdout
}

// followPause is how long to wait before looking again whether a file has grown.
const followPause = 200 * time.Millisecond

// Logs prints what a task wrote. The task is named by its id or the beginning of it.
func (c *Client) Logs(ctx context.Context, w io.Writer, task string, o LogOptions) error {
	t, address, err := c.find(ctx, task)
	if err != nil {
		return err
	}
	f := &sandboxFile{client: c, agent: address, path: sandboxPath(t, pick(o.Stderr, "stderr", "stdout"))}
	for {
		ended := terminal(t.GetState())
		if err := f.copy(ctx, w); err != nil {
			return err
		}
		if ended || !o.Follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
		if t, _, err = c.find(ctx, t.GetTaskId().GetValue()); err != nil {
			return err
		}
	}
}

// find finds the one task whose id is, or begins with, what was given, and its agent's address.
func (c *Client) find(ctx context.Context, id string) (*mesos.Task, string, error) {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return nil, "", err
	}
	all := append(r.GetGetState().GetGetTasks().GetTasks(), r.GetGetState().GetGetTasks().GetCompletedTasks()...)
	t, err := match(all, id)
	if err != nil {
		return nil, "", err
	}
	agents := r.GetGetState().GetGetAgents().GetAgents()
	i := slices.IndexFunc(agents, func(a *masterpb.Response_GetAgents_Agent) bool {
		return a.GetAgentInfo().GetId().GetValue() == t.GetAgentId().GetValue()
	})
	if i < 0 {
		return nil, "", fmt.Errorf("task %s: its agent %s is not there", t.GetTaskId().GetValue(), t.GetAgentId().GetValue())
	}
	return t, agentAddress(agents[i]), nil
}

// match finds the task that is meant: by its whole id, else by its name, else by the beginning of its id.
// Of several, one that lives is meant before those that ended, and of these the last.
func match(all []*mesos.Task, id string) (*mesos.Task, error) {
	for _, is := range []func(t *mesos.Task) bool{
		func(t *mesos.Task) bool { return t.GetTaskId().GetValue() == id },
		func(t *mesos.Task) bool { return t.GetName() == id },
		func(t *mesos.Task) bool { return strings.HasPrefix(t.GetTaskId().GetValue(), id) },
	} {
		var found, live []*mesos.Task
		for _, t := range all {
			if is(t) && !terminal(t.GetState()) {
				live = append(live, t)
			} else if is(t) {
				found = append(found, t)
			}
		}
		switch {
		case len(live) == 1:
			return live[0], nil
		case len(live) > 1:
			return nil, fmt.Errorf("task %q: %d tasks that run are called like this; give more of the id", id, len(live))
		case len(found) > 0:
			return found[len(found)-1], nil
		}
	}
	return nil, fmt.Errorf("task %q: not known; list tasks with: meseta tasks --all", id)
}

// sandboxPath is the name under which a task's agent serves a file of its sandbox.
func sandboxPath(t *mesos.Task, file string) string {
	executor := t.GetExecutorId().GetValue()
	if executor == "" {
		executor = t.GetTaskId().GetValue()
	}
	run := "latest"
	for _, s := range t.Statuses {
		if id := s.GetContainerStatus().GetContainerId().GetValue(); id != "" {
			run = id
		}
	}
	return fmt.Sprintf("/frameworks/%s/executors/%s/runs/%s/%s", t.GetFrameworkId().GetValue(), executor, run, file)
}

// sandboxFile is a file that an agent serves and that may be growing.
type sandboxFile struct {
	client *Client
	agent  string
	path   string
	offset int64
}

// copy prints what was added to the file since the last time.
func (f *sandboxFile) copy(ctx context.Context, w io.Writer) error {
	for {
		data, at, err := f.client.readFile(ctx, f.agent, f.path, f.offset, 256<<10)
		var answer *answerError
		if errors.As(err, &answer) && answer.code == http.StatusNotFound {
			return nil // not written yet
		}
		if err != nil {
			return err
		}
		if data == "" {
			return nil
		}
		f.offset = at + int64(len(data))
		if _, err := io.WriteString(w, data); err != nil {
			return err
		}
	}
}

func terminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TaskState_TASK_STAGING, mesos.TaskState_TASK_STARTING, mesos.TaskState_TASK_RUNNING,
		mesos.TaskState_TASK_KILLING, mesos.TaskState_TASK_UNREACHABLE, mesos.TaskState_TASK_UNKNOWN:
		return false
	}
	return true
}
