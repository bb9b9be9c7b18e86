package node

import "github.com/meseta/meseta/internal/ids"

// shutdownFramework ends and forgets everything of a framework. It may be repeated, and is answered also
// when nothing is known of the framework: the answer frees its resources.
func (n *Node) shutdownFramework(in ShutdownFramework) {
	f := n.frameworks[in.Framework]
	if f == nil {
		n.tell(AgentFrameworkGone(in))
		return
	}
	if !f.ending {
		f.ending = true
		n.emit(Notice{What: NoticeFrameworkEnding, Framework: f.ID})
		n.record(FrameworkRecord{Framework: f.Framework, Ending: true})
		n.endExecutors(f)
	}
	n.dropFrameworkIfOver(f)
}

// endExecutors ends everything that runs for a framework.
func (n *Node) endExecutors(f *framework) {
	for _, e := range f.orderedBuiltins() {
		if !e.killed {
			n.killCommand(e, e.task().grace)
		}
	}
	for _, e := range f.orderedExecutors() {
		n.endExecutor(e)
	}
}

// dropFrameworkIfOver forgets a framework that was shut down and of which nothing runs any more.
func (n *Node) dropFrameworkIfOver(f *framework) {
	if !f.ending || len(f.executors) > 0 || len(f.builtins) > 0 || n.frameworks[f.ID] != f {
		return
	}
	n.record(FrameworkGone{Framework: f.ID})
	n.forgetFramework(f)
	n.tell(AgentFrameworkGone{Framework: f.ID})
	n.emit(Notice{What: NoticeFrameworkEnded, Framework: f.ID})
}

// updateFramework replaces what is known of a framework. Its scheduler has just subscribed again and may
// have missed anything, so that all that it is owed is sent again at once.
func (n *Node) updateFramework(in UpdateFramework) {
	f := n.frameworks[in.Framework.ID]
	if f == nil || f.ending {
		return
	}
	n.meetFramework(in.Framework)
	n.forwardAll(f)
}

// addFramework is what a FrameworkRecord means for one that is not known.
func (n *Node) addFramework(info Framework) *framework {
	f := &framework{
		Framework: info,
		created:   n.nextCreated(),
		tasks:     make(map[ids.TaskID]*task),
		executors: make(map[ids.ExecutorID]*executor),
		builtins:  make(map[ids.ContainerID]*executor),
		past:      make(map[ids.TaskID]*task),
	}
	n.frameworks[f.ID] = f
	n.described += f.described()
	return f
}

// replaceFramework takes over what a framework says of itself now.
func (n *Node) replaceFramework(f *framework, info Framework) {
	n.described -= f.described()
	f.Framework = info
	n.described += f.described()
}

// forgetFramework removes a framework and everything of it.
func (n *Node) forgetFramework(f *framework) {
	for _, t := range f.orderedTasks() {
		n.removeTask(t)
	}
	n.history.removeFramework(f)
	delete(n.frameworks, f.ID)
	n.described -= f.described()
}

// removeTask forgets a task and what it owes.
func (n *Node) removeTask(t *task) {
	f := t.framework
	n.timers.stop(&t.retry)
	for len(t.owed) > 0 {
		n.settle(t)
	}
	t.owed, t.inFlight, t.executor = nil, false, nil
	if f.tasks[t.id] == t {
		delete(f.tasks, t.id)
		n.described -= t.described()
	}
}

// addExecutor brings an executor to life.
func (n *Node) addExecutor(f *framework, e executor) *executor {
	e.framework, e.created = f, n.nextCreated()
	if e.builtin {
		f.builtins[e.container] = &e
	} else {
		f.executors[e.id] = &e
		n.described += e.described()
	}
	n.containers[e.container] = &e
	n.crowd++
	return &e
}

// enter moves an executor on in its life.
func (n *Node) enter(e *executor, s executorState) {
	if e.state == executorStarting {
		n.crowd--
	}
	e.state = s
}

// removeExecutor takes an executor out of its framework. Its container is left to the caller.
func (n *Node) removeExecutor(e *executor) {
	n.enter(e, executorGone)
	n.timers.stop(&e.deadline)
	n.dropStreams(e)
	if e.builtin {
		delete(e.framework.builtins, e.container)
	} else if e.framework.executors[e.id] == e {
		delete(e.framework.executors, e.id)
		n.described -= e.described()
	}
}
