package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// KillOptions say how to kill.
type KillOptions struct {
	NoWait    bool           // not until the tasks have ended
	Grace     *time.Duration // in place of the tasks' own, unless nil
	Framework string         // whose tasks are meant; empty for anybody's
}

// killNotice is after how long people are told what is waited for.
const killNotice = 2 * time.Second

// Kill has tasks ended, whoever's they are, and waits for that.
func (c *Client) Kill(ctx context.Context, s *Screen, tasks []string, o KillOptions) error {
	defer time.AfterFunc(killNotice, func() {
		if s.Terminal() && !o.NoWait {
			fmt.Fprintln(s.Err, "meseta: waiting until they have ended; Ctrl-C leaves them to it")
		}
	}).Stop()
	k := &killer{client: c, screen: s, options: o, ends: make(map[taskKey]bool)}
	for e, err := range c.events(ctx) {
		switch {
		case err != nil && len(k.ends) == 0:
			return err
		case err != nil:
			return fmt.Errorf("%s may not have ended: %w", plural(k.left(), "task"), err)
		}
		if s := e.GetSubscribed(); s != nil {
			if err := k.begin(ctx, s.GetGetState(), tasks); err != nil {
				return err
			}
		}
		if u := e.GetTaskUpdated(); u != nil {
			k.hear(taskKey{u.GetFrameworkId().GetValue(), u.GetStatus().GetTaskId().GetValue()}, u.GetState(), u.GetStatus().GetMessage())
		}
		if o.NoWait || k.left() == 0 {
			return nil
		}
	}
	return fmt.Errorf("interrupted: %s may not have ended, but is asked to", plural(k.left(), "task"))
}

type taskKey struct{ framework, task string }

func keyOf(t *mesos.Task) taskKey {
	return taskKey{t.GetFrameworkId().GetValue(), t.GetTaskId().GetValue()}
}

// killer waits for the ends of tasks.
type killer struct {
	client  *Client
	screen  *Screen
	options KillOptions
	ends    map[taskKey]bool // of the tasks that are killed: whether they have ended
}

func (k *killer) left() (n int) {
	for _, ended := range k.ends {
		if !ended {
			n++
		}
	}
	return n
}

// begin finds out which tasks are meant, before any of them is killed.
func (k *killer) begin(ctx context.Context, state *masterpb.Response_GetState, called []string) error {
	known, err := k.candidates(state)
	if err != nil {
		return err
	}
	var found []*mesos.Task
	var problems []error
	for _, name := range called {
		t, err := findTask(known, name)
		switch {
		case err != nil:
			problems = append(problems, err)
		case !slices.Contains(found, t):
			found = append(found, t)
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	for _, t := range found {
		if err := k.kill(ctx, state, t); err != nil {
			return err
		}
	}
	return nil
}

// candidates are the tasks that may be meant.
func (k *killer) candidates(state *masterpb.Response_GetState) (*masterpb.Response_GetTasks, error) {
	all := state.GetGetTasks()
	if k.options.Framework == "" {
		return all, nil
	}
	f, err := frameworkNaming.find(allFrameworks(state.GetGetFrameworks(), true), k.options.Framework)
	if err != nil {
		return nil, err
	}
	others := func(t *mesos.Task) bool { return t.GetFrameworkId().GetValue() != frameworkNaming.id(f) }
	return &masterpb.Response_GetTasks{
		PendingTasks:     slices.DeleteFunc(all.GetPendingTasks(), others),
		Tasks:            slices.DeleteFunc(all.GetTasks(), others),
		UnreachableTasks: slices.DeleteFunc(all.GetUnreachableTasks(), others),
		CompletedTasks:   slices.DeleteFunc(all.GetCompletedTasks(), others),
	}, nil
}

// kill asks for the end of one task. One that has ended already is none the worse.
func (k *killer) kill(ctx context.Context, state *masterpb.Response_GetState, t *mesos.Task) error {
	id := visible(t.GetTaskId().GetValue())
	if terminal(t.GetState()) {
		fmt.Fprintf(k.screen.Out, "%s had ended already: %s\n", id, k.paint(t.GetState()))
		return nil
	}
	call := &operatorpb.Call{Type: operatorpb.Call_KILL_TASK.Enum(),
		KillTask: &operatorpb.Call_KillTask{TaskId: t.TaskId, FrameworkId: t.FrameworkId}}
	if grace := k.options.Grace; grace != nil {
		call.KillTask.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: new(int64(*grace))}}
	}
	answer, err := k.client.order(ctx, call)
	if err != nil {
		if _, ended := saidNo(err, http.StatusGone); !ended {
			return err
		}
	}
	k.ends[keyOf(t)] = false
	if state := answer.GetKillTask().GetState(); terminal(state) { // it had not been launched
		k.hear(keyOf(t), state, "")
		return nil
	}
	if k.options.NoWait {
		fmt.Fprintf(k.screen.Out, "%s is asked to end\n", id)
		return nil
	}
	if away(state, t.GetAgentId().GetValue()) {
		fmt.Fprintf(k.screen.Err, "meseta: %s: its agent is away and will hear of it when it is back\n", id)
	}
	return nil
}

// away tells whether an agent has no connection to the master.
func away(state *masterpb.Response_GetState, id string) bool {
	for _, a := range state.GetGetAgents().GetAgents() {
		if agentNaming.id(a) == id {
			return !a.GetActive()
		}
	}
	return true
}

// hear takes notice of a new state of any task.
func (k *killer) hear(key taskKey, state mesos.TaskState, message string) {
	if ended, mine := k.ends[key]; !mine || ended || !terminal(state) {
		return
	}
	k.ends[key] = true
	line := fmt.Sprintf("%s %s", visible(key.task), k.paint(state))
	if state != mesos.TaskState_TASK_KILLED && message != "" {
		line += ": " + visible(message)
	}
	fmt.Fprintln(k.screen.Out, line)
}

func (k *killer) paint(s mesos.TaskState) string {
	return k.screen.paint(stateColor(shortState(s)), shortState(s))
}
