package worker

import (
	"maps"
	"slices"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// received handles a message of a Master.
func (w *Worker) received(now core.Time, m deploy.Message) {
	switch m := m.(type) {
	case deploy.RegisteredWorker:
		w.welcomed(now, m)
	case deploy.RegisterWorkerFailed:
		w.refused(m)
	case deploy.MasterInStandby: // another Master will answer
	case deploy.MasterChanged:
		w.masterChanged(m)
	case deploy.ReconnectWorker:
		w.note(Info, Notice{Master: m.MasterURL}, "the Master asked us to register again")
		w.register(now)
	case deploy.LaunchExecutor:
		w.launchExecutor(m)
	case deploy.KillExecutor:
		w.killExecutor(m)
	case deploy.LaunchDriver:
		w.launchDriver(m)
	case deploy.KillDriver:
		w.killDriver(m)
	case deploy.ApplicationFinished:
		w.note(Debug, Notice{App: m.ID}, "application is over")
		w.finished[m.ID] = true
		w.removeIfOver(m.ID)
	case deploy.DecommissionWorker:
		w.decommission()
	default:
		w.note(Warn, Notice{}, "message %T is none for a Worker", m)
	}
}

// register begins to look for a Master, unless that has begun already.
func (w *Worker) register(now core.Time) {
	if w.retryAt != core.Never {
		w.note(Info, Notice{}, "registration is on its way already")
		return
	}
	w.registered = false
	w.attempts = 0
	w.retryPeriod = w.cfg.fuzzed(initialRetryPeriod)
	w.retryAt = now.Mono + w.retryPeriod
	w.registerWith(w.cfg.Masters)
}

// registerAgain is one more attempt. A Worker that had a Master wants that one back.
func (w *Worker) registerAgain(now core.Time) {
	w.attempts++
	if w.attempts > w.cfg.MaxRetries {
		w.retryAt = core.Never
		w.note(Error, Notice{Master: w.masterURL()}, "All masters are unresponsive! Giving up.")
		w.exit(1, "all Masters are unresponsive")
		return
	}
	w.note(Info, Notice{Master: w.masterURL()}, "retrying to register, attempt %d of %d", w.attempts, w.cfg.MaxRetries)
	switch {
	case w.master == nil:
		w.registerWith(w.cfg.Masters)
	case w.cfg.PreferConfigured:
		w.registerWith([]endpoint.Address{w.dialled})
	default:
		w.registerWith([]endpoint.Address{w.master.Address})
	}
	if w.attempts == w.cfg.InitialRetries {
		w.retryPeriod = w.cfg.fuzzed(prolongedRetryPeriod)
	}
	w.retryAt = now.Mono + w.retryPeriod
}

func (w *Worker) registerWith(masters []endpoint.Address) {
	for _, m := range masters {
		w.note(Info, Notice{Master: m.URL()}, "connecting to a Master")
		w.do(Register{To: m, Message: deploy.RegisterWorker{
			ID: w.cfg.ID, Host: w.cfg.Self.Address.Host, Port: w.cfg.Self.Address.Port, Worker: w.cfg.Self,
			Cores: w.cfg.Cores, Memory: w.cfg.Memory, WebUI: w.cfg.WebUI, MasterAddress: m, Resources: w.cfg.Resources,
		}})
	}
}

func (w *Worker) welcomed(now core.Time, m deploy.RegisteredWorker) {
	w.follow(m.Master, m.MasterWebUI, m.MasterAddress)
	w.registered = true
	if m.Duplicate {
		w.note(Warn, Notice{Master: w.masterURL()}, "the Master had us registered already")
	}
	w.note(Info, Notice{Master: w.masterURL()}, "registered with the Master")
	w.heartbeatAt = now.Mono
	if w.cleanupAt == core.Never && !w.cfg.NoCleanup {
		w.cleanupAt = now.Mono + w.cfg.CleanupInterval
	}
	w.do(Send{To: m.Master, Message: deploy.WorkerLatestState{
		ID: w.cfg.ID, Executors: w.describeExecutors(), DriverIDs: slices.Sorted(maps.Keys(w.drivers)),
	}})
	w.tellBacklog()
	w.tick(now)
}

// follow makes a Master the active one.
func (w *Worker) follow(master endpoint.Ref, ui string, dialled endpoint.Address) {
	w.master, w.masterUI, w.dialled = &master, ui, dialled
	w.connected = true
	w.retryAt = core.Never
}

func (w *Worker) refused(m deploy.RegisterWorkerFailed) {
	if w.registered {
		return
	}
	w.note(Error, Notice{Master: w.masterURL(), Detail: m.Message}, "the Master refused the registration")
	w.exit(1, "worker registration failed: "+m.Message)
}

// masterChanged follows a Master that took over, and tells it what runs here.
func (w *Worker) masterChanged(m deploy.MasterChanged) {
	w.follow(m.Master, m.MasterWebUI, m.Master.Address)
	w.note(Info, Notice{Master: w.masterURL()}, "the Master has changed")
	state := deploy.WorkerSchedulerStateResponse{ID: w.cfg.ID}
	for _, id := range sortedExecutors(w.executors) {
		e := w.executors[id]
		state.Executors = append(state.Executors, deploy.WorkerExecutorStateResponse{Desc: e.describe(), Resources: e.Launch.Resources})
	}
	for _, id := range slices.Sorted(maps.Keys(w.drivers)) {
		state.Drivers = append(state.Drivers, deploy.WorkerDriverStateResponse{DriverID: id, Resources: w.drivers[id].Launch.Resources})
	}
	w.do(Send{To: m.Master, Message: state})
	w.tellBacklog()
}

func (w *Worker) describeExecutors() []deploy.ExecutorDescription {
	var all []deploy.ExecutorDescription
	for _, id := range sortedExecutors(w.executors) {
		all = append(all, w.executors[id].describe())
	}
	return all
}

// disconnected looks for the Master again if it was the Master's connection. What runs here goes on.
func (w *Worker) disconnected(now core.Time, in Disconnected) {
	if w.master == nil || !w.connected || in.Conn != w.master.Via {
		return
	}
	w.note(Error, Notice{Master: w.masterURL()}, "Connection to master failed! Waiting for master to reconnect...")
	w.connected = false
	w.register(now)
}
