package detached

import (
	"fmt"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// run takes tasks on. They are answered for, and begin to wait for offers, when they are durable.
func (c *Core) run(now core.Time, in Run) {
	if problem := c.problem(&in); problem != "" {
		c.emit(Answer{Request: in.Request, Verdict: Refused, Text: problem})
		return
	}
	c.nameFramework()
	var records []Record
	tasks := make([]Task, in.Instances)
	names := make([]ids.TaskID, in.Instances)
	for i := range tasks {
		tasks[i] = Task{ID: c.newTaskID(), Name: in.Name, Role: in.Role, Demand: in.Demand, Spec: in.Spec, Created: now.Wall}
		names[i] = tasks[i].ID
		records = append(records, KeepTask{tasks[i]})
	}
	c.promised[in.Role] += len(tasks)
	c.bytes += len(tasks) * len(in.Spec)
	c.persist(func(core.Time) {
		if c.promised[in.Role] -= len(tasks); c.promised[in.Role] == 0 {
			delete(c.promised, in.Role)
		}
		c.nameFramework() // somebody may have torn it down
		for _, t := range tasks {
			c.put(t)
		}
		c.emit(Answer{Request: in.Request, Framework: c.framework, Tasks: names})
		c.link.fresh = append(c.link.fresh, in.Role)
	}, records...)
}

// nameFramework sees to it that there is a framework.
func (c *Core) nameFramework() {
	if c.framework != "" {
		return
	}
	id := c.newFrameworkID()
	c.framework = id
	c.persist(func(core.Time) { c.link.known = c.framework == id }, KeepFramework{id})
}

// problem says why tasks cannot be taken on; empty if they can.
func (c *Core) problem(in *Run) string {
	waiting, roles := len(c.tasks), c.roles()
	for role, n := range c.promised {
		waiting += n
		roles[role] = true
	}
	switch {
	case in.Instances < 1:
		return fmt.Sprintf("%d instances: expected at least 1", in.Instances)
	case len(in.Spec) > MaxSpec:
		return fmt.Sprintf("the task is described in %d bytes, at most %d are taken", len(in.Spec), MaxSpec)
	case waiting+in.Instances > MaxTasks:
		return fmt.Sprintf("%d detached tasks wait to be launched and %d more are asked for, at most %d may wait: "+
			"kill some, or try again when some have been launched", waiting, in.Instances, MaxTasks)
	case c.bytes+in.Instances*len(in.Spec) > maxBytes:
		return fmt.Sprintf("the descriptions of the detached tasks that wait take %d bytes and those that are asked for %d, "+
			"at most %d may wait: try again when some have been launched", c.bytes, in.Instances*len(in.Spec), maxBytes)
	case !roles[in.Role] && len(roles) >= maxRoles:
		return fmt.Sprintf("detached tasks wait in %d roles, at most %d are possible: try again when some have been launched",
			len(roles), maxRoles)
	}
	return ""
}

// kill ends a task that waits, or sees to it that one on its way ends. It is answered for when that is
// durable.
func (c *Core) kill(now core.Time, in Kill) {
	t := c.tasks[in.Task]
	if t == nil || in.Framework != "" && in.Framework != c.framework {
		c.emit(Answer{Request: in.Request, Verdict: NotMine})
		return
	}
	if !t.Launching() {
		c.remember(now, t, mesos.TaskState_TASK_KILLED, "Killed before it was launched")
		c.forget(t, func() { c.emit(Answer{Request: in.Request, Framework: c.framework}) })
		return
	}
	next := *t
	next.Killed = true
	c.put(next)
	answer := Answer{Request: in.Request, Framework: c.framework}
	if !c.intends(t.ID) { // otherwise no ACCEPT will leave
		answer.Agent = t.Agent
		c.emit(End{t.ID, t.Agent})
	}
	c.persist(func(core.Time) { c.emit(answer) }, KeepTask{next})
}

// tornDown ends every task along with its framework, which somebody removed. The next task gets another one.
func (c *Core) tornDown(now core.Time) {
	var records []Record
	for _, id := range c.order {
		records = append(records, DropTask{id})
		if t := c.tasks[id]; !t.Launching() || c.intends(id) {
			c.remember(now, t, mesos.TaskState_TASK_KILLED, "The framework was torn down")
		}
		c.bytes -= len(c.tasks[id].Spec)
	}
	records = append(records, DropFramework{c.framework})
	c.notice("the framework of the detached tasks was torn down", "framework", c.framework, "tasks", len(c.order))
	clear(c.tasks)
	clear(c.intents)
	clear(c.resting)
	c.order, c.framework = nil, ""
	c.link = link{due: core.Never}
	c.persist(nil, records...)
}
