package cluster

import (
	"cmp"
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// accept launches tasks on offers of one agent. Every task of the call gets an answer: it runs, or a
// status says why not.
func (c *Cluster) accept(now core.Time, f *Framework, call Accept) {
	offers, problem := c.takeOffers(f, call.Offers)
	if problem != "" {
		for _, o := range offers {
			c.recoverOffer(now, o, 0)
		}
		for _, t := range call.Tasks {
			c.rejectTask(now, f, t, ifAware(f, mesos.TaskState_TASK_DROPPED), mesos.TaskStatus_REASON_INVALID_OFFERS,
				"Task launched with invalid offers: "+problem)
		}
		c.wantAllocation(now)
		return
	}
	l := launch{c: c, f: f, agent: c.agents.Get(offers[0].Agent.ID), role: offers[0].Role}
	for _, o := range offers {
		l.rest = l.rest.Add(o.Resources)
	}
	for _, t := range call.Tasks {
		l.task(now, t)
	}
	if !l.launched { // it is a decline by another name
		call.Refuse = max(call.Refuse, minRefusal)
	}
	c.recoverFrom(now, f.Info.ID, l.agent.ID, l.rest, call.Refuse)
	c.wantAllocation(now)
}

// takeOffers removes offers from the books, as being answered. It returns those that were still
// valid and, if not all can be used together, the sentence that says why.
func (c *Cluster) takeOffers(f *Framework, wanted []ids.OfferID) (offers []*Offer, problem string) {
	if len(wanted) == 0 {
		return nil, "No offers specified"
	}
	seen := make(map[ids.OfferID]bool, len(wanted))
	complain := func(format string, args ...any) {
		if problem == "" {
			problem = fmt.Sprintf(format, args...)
		}
	}
	for _, id := range wanted {
		o := c.offers.Get(id)
		switch {
		case seen[id]:
			complain("Duplicate offer %s in offer list", id)
			continue
		case o == nil:
			complain("Offer %s is no longer valid", id)
			continue
		case o.Framework != f.Info.ID:
			complain("Offer %s has invalid framework %s while framework %s is expected", id, o.Framework, f.Info.ID)
			continue
		}
		seen[id] = true
		if len(offers) > 0 && o.Agent.ID != offers[0].Agent.ID {
			complain("Aggregated offers must belong to one single agent. Offer %s uses agent %s and agent %s",
				id, o.Agent.ID, offers[0].Agent.ID)
		}
		if len(offers) > 0 && o.Role != offers[0].Role {
			complain("Aggregated offers must be allocated to the same role. Offer %s uses role %s but another is using role %s",
				id, o.Role, offers[0].Role)
		}
		c.dropOffer(o)
		offers = append(offers, o)
	}
	return offers, problem
}

// launch is the state of one ACCEPT while its tasks are looked at, one after the other.
type launch struct {
	c     *Cluster
	f     *Framework
	agent *Agent
	role  ids.Role
	rest  Resources // of the offers, not yet taken by a task

	need, allocated Resources // of the last task: as it asked, and as it got

	launched bool // at least one task
}

func (l *launch) task(now core.Time, t TaskInfo) {
	c, id := l.c, l.f.Info.ID
	l.allocate(&t)
	if problem := l.problem(&t); problem != "" {
		c.rejectTask(now, l.f, t, mesos.TaskState_TASK_ERROR, mesos.TaskStatus_REASON_TASK_INVALID, problem)
		return
	}
	l.rest = l.rest.Sub(t.Resources)
	lives := false
	if t.Executor != nil {
		key := executorKey{l.agent.ID, id, t.Executor.ID}
		if lives = c.executors.Get(key) != nil; !lives {
			l.rest = l.rest.Sub(t.Executor.Resources)
			c.addExecutor(key, *t.Executor)
		}
	}
	l.launched = true
	delete(c.early, TaskKey{id, t.ID})
	c.addTask(&Task{Key: TaskKey{id, t.ID}, Info: t, Role: l.role, State: mesos.TaskState_TASK_STAGING, Created: now})
	c.command(l.agent, RunTask{l.f, t, lives})
}

// allocate gives a task what it asks for as the offers' role has it, and notes if it asks for another role's.
func (l *launch) allocate(t *TaskInfo) {
	t.Problem = cmp.Or(t.Problem, l.strangeRole("Task", t.Resources))
	if !t.Resources.Equal(l.need) {
		l.need, l.allocated = t.Resources, t.Resources.Allocate(l.role)
	}
	t.Resources = l.allocated // one list for all tasks in a row that need the same
	if t.Executor != nil {
		t.Problem = cmp.Or(t.Problem, l.strangeRole("Executor", t.Executor.Resources))
		e := *t.Executor
		e.Resources = e.Resources.Allocate(l.role)
		t.Executor = &e
	}
}

// strangeRole says which resource is allocated to another role than that of the offers; empty if none is.
func (l *launch) strangeRole(who string, need Resources) string {
	for r := range need.All() {
		if role := r.Allocated(); role != "" && role != l.role {
			return fmt.Sprintf("%s uses %s, expected 'allocation_info.role' to be '%s', as in the offers", who, r, l.role)
		}
	}
	return ""
}

// rejectTask tells a framework that a task will not run. The task never was in the books.
func (c *Cluster) rejectTask(now core.Time, f *Framework, t TaskInfo, s mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
	c.tell(f, Update{Status{Task: t.ID, State: s, Agent: t.Agent, Reason: reason, Message: message,
		Timestamp: now.Seconds()}})
}

// taskRefused ends a task that its agent could not take on.
func (c *Cluster) taskRefused(now core.Time, in AgentTaskRefused) {
	a := c.agentOf(in.Link)
	t := c.tasks.Get(TaskKey{in.Framework, in.Task})
	if a == nil || t == nil || t.Info.Agent != a.ID || Terminal(t.State) {
		return
	}
	f := c.frameworks.Get(in.Framework)
	c.loseTask(now, t, ifAware(f, mesos.TaskState_TASK_DROPPED), in.Reason, in.Message)
	c.buryIfEmpty(now, in.Framework)
	c.wantAllocation(now)
}
