package node

import (
	"bytes"
	"fmt"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// runTask takes a task, or says why not.
func (n *Node) runTask(m RunTask) {
	n.takeTask(m)
	n.sayNotStarted(m)
}

func (n *Node) takeTask(m RunTask) {
	if f := n.frameworks[m.Framework.ID]; f != nil && f.tasks[m.Task.ID] != nil {
		n.emit(Notice{What: NoticeDuplicateTask, Framework: f.ID, Task: m.Task.ID})
		return
	}
	reason, why := n.noMoreWork(m.Framework.ID)
	if size := m.size(); why == "" && size > n.config.MaxInfo {
		reason = mesos.TaskStatus_REASON_TASK_INVALID
		why = fmt.Sprintf("The task, its executor and its framework are described in %d bytes, at most %d are taken", size, n.config.MaxInfo)
	}
	if why == "" {
		reason, why = n.describedTooMuch(m)
	}
	if why != "" {
		n.refuseTask(m.Framework.ID, m.Task.ID, reason, why)
		return
	}
	f := n.meetFramework(m.Framework)
	switch {
	case m.Unsupported != "":
		n.failTask(f, m, m.Unsupported)
	case m.UserProblem != "":
		n.dropTask(f, m, n.userProblem(f, m))
	case m.Executor == nil:
		n.runCommand(f, m)
	default:
		n.runOnExecutor(f, m)
	}
}

// sayNotStarted tells the master of an executor that the task was to start and did not.
func (n *Node) sayNotStarted(m RunTask) {
	if m.Executor == nil || m.ExecutorLives {
		return
	}
	if f := n.frameworks[m.Framework.ID]; f == nil || f.executors[m.Executor.ID] == nil {
		n.tell(ExecutorExited{Framework: m.Framework.ID, Executor: m.Executor.ID, Status: noStatus})
	}
}

// size is what the task adds to the log.
func (m *RunTask) size() int {
	size := len(m.Framework.Info) + len(m.Task.Info)
	if m.Executor != nil {
		size += len(m.Executor.Info)
	}
	return size
}

// noMoreWork says why the agent takes no task of a framework; "" if it does.
func (n *Node) noMoreWork(id ids.FrameworkID) (mesos.TaskStatus_Reason, string) {
	f := n.frameworks[id]
	switch {
	case n.Trouble() != "":
		return mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, n.Trouble()
	case n.ending != nil:
		return mesos.TaskStatus_REASON_AGENT_DISCONNECTED, "The agent is shutting down"
	case f == nil:
		return 0, ""
	case f.ending:
		return mesos.TaskStatus_REASON_FRAMEWORK_REMOVED, "The framework is being shut down on this agent"
	}
	if much := n.owesTooMuch(f, 1); much != "" {
		return mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, "The framework has " + much + "; acknowledge some first"
	}
	return 0, ""
}

func (n *Node) refuseTask(f ids.FrameworkID, t ids.TaskID, reason mesos.TaskStatus_Reason, why string) {
	n.tell(TaskRefused{Framework: f, Task: t, Reason: reason, Message: why})
	n.emit(Notice{What: NoticeTaskRefused, Framework: f, Task: t, Detail: why})
}

// meetFramework makes sure that the framework is known, and durably so before any task of it.
func (n *Node) meetFramework(info Framework) *framework {
	f := n.frameworks[info.ID]
	switch {
	case f == nil:
		f = n.addFramework(info)
	case bytes.Equal(f.Info, info.Info):
		return f
	default:
		n.replaceFramework(f, info)
	}
	n.record(FrameworkRecord{Framework: info})
	return f
}

// runCommand starts a command task. Where nothing has to be fetched TASK_STARTING rides in the same commit
// as the task, which spares the way to the first status a commit; otherwise it comes when the command
// does, as a failed fetch ends a task that never started.
func (n *Node) runCommand(f *framework, m RunTask) {
	e := n.addExecutor(f, executor{
		id:        ids.ExecutorID(m.Task.ID),
		container: ids.ContainerID(n.newUUID().String()),
		builtin:   true,
		launch:    &launch{m.Task.Command, f.userOf(m.Task.Command)},
	})
	n.emit(PrepareSandbox{Sandbox: n.sandbox(e), User: e.launch.user})
	t := n.recordTask(f, m, e)
	if len(m.Task.Command.URIs) == 0 {
		n.report(t, n.commandStatus(t, mesos.TaskState_TASK_STARTING, ""))
	}
	n.after(durable, func() { n.start(e) })
}

// runOnExecutor hands a task to its custom executor, which is started for the first one. The master may not
// know yet that it has ended since: then it is not started again, for nothing was set aside for it.
func (n *Node) runOnExecutor(f *framework, m RunTask) {
	e := f.executors[m.Executor.ID]
	switch {
	case e != nil && e.state == executorTerminating:
		n.dropTask(f, m, "Executor terminating")
		return
	case e == nil && m.ExecutorLives:
		n.dropTask(f, m, "Executor terminated")
		return
	}
	if e == nil {
		e = n.addExecutor(f, executor{
			id:        m.Executor.ID,
			container: ids.ContainerID(n.newUUID().String()),
			info:      m.Executor.Info,
			own:       m.Executor.Demand,
			grace:     durationOr(m.Executor.ShutdownGrace, n.config.ExecutorShutdownGrace),
			launch:    &launch{m.Executor.Command, f.userOf(m.Executor.Command)},
		})
		n.emit(PrepareSandbox{Sandbox: n.sandbox(e), User: e.launch.user})
		n.record(ExecutorRecord{Framework: f.ID, Executor: e.id, Container: e.container, Grace: e.grace, Info: e.info, Demand: e.own})
		n.after(durable, func() { n.start(e) })
	}
	t := n.recordTask(f, m, e)
	t.queued = true
	n.after(durable, func() { n.deliver(e) })
}

// dropTask records a task only to say that it never began.
func (n *Node) dropTask(f *framework, m RunTask, why string) {
	t := n.recordTask(f, m, nil)
	n.report(t, n.agentStatus(t, f.lost(), mesos.TaskStatus_REASON_EXECUTOR_TERMINATED, why))
}

// failTask records a task only to say that it cannot be run here.
func (n *Node) failTask(f *framework, m RunTask, why string) {
	t := n.recordTask(f, m, nil)
	n.report(t, n.agentStatus(t, mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED,
		"Failed to launch container: "+why))
}

// recordTask brings a task to life.
func (n *Node) recordTask(f *framework, m RunTask, e *executor) *task {
	r := TaskRecord{
		Framework: f.ID,
		Task:      m.Task.ID,
		KillGrace: durationOr(m.Task.KillGrace, n.config.KillGrace),
		MaxTime:   m.Task.MaxTime,
		Info:      m.Task.Info,
		Demand:    m.Task.Demand,
	}
	if m.Executor != nil {
		r.Executor = m.Executor.ID
	}
	if e != nil {
		r.Container = e.container
	}
	n.record(r)
	t := n.addTask(f, r, e)
	t.mark = n.commits.mark(durable)
	return t
}

// addTask is what a TaskRecord means.
func (n *Node) addTask(f *framework, r TaskRecord, e *executor) *task {
	t := &task{
		framework: f,
		executor:  e,
		id:        r.Task,
		owner:     r.Executor,
		container: r.Container,
		created:   n.nextCreated(),
		info:      r.Info,
		demand:    r.Demand,
		grace:     r.KillGrace,
		maxTime:   r.MaxTime,
		state:     mesos.TaskState_TASK_STAGING,
		told:      mesos.TaskState_TASK_STAGING,
	}
	f.tasks[t.id] = t
	n.described += t.described()
	if e != nil {
		e.tasks = append(e.tasks, t)
		n.demandChanged(e)
	}
	return t
}

// userProblem words an account that cannot be used as Mesos does.
func (n *Node) userProblem(f *framework, m RunTask) string {
	sandbox := Sandbox{Agent: n.identity.Agent, Framework: f.ID, Executor: ids.ExecutorID(m.Task.ID)}
	command := m.Task.Command
	if m.Executor != nil {
		sandbox.Executor, command = m.Executor.ID, m.Executor.Command
	}
	sandbox.Container = ids.ContainerID(n.newUUID().String())
	return fmt.Sprintf("Failed to create executor directory '%s': Failed to chown directory to '%s': %s",
		sandbox.Path(n.config.WorkDir), f.userOf(command), m.UserProblem)
}

func (n *Node) sandbox(e *executor) Sandbox {
	return Sandbox{Agent: n.identity.Agent, Framework: e.framework.ID, Executor: e.id, Container: e.container}
}

// start lets the container begin, now that its record is durable.
func (n *Node) start(e *executor) {
	if e.state == executorGone {
		return
	}
	if e.killed || n.commits.broken != "" {
		n.neverStarted(e)
		return
	}
	l := e.launch
	e.launch, e.launched = nil, true
	e.limits = n.config.Isolation.limits(e.demand())
	out := StartContainer{
		Limits:  e.limits,
		Sandbox: n.sandbox(e),
		Command: l.command,
		User:    l.user,
		Grace:   e.grace,
	}
	if e.builtin {
		out.Task = e.task().id
	}
	n.emit(out)
}

// refuseUnrecorded takes back every task whose record never left. Of one that did nobody knows whether it is in
// the log: it may be found there by the next run, which goes on with it, or the master learns then that it is
// not. To say now that it will not run could be a lie.
func (n *Node) refuseUnrecorded() {
	for _, f := range n.orderedFrameworks() {
		for _, t := range f.orderedTasks() {
			if t.mark.ticket <= n.commits.issued {
				continue
			}
			reason, why := n.noMoreWork(f.ID)
			n.refuseTask(f.ID, t.id, reason, why)
			e := t.executor
			if e != nil {
				e.removeTask(t)
			}
			n.removeTask(t)
			if e != nil && !e.launched && len(e.tasks) == 0 {
				n.removeExecutor(e)
				delete(n.containers, e.container)
				n.emit(CollectContainer{Container: e.container, Sandbox: n.sandbox(e)})
				if !e.builtin {
					n.tell(ExecutorExited{Framework: f.ID, Executor: e.id, Status: noStatus})
				}
			}
		}
	}
}

func durationOr(d *time.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return max(*d, 0)
}
