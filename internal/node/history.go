package node

import (
	"iter"
	"slices"
)

// history holds the tasks whose last status was acknowledged, oldest first, up to bounds. It is what a
// restarted master learns of the past.
type history struct {
	tasks []*task
	bytes int // of their descriptions
}

func (h *history) all() iter.Seq[*task] { return slices.Values(h.tasks) }

// moveToHistory ends the life of a task. Frameworks stay known as long as something of them is.
func (n *Node) moveToHistory(t *task) {
	f := t.framework
	delete(f.tasks, t.id)
	n.described -= t.described()
	t.seen = slices.Clone(t.seen[max(0, len(t.seen)-seenPerTask):])
	f.past[t.id] = t
	f.history++
	h := &n.history
	h.tasks = append(h.tasks, t)
	h.bytes += t.weight()
	for len(h.tasks) > n.config.MaxCompletedTasks || h.bytes > n.config.MaxCompletedBytes {
		n.forgetOldest()
	}
}

// forgetOldest forgets the task that became history first.
func (n *Node) forgetOldest() {
	h := &n.history
	oldest := h.tasks[0]
	h.tasks[0] = nil
	h.tasks = h.tasks[1:]
	h.bytes -= oldest.weight()
	oldest.framework.forgetPast(oldest)
	n.dropFrameworkIfIdle(oldest.framework)
}

func (f *framework) forgetPast(t *task) {
	f.history--
	if f.past[t.id] == t {
		delete(f.past, t.id)
	}
}

// dropFrameworkIfIdle forgets a framework of which nothing is left, not even history. A replay waits with
// it until its end: the log may go on with a framework that a smaller bound makes idle for a moment.
func (n *Node) dropFrameworkIfIdle(f *framework) {
	if n.live && f.idle() && n.frameworks[f.ID] == f {
		delete(n.frameworks, f.ID)
		n.described -= f.described()
		n.recordLazily(FrameworkGone{Framework: f.ID})
	}
}

func (h *history) removeFramework(f *framework) {
	h.tasks = slices.DeleteFunc(h.tasks, func(t *task) bool { return t.framework == f })
	h.bytes = 0
	for _, t := range h.tasks {
		h.bytes += t.weight()
	}
}

// weight is what a task that has ended costs in memory and in each Subscribe, in bytes.
func (t *task) weight() int {
	weight := len(t.info)
	for _, s := range t.statuses {
		weight += s.size()
	}
	return weight
}
