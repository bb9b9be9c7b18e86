package master

import (
	"slices"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
)

// elected makes this Master the one that leads. If there was one before it, it asks everybody that that
// one knew to follow, and waits for their answers.
func (m *Master) elected(in Elected) {
	if m.state != Standby {
		return
	}
	m.check = m.now.Mono + m.cfg.WorkerTimeout
	if len(in.Known) == 0 {
		m.become(Alive)
		return
	}
	m.become(Recovering)
	m.began = m.now.Mono
	m.until = m.now.Mono + m.cfg.RecoveryTimeout
	changed := deploy.MasterChanged{Master: m.cfg.Self, MasterWebUI: m.cfg.WebUI}
	for _, r := range in.Known {
		switch r := r.(type) {
		case AppRecord:
			a := newApplication(r)
			a.State = AppUnknown
			m.apps = append(m.apps, a)
			m.do(Send{To: a.Driver, Build: a.Build, Message: changed})
		case DriverRecord:
			m.drivers = append(m.drivers, &Driver{DriverRecord: r})
		case WorkerRecord:
			w := &Worker{WorkerRecord: r, State: WorkerUnknown, Heard: m.now}
			m.addWorker(w)
			m.do(Send{To: w.Ref, Build: w.Build, Message: changed})
		}
	}
}

func (m *Master) become(s State) {
	m.state = s
	m.changed = true
	m.note(Info, Notice{}, "this Master is %v", s)
}

// changeAcknowledged is an application's word that it follows.
func (m *Master) changeAcknowledged(msg deploy.MasterChangeAcknowledged) {
	a := m.app(msg.AppID)
	if a == nil {
		m.note(Warn, Notice{App: msg.AppID}, "an unknown application follows this Master")
		return
	}
	m.note(Info, Notice{App: a.ID}, "the application is back")
	if a.State == AppUnknown {
		a.State = AppWaiting
	}
}

// schedulerState is what runs on a Worker that follows. It may come more than once.
func (m *Master) schedulerState(msg deploy.WorkerSchedulerStateResponse) {
	w := m.worker(msg.ID)
	if w == nil {
		m.note(Warn, Notice{Worker: msg.ID}, "an unknown Worker follows this Master")
		return
	}
	m.note(Info, Notice{Worker: w.ID}, "the Worker is back")
	w.Heard = m.now
	if w.State == WorkerUnknown {
		w.State = WorkerAlive
	}
	for _, r := range msg.Executors {
		m.adoptExecutor(w, r)
	}
	for _, r := range msg.Drivers {
		m.adoptDriver(w, r)
	}
	m.changed = true
}

// adoptExecutor counts an executor of the last Master. One whose application is gone is ended, where
// Spark's Master leaves it to itself.
func (m *Master) adoptExecutor(w *Worker, r deploy.WorkerExecutorStateResponse) {
	a := m.app(r.Desc.AppID)
	switch {
	case a == nil:
		m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.KillExecutor{
			MasterURL: m.cfg.Self.Address.URL(), AppID: r.Desc.AppID, ExecID: r.Desc.ExecID,
		}})
	case a.executors[r.Desc.ExecID] != nil || r.Desc.ExecID < 0 || r.Desc.Cores < 0 || r.Desc.Memory < 0:
	default:
		e := &Executor{
			ID: r.Desc.ExecID, Worker: w, Profile: r.Desc.RPID, Cores: r.Desc.Cores, Memory: r.Desc.Memory,
			Resources: r.Resources, State: r.Desc.State,
		}
		a.addExecutor(e)
		w.hold(e)
	}
}

// adoptDriver counts a driver of the last Master.
func (m *Master) adoptDriver(w *Worker, r deploy.WorkerDriverStateResponse) {
	d := m.driver(r.DriverID)
	if d == nil || d.Worker != nil || !slices.Contains(m.drivers, d) || slices.Contains(m.waitingDrivers, d) {
		return
	}
	d.Worker, d.State, d.Resources = w, deploy.DriverRunning, r.Resources
	w.holdDriver(d)
}

// allHeard tells whether everybody that the last Master knew has answered.
func (m *Master) allHeard() bool {
	return !slices.ContainsFunc(m.workers, func(w *Worker) bool { return w.State == WorkerUnknown }) &&
		!slices.ContainsFunc(m.apps, func(a *Application) bool { return a.State == AppUnknown })
}

// completeRecovery gives up those that have not answered, and begins to schedule.
func (m *Master) completeRecovery() {
	m.until = core.Never
	if m.state != Recovering {
		return
	}
	m.become(CompletingRecovery)
	for _, w := range slices.Clone(m.workers) {
		if w.State == WorkerUnknown {
			m.removeWorker(w, "Not responding for recovery")
		}
	}
	for _, a := range slices.Clone(m.apps) {
		switch a.State {
		case AppUnknown:
			m.removeApplication(a, AppFinished)
		case AppWaiting:
			a.State = AppRunning
		}
	}
	for _, d := range slices.Clone(m.drivers) {
		switch {
		case d.Worker != nil || slices.Contains(m.waitingDrivers, d):
		case d.Desc.Supervise:
			m.relaunchDriver(d)
		default:
			m.removeDriver(d, deploy.DriverError, nil)
		}
	}
	m.become(Alive)
	m.note(Info, Notice{}, "recovery took %v", m.now.Mono-m.began)
}
