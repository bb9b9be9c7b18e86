package cluster

import (
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// history remembers what ended, within bounds.
type history struct {
	tasks      *Table[uint64, Task]
	frameworks *Table[uint64, Framework]
	perFrame   map[ids.FrameworkID][]uint64 // entries of tasks, oldest first
	buried     []uint64                     // entries of frameworks, oldest first
	strays     []ids.FrameworkID            // frameworks of which only tasks are remembered, oldest first
	ended      map[TaskKey]uint64           // the last entry of each task
	next       uint64
}

func newHistory() history {
	return history{
		tasks:      NewTable[uint64, Task](),
		frameworks: NewTable[uint64, Framework](),
		perFrame:   make(map[ids.FrameworkID][]uint64),
		ended:      make(map[TaskKey]uint64),
	}
}

func (h *history) addTask(t *Task, limit int) {
	h.next++
	mine := append(h.perFrame[t.Key.Framework], h.next)
	h.tasks.Put(h.next, t)
	h.ended[t.Key] = h.next
	if len(mine) > limit {
		h.forget(mine[0])
		mine = mine[1:]
	}
	h.perFrame[t.Key.Framework] = mine
}

func (h *history) forget(entry uint64) {
	if t := h.tasks.Get(entry); h.ended[t.Key] == entry {
		delete(h.ended, t.Key)
	}
	h.tasks.Delete(entry)
}

// recall takes in a task that ended under a former leader, as its agent tells it, unless it is known. Of
// frameworks that are not in the books any more, as many are remembered as of those that ended here.
func (h *history) recall(t *Task, live bool, taskLimit, frameLimit int) {
	if h.ended[t.Key] != 0 {
		return
	}
	id := t.Key.Framework
	if !live && h.perFrame[id] == nil {
		h.strays = append(h.strays, id)
		if len(h.strays) > frameLimit {
			h.forgetFramework(h.strays[0])
			h.strays = h.strays[1:]
		}
	}
	h.addTask(t, taskLimit)
}

// last is the last task of a name that ended; nil if none is remembered.
func (h *history) last(key TaskKey) *Task { return h.tasks.Get(h.ended[key]) }

// comeBack takes a task out of the history that its scheduler was told is unreachable, and that is not.
func (h *history) comeBack(key TaskKey) {
	if t := h.last(key); t != nil && t.Unreachable() {
		entry := h.ended[key]
		h.forget(entry)
		h.perFrame[key.Framework] = slices.DeleteFunc(h.perFrame[key.Framework], func(e uint64) bool { return e == entry })
	}
}

func (h *history) forgetFramework(id ids.FrameworkID) {
	for _, t := range h.perFrame[id] {
		h.forget(t)
	}
	delete(h.perFrame, id)
}

// addFramework remembers a framework. One may end several times: once for each agent that a new master
// finds it on.
func (h *history) addFramework(f *Framework, limit int) {
	for known := range h.frameworks.All() {
		if known.Info.ID == f.Info.ID {
			return
		}
	}
	h.next++
	h.buried = append(h.buried, h.next)
	h.frameworks.Put(h.next, f)
	if len(h.buried) <= limit {
		return
	}
	old := h.frameworks.Get(h.buried[0])
	h.forgetFramework(old.Info.ID)
	h.frameworks.Delete(h.buried[0])
	h.buried = h.buried[1:]
}

// tombstones are the ids of removed frameworks, the oldest forgotten first.
type tombstones struct {
	seen  map[ids.FrameworkID]bool
	order []ids.FrameworkID
}

func (t *tombstones) has(id ids.FrameworkID) bool { return t.seen[id] }

func (t *tombstones) add(id ids.FrameworkID) {
	if t.seen[id] {
		return
	}
	t.seen[id] = true
	t.order = append(t.order, id)
	if len(t.order) > maxTombstones {
		delete(t.seen, t.order[0])
		t.order = t.order[1:]
	}
}
