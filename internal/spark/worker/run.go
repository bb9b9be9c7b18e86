package worker

import (
	"fmt"

	"github.com/meseta/meseta/internal/spark/deploy"
)

func (e *Executor) describe() deploy.ExecutorDescription {
	return deploy.ExecutorDescription{
		AppID: e.ID.App, ExecID: e.ID.Exec, RPID: e.Launch.RPID, Cores: e.Launch.Cores, Memory: e.Launch.Memory, State: e.State,
	}
}

// launchExecutor starts an executor for the active Master.
func (w *Worker) launchExecutor(m deploy.LaunchExecutor) {
	id := ExecutorID{m.AppID, m.ExecID}
	n := Notice{App: id.App, Exec: &id.Exec, Master: m.MasterURL}
	switch {
	case m.MasterURL != w.masterURL():
		w.note(Warn, n, "a Master that is not the active one asked for an executor: refused")
		return
	case w.decommissioned:
		w.note(Warn, n, "the Master asked for an executor after decommissioning: refused")
		return
	}
	if old, lives := w.executors[id]; lives {
		w.note(Error, n, "the Master asked for an executor that runs already: it is ended")
		w.do(KillExecutor{ID: id})
		w.remove(old, deploy.ExecutorFailed)
		w.tell(deploy.ExecutorStateChanged{AppID: id.App, ExecID: id.Exec, State: deploy.ExecutorFailed,
			Message: new(fmt.Sprintf("executor %v exists already", id))})
		return
	}
	n.Detail = m.App.Name
	w.note(Info, n, "asked to launch executor")
	w.executors[id] = &Executor{ID: id, Launch: m, State: deploy.ExecutorLaunching}
	w.do(StartExecutor{ID: id, Launch: m})
}

// unreadable tells the Master that what it wanted started was not, so that it does not wait.
func (w *Worker) unreadable(in Unreadable) {
	if in.Executor != nil {
		id := *in.Executor
		w.note(Error, Notice{App: id.App, Exec: &id.Exec, Detail: in.Err}, "asked to launch an executor by a message that is not understood")
		w.tell(deploy.ExecutorStateChanged{AppID: id.App, ExecID: id.Exec, State: deploy.ExecutorFailed, Message: &in.Err})
		return
	}
	w.note(Error, Notice{Driver: in.Driver, Detail: in.Err}, "asked to launch a driver by a message that is not understood")
	w.tell(deploy.DriverStateChanged{DriverID: in.Driver, State: deploy.DriverError,
		Exception: &deploy.Exception{Class: "java.lang.Exception", Message: in.Err}})
}

func (w *Worker) killExecutor(m deploy.KillExecutor) {
	id := ExecutorID{m.AppID, m.ExecID}
	n := Notice{App: id.App, Exec: &id.Exec, Master: m.MasterURL}
	switch _, lives := w.executors[id]; {
	case m.MasterURL != w.masterURL():
		w.note(Warn, n, "a Master that is not the active one asked to kill an executor: refused")
	case !lives:
		w.note(Info, n, "asked to kill an executor that is not here")
	default:
		w.note(Info, n, "asked to kill executor")
		w.do(KillExecutor{ID: id})
	}
}

// executorChanged takes note of what a runner tells, and tells the Master.
func (w *Worker) executorChanged(in ExecutorChanged) {
	e, lives := w.executors[in.ID]
	n := Notice{App: in.ID.App, Exec: &in.ID.Exec, Master: w.masterURL()}
	if in.Message != nil {
		n.Detail = *in.Message
	}
	if !lives { // it was forgotten, and its end has been told
		w.note(Info, n, "an executor that is not known any more is %v", in.State)
		w.removeIfOver(in.ID.App)
		return
	}
	e.State = in.State
	w.tell(deploy.ExecutorStateChanged{AppID: in.ID.App, ExecID: in.ID.Exec, State: in.State, Message: in.Message, ExitStatus: in.ExitStatus})
	if !in.State.Finished() {
		return
	}
	exit := ""
	if in.ExitStatus != nil {
		exit = fmt.Sprintf(" with exit status %d", *in.ExitStatus)
	}
	w.note(Info, n, "executor is %v%s", in.State, exit)
	w.remove(e, in.State)
}

// remove lets go of an executor and of what it was counted for.
func (w *Worker) remove(e *Executor, state deploy.ExecutorState) {
	e.State = state
	delete(w.executors, e.ID)
	w.finishedExecutors = retain(w.finishedExecutors, *e, w.cfg.Retained)
	w.removeIfOver(e.ID.App)
}

// retain appends, and drops a tenth of the oldest when there are too many.
func retain[T any](all []T, one T, limit int) []T {
	all = append(all, one)
	if len(all) > limit {
		drop := max(len(all)/10, 1)
		all = append(all[:0:0], all[drop:]...)
	}
	return all
}

// removeIfOver removes an application that is over and has no executor left.
func (w *Worker) removeIfOver(app string) {
	if !w.finished[app] {
		return
	}
	for id := range w.executors {
		if id.App == app {
			return
		}
	}
	delete(w.finished, app)
	w.do(RemoveApplication{AppID: app})
}

func (w *Worker) launchDriver(m deploy.LaunchDriver) {
	n := Notice{Driver: m.DriverID, Master: w.masterURL()}
	if _, lives := w.drivers[m.DriverID]; lives {
		w.note(Warn, n, "asked to launch a driver that runs already")
		return
	}
	w.note(Info, n, "asked to launch driver")
	w.drivers[m.DriverID] = &Driver{ID: m.DriverID, Launch: m, State: deploy.DriverRunning}
	w.do(StartDriver{ID: m.DriverID, Launch: m})
}

func (w *Worker) killDriver(m deploy.KillDriver) {
	n := Notice{Driver: m.DriverID, Master: w.masterURL()}
	if _, lives := w.drivers[m.DriverID]; !lives {
		w.note(Error, n, "asked to kill a driver that is not here")
		return
	}
	w.note(Info, n, "asked to kill driver")
	w.do(KillDriver{ID: m.DriverID})
}

// driverChanged takes note of the end of a driver, and tells the Master.
func (w *Worker) driverChanged(in DriverChanged) {
	d, lives := w.drivers[in.ID]
	n := Notice{Driver: in.ID, Master: w.masterURL()}
	if !lives || !in.State.Finished() {
		w.note(Debug, n, "driver changed state to %v", in.State)
		return
	}
	if in.Exception != nil {
		n.Detail = in.Exception.Error()
	}
	switch in.State {
	case deploy.DriverError:
		w.note(Warn, n, "driver failed with unrecoverable exception")
	case deploy.DriverFailed:
		w.note(Warn, n, "driver exited with failure")
	case deploy.DriverFinished:
		w.note(Info, n, "driver exited successfully")
	case deploy.DriverKilled:
		w.note(Info, n, "driver was killed by user")
	}
	w.tell(deploy.DriverStateChanged{DriverID: in.ID, State: in.State, Exception: in.Exception})
	d.State = in.State
	delete(w.drivers, in.ID)
	w.finishedDrivers = retain(w.finishedDrivers, *d, w.cfg.Retained)
}
