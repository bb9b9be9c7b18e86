package cluster

import (
	"fmt"
	"strings"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// order answers an operator and does what he asks for. To the frameworks concerned it looks as if they had
// asked for it themselves.
func (c *Cluster) order(now core.Time, in OperatorCall) {
	switch o := in.Order.(type) {
	case OrderKill:
		c.orderKill(o)
	case OrderTeardown:
		c.orderTeardown(now, o)
	case OrderMarkGone:
		c.orderMarkGone(now, o)
	}
}

// orderKill has a task ended, whoever's it is.
func (c *Cluster) orderKill(o OrderKill) {
	if problem := callProblem(Kill{Task: o.Task, Policy: o.Policy}); problem != "" {
		c.answer(BadRequest, problem)
		return
	}
	if o.Framework != "" && !c.everKnew(o.Framework) {
		c.answer(NotFound, fmt.Sprintf("framework %q: not known", o.Framework))
		return
	}
	live := c.liveTasks(o.Framework, o.Task)
	switch len(live) {
	case 0:
		c.answerMissing(o)
	case 1:
		c.emit(Answer{Code: Accepted, Task: live[0]})
		c.killTask(live[0], o.Policy)
	default:
		c.answer(Conflict, fmt.Sprintf("task %q: %d frameworks have one: %s; expected 'framework_id' to say whose",
			o.Task, len(live), c.owners(live)))
	}
}

// everKnew tells whether a framework is in the books or in the history.
func (c *Cluster) everKnew(id ids.FrameworkID) bool {
	return c.byFrame[id] != nil || c.history.perFrame[id] != nil || c.gone.has(id)
}

// liveTasks are the tasks of an id that have not ended: one for each framework at most, in the order in which
// these came, or that of one framework.
func (c *Cluster) liveTasks(f ids.FrameworkID, task ids.TaskID) (live []*Task) {
	consider := func(f ids.FrameworkID) {
		if t := c.tasks.Get(TaskKey{f, task}); t != nil && !Terminal(t.State) {
			live = append(live, t)
		}
	}
	if f != "" {
		consider(f)
		return live
	}
	for f := range c.frameworks.All() {
		consider(f.Info.ID)
	}
	return live
}

// answerMissing says why a task cannot be killed that is not among the live ones.
func (c *Cluster) answerMissing(o OrderKill) {
	switch t := c.lastOf(o.Framework, o.Task); {
	case t == nil:
		c.answer(NotFound, fmt.Sprintf("task %q: not known", o.Task))
	case t.Unreachable():
		c.answer(Conflict, fmt.Sprintf("task %q of framework %s: agent %s, which ran it, was given up; "+
			"kill it again when the agent is back", o.Task, t.Key.Framework, t.Info.Agent))
	default:
		c.answer(Ended, fmt.Sprintf("task %q of framework %s: has ended: %s", o.Task, t.Key.Framework, t.State))
	}
}

// lastOf is the task of an id that ended last, be its end acknowledged or not; nil if none is remembered.
func (c *Cluster) lastOf(f ids.FrameworkID, task ids.TaskID) (last *Task) {
	consider := func(t *Task) {
		if t != nil && (last == nil || t.Shown.Timestamp > last.Shown.Timestamp) {
			last = t
		}
	}
	for _, id := range sorted(c.history.perFrame) {
		if f == "" || f == id {
			consider(c.history.last(TaskKey{id, task}))
		}
	}
	for fw := range c.frameworks.All() {
		if f == "" || f == fw.Info.ID {
			consider(c.tasks.Get(TaskKey{fw.Info.ID, task}))
		}
	}
	return last
}

// maxOwners are the frameworks that a sentence names.
const maxOwners = 10

func (c *Cluster) owners(tasks []*Task) string {
	var names []string
	for i, t := range tasks {
		if i == maxOwners {
			names = append(names, fmt.Sprintf("and %d more", len(tasks)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s (%q)", t.Key.Framework, c.frameworks.Get(t.Key.Framework).Info.Name))
	}
	return strings.Join(names, ", ")
}

// orderTeardown ends a framework.
func (c *Cluster) orderTeardown(now core.Time, o OrderTeardown) {
	f := c.frameworks.Get(o.Framework)
	if f == nil || f.Gone() {
		c.answer(BadRequest, "No framework found with specified ID")
		return
	}
	c.answer(Accepted, "")
	c.removeFramework(now, f, "torn down by an operator")
}
