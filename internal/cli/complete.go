package cli

import (
	"context"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

// completionTime is how long a shell waits for names: nobody likes a key that hangs.
const completionTime = 700 * time.Millisecond

// Names are what can be named on a command line: ids, each with what tells people which one it is.
type Names func(ctx context.Context, c *Client) [][2]string

// LiveTasks are the tasks that can be killed.
func LiveTasks(ctx context.Context, c *Client) [][2]string {
	return completions(ctx, c, masterpb.Call_GET_TASKS, func(r *masterpb.Response) (all [][2]string) {
		for _, t := range allTasks(r.GetGetTasks()) {
			if !terminal(t.GetState()) {
				all = append(all, [2]string{taskNaming.id(t), t.GetName() + ", " + shortState(t.GetState())})
			}
		}
		return all
	})
}

// AllTasks are the tasks that are known.
func AllTasks(ctx context.Context, c *Client) [][2]string {
	return completions(ctx, c, masterpb.Call_GET_TASKS, func(r *masterpb.Response) (all [][2]string) {
		for _, t := range allTasks(r.GetGetTasks()) {
			all = append(all, [2]string{taskNaming.id(t), t.GetName() + ", " + shortState(t.GetState())})
		}
		return all
	})
}

// AllAgents are the agents.
func AllAgents(ctx context.Context, c *Client) [][2]string {
	return completions(ctx, c, masterpb.Call_GET_AGENTS, func(r *masterpb.Response) (all [][2]string) {
		for _, a := range r.GetGetAgents().GetAgents() {
			all = append(all, [2]string{agentNaming.id(a), agentNaming.name(a)})
		}
		return all
	})
}

// LiveFrameworks are the frameworks that can be torn down.
func LiveFrameworks(ctx context.Context, c *Client) [][2]string { return frameworkNames(ctx, c, false) }

// AllFrameworks are the frameworks that are known.
func AllFrameworks(ctx context.Context, c *Client) [][2]string { return frameworkNames(ctx, c, true) }

func frameworkNames(ctx context.Context, c *Client, ended bool) [][2]string {
	return completions(ctx, c, masterpb.Call_GET_FRAMEWORKS, func(r *masterpb.Response) (all [][2]string) {
		for _, f := range allFrameworks(r.GetGetFrameworks(), ended) {
			all = append(all, [2]string{frameworkNaming.id(f), frameworkNaming.name(f)})
		}
		return all
	})
}

// completions asks the master for names. Without an answer there are none: a shell is no place to complain.
func completions(ctx context.Context, c *Client, call masterpb.Call_Type, names func(*masterpb.Response) [][2]string) [][2]string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	r, err := c.Call(ctx, call)
	if err != nil {
		return nil
	}
	all := names(r)
	for i := range all {
		all[i][0], all[i][1] = visible(all[i][0]), visible(all[i][1])
	}
	return all
}
