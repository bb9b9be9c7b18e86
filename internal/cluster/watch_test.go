package cluster

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// mirror is what one who watches from the beginning believes.
type mirror struct {
	tasks      map[TaskKey]mesos.TaskState
	agents     map[ids.AgentID]bool
	frameworks map[ids.FrameworkID]bool
}

func newMirror() mirror {
	return mirror{make(map[TaskKey]mesos.TaskState), make(map[ids.AgentID]bool), make(map[ids.FrameworkID]bool)}
}

func (m *mirror) hear(what Change) {
	switch c := what.(type) {
	case TaskAdded:
		m.tasks[c.Task.Key] = c.Task.State
	case TaskUpdated:
		m.tasks[c.Task.Key] = c.Task.State
	case AgentAdded:
		m.agents[c.Agent.ID] = true
	case AgentRemoved:
		delete(m.agents, c.Agent)
	case FrameworkAdded:
		m.frameworks[c.Framework.Info.ID] = true
	case FrameworkRemoved:
		delete(m.frameworks, c.Framework.Info.ID)
	}
}

// checkMirror holds what was published against the books: who watches knows every task and every end, every
// agent, and every framework that is connected.
func (w *wild) checkMirror() {
	c, m := w.c, &w.mirror
	for t := range c.tasks.All() {
		if state, known := m.tasks[t.Key]; !known {
			w.t.Fatalf("task %v is in the books and was not published", t.Key)
		} else if Terminal(state) && !Terminal(t.State) {
			w.t.Fatalf("task %v lives as %s and was published as %s", t.Key, t.State, state)
		}
	}
	for key, state := range m.tasks {
		if t := c.tasks.Get(key); t == nil && !Terminal(state) && state != mesos.TaskState_TASK_UNREACHABLE {
			w.t.Fatalf("task %v is not in the books and was published as %s last", key, state)
		}
	}
	if c.agents.Len() != len(m.agents) {
		w.t.Fatalf("%d agents in the books, %d were published", c.agents.Len(), len(m.agents))
	}
	for f := range c.frameworks.All() {
		if f.Connected() && !m.frameworks[f.Info.ID] || f.Gone() && m.frameworks[f.Info.ID] {
			w.t.Fatalf("framework %s is connected: %t, gone: %t, published: %t", f.Info.ID, f.Connected(), f.Gone(), m.frameworks[f.Info.ID])
		}
	}
}
