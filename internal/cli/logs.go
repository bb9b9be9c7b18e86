package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// LogOptions say what of a task's output to print.
type LogOptions struct {
	Follow bool // until the task ends
	Stderr bool // in place of stdout
	Raw    bool // on a terminal too, as it was written
}

// followPause is how long to wait before looking again whether a file has grown.
const followPause = 200 * time.Millisecond

// lookPause is how long to wait before asking the master again whether a task has ended: it answers with the
// state of the whole cluster.
const lookPause = time.Second

// Logs prints what a task wrote, byte for byte, but that a terminal is not given what would steer it.
func (c *Client) Logs(ctx context.Context, s *Screen, task string, o LogOptions) error {
	if !s.Terminal() || o.Raw {
		return c.logs(ctx, s.Out, s.Err, task, o)
	}
	w := &harmless{w: s.Out, colored: s.colored}
	return errors.Join(c.logs(ctx, w, s.Err, task, o), w.close())
}

// logs prints what a task wrote; note is told what of it is gone, and may be nil.
func (c *Client) logs(ctx context.Context, w, note io.Writer, task string, o LogOptions) error {
	t, address, err := c.find(ctx, task)
	if err != nil {
		return err
	}
	name := pick(o.Stderr, "stderr", "stdout")
	f := &sandboxFile{client: c, agent: address, path: sandboxPath(t, name), note: note}
	for looked := time.Now(); ; {
		ended := terminal(t.GetState())
		err := f.copy(ctx, w)
		switch {
		case absent(err) && ended:
			return fmt.Errorf("task %s: %s is not in its sandbox, or not any more", t.GetTaskId().GetValue(), name)
		case err != nil && !absent(err): // not written yet
			return err
		case ended || !o.Follow:
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
		if time.Since(looked) < lookPause {
			continue
		}
		if t, _, err = c.find(ctx, t.GetTaskId().GetValue()); err != nil {
			return err
		}
		looked = time.Now()
	}
}

// find finds the one task whose id is, or begins with, what was given, and its agent's address.
func (c *Client) find(ctx context.Context, id string) (*mesos.Task, string, error) {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return nil, "", err
	}
	t, err := findTask(r.GetGetState().GetGetTasks(), id)
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
	note   io.Writer // is told what is gone; may be nil
}

// copy prints what was added to the file since the last time.
func (f *sandboxFile) copy(ctx context.Context, w io.Writer) error {
	for {
		piece, gone, err := f.client.readFile(ctx, f.agent, f.path, f.offset, 256<<10)
		if gone > f.offset {
			if f.note != nil {
				fmt.Fprintf(f.note, "… %d bytes are gone: the agent keeps only the end of what a task writes …\n", gone-f.offset)
			}
			f.offset = gone
			continue
		}
		if err != nil || len(piece) == 0 {
			return err
		}
		f.offset += int64(len(piece))
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
}

// absent tells whether an error says that a file is not there.
func absent(err error) bool {
	_, is := saidNo(err, http.StatusNotFound)
	return is
}
