package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// MarkGone declares that an agent will never come back. One that was given up is in no list any more: then it has
// to be named by its whole id. On a terminal it asks first, unless sure.
func (c *Client) MarkGone(ctx context.Context, s *Screen, called string, sure bool) error {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return err
	}
	id, what, live := called, fmt.Sprintf("agent %s", visible(called)), 0
	switch a, err := agentNaming.find(r.GetGetState().GetGetAgents().GetAgents(), called); {
	case err == nil:
		id = agentNaming.id(a)
		what = fmt.Sprintf("agent %s (%s)", a.GetAgentInfo().GetHostname(), visible(id))
	case !errors.Is(err, errUnknown):
		return err
	}
	for _, t := range r.GetGetState().GetGetTasks().GetTasks() {
		if t.GetAgentId().GetValue() == id {
			live++
		}
	}
	if sure, err = s.confirm(what, live, sure); err != nil || !sure {
		return err
	}
	if _, err := c.ask(ctx, &masterpb.Call{Type: masterpb.Call_MARK_AGENT_GONE.Enum(),
		MarkAgentGone: &masterpb.Call_MarkAgentGone{AgentId: &mesos.AgentID{Value: &id}}}); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s is gone, with %s\n", what, plural(live, "task"))
	return nil
}

// confirm asks whether something is really to end with its tasks, unless somebody is sure.
func (s *Screen) confirm(what string, tasks int, sure bool) (bool, error) {
	switch {
	case sure:
		return true, nil
	case s.In == nil:
		return false, fmt.Errorf("%s would be ended for good with %s: say --yes where nobody can be asked", what, plural(tasks, "task"))
	}
	return s.ask(fmt.Sprintf("End %s for good, with %s?", what, plural(tasks, "task")))
}
