package master

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// Executor is an executor as the Master knows it.
type Executor struct {
	ID        int
	App       *Application
	Worker    *Worker
	Profile   int // of resources, by its id
	Cores     int
	Memory    int // MiB
	Resources map[string]deploy.Resource
	State     deploy.ExecutorState
}

// fullID is app/exec, as Spark writes it.
func (e *Executor) fullID() string { return fmt.Sprintf("%s/%d", e.App.ID, e.ID) }

// executor finds what a Worker was given.
func (w *Worker) executor(app string, id int) *Executor {
	for _, e := range w.executors {
		if e.App.ID == app && e.ID == id {
			return e
		}
	}
	return nil
}

// hold counts an executor among what a Worker has to do; dropExecutor is the other way.
func (w *Worker) hold(e *Executor) {
	w.executors = append(w.executors, e)
	w.coresUsed += e.Cores
	w.memoryUsed += e.Memory
}

func (w *Worker) dropExecutor(e *Executor) {
	if !slices.Contains(w.executors, e) {
		return
	}
	w.executors = remove(w.executors, e)
	w.coresUsed -= e.Cores
	w.memoryUsed -= e.Memory
}

// executorChanged takes note of what a Worker tells of an executor. A RUNNING that comes twice is taken,
// where Spark's Master fails the Worker's question, and after five of those the Worker ends itself: our
// Worker says it again to a Master that may not have heard.
func (m *Master) executorChanged(msg deploy.ExecutorStateChanged) {
	n := Notice{App: msg.AppID, Exec: new(msg.ExecID)}
	app := m.app(msg.AppID)
	if app == nil || app.executors[msg.ExecID] == nil {
		m.note(Debug, n, "an executor that is not known any more is %v", msg.State)
		m.dropLeftover(msg)
		return
	}
	e := app.executors[msg.ExecID]
	e.State = msg.State
	if msg.State == deploy.ExecutorRunning {
		app.failures = 0
	}
	m.do(Send{To: app.Driver, Build: app.Build, Message: deploy.ExecutorUpdated{
		ID: e.ID, State: msg.State, Message: msg.Message, ExitStatus: msg.ExitStatus,
	}})
	if msg.State.Finished() {
		if msg.Message != nil {
			n.Detail = *msg.Message
		}
		m.note(Info, n, "an executor is %v", msg.State)
		app.removeExecutor(e)
		e.Worker.dropExecutor(e)
		if msg.ExitStatus == nil || *msg.ExitStatus != 0 {
			m.countFailure(app)
		}
	}
	m.changed = true
}

// dropLeftover lets go of an executor of a decommissioned Worker: its application has forgotten it.
func (m *Master) dropLeftover(msg deploy.ExecutorStateChanged) {
	if !msg.State.Finished() {
		return
	}
	for _, w := range m.workers {
		if e := w.executor(msg.AppID, msg.ExecID); e != nil {
			w.dropExecutor(e)
		}
	}
}

// countFailure gives up an application whose executors end one after the other and never run.
func (m *Master) countFailure(app *Application) {
	app.failures++
	if m.cfg.MaxExecRetries < 0 || app.failures < m.cfg.MaxExecRetries {
		return
	}
	for _, e := range app.executors {
		if e.State == deploy.ExecutorRunning {
			return
		}
	}
	m.note(Error, Notice{App: app.ID, Detail: app.Desc.Name}, "executors of the application failed %d times: it is given up", app.failures)
	m.removeApplication(app, AppFailed)
}

// loseExecutor tells an application that it has lost an executor together with its Worker.
func (m *Master) loseExecutor(e *Executor, state deploy.ExecutorState, why string) {
	if e.App.executors[e.ID] != e { // it has forgotten it
		return
	}
	e.State = state
	m.do(Send{To: e.App.Driver, Build: e.App.Build, Message: deploy.ExecutorUpdated{
		ID: e.ID, State: state, Message: &why, WorkerHost: &e.Worker.Host,
	}})
	e.App.removeExecutor(e)
}

// killExecutor has a Worker end an executor. Its share is free from now on, as with Spark.
func (m *Master) killExecutor(e *Executor) {
	e.Worker.dropExecutor(e)
	m.do(Send{To: e.Worker.Ref, Build: e.Worker.Build, Message: deploy.KillExecutor{
		MasterURL: m.cfg.Self.Address.URL(), AppID: e.App.ID, ExecID: e.ID,
	}})
	e.State = deploy.ExecutorKilled
}

// killExecutors ends executors that an application gives back, and tells whether it is known.
func (m *Master) killExecutors(msg deploy.KillExecutors) bool {
	app := m.app(msg.AppID)
	if app == nil {
		m.note(Warn, Notice{App: msg.AppID}, "an application that is not registered wants executors killed")
		return false
	}
	m.note(Info, Notice{App: app.ID, Detail: fmt.Sprint(msg.ExecutorIDs)}, "the application gives executors back")
	for _, text := range msg.ExecutorIDs {
		id, err := strconv.Atoi(text)
		e := app.executors[id]
		if err != nil || e == nil {
			m.note(Warn, Notice{App: app.ID}, "the application gives back executor %q, which it does not have", text)
			continue
		}
		app.removeExecutor(e)
		m.killExecutor(e)
	}
	m.changed = true
	return true
}
