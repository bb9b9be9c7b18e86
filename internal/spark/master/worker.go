package master

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Worker is a Worker as the Master knows it.
type Worker struct {
	WorkerRecord
	State WorkerState
	Heard core.Time // the last heartbeat

	executors  []*Executor // in order of their launch
	drivers    []*Driver
	coresUsed  int
	memoryUsed int
}

func (w *Worker) alive() bool     { return w.State == WorkerAlive }
func (w *Worker) coresFree() int  { return w.Cores - w.coresUsed }
func (w *Worker) memoryFree() int { return w.Memory - w.memoryUsed }

// maxCores is more than any machine has. Placing takes time that grows with it, so what is above is
// taken for a mistake or for worse.
const maxCores = 1 << 16

// registerWorker takes in a Worker, or tells it why not.
func (m *Master) registerWorker(msg deploy.RegisterWorker, builds []*deploy.Build) {
	n := Notice{Worker: msg.ID, Detail: fmt.Sprintf("%d cores, %d MiB", msg.Cores, msg.Memory)}
	if len(builds) != 1 || msg.Worker == (endpoint.Ref{}) {
		m.note(Error, n, "a Worker is of a Spark that is not supported, or does not say who it is: it gets no answer")
		return
	}
	build := builds[0]
	if m.state == Standby {
		m.do(Send{To: msg.Worker, Build: build, Message: deploy.MasterInStandby{}})
		return
	}
	if w := m.worker(msg.ID); w != nil {
		m.registerAgain(w, msg)
		return
	}
	if refusal := m.refusal(msg); refusal != "" {
		m.note(Warn, n, "a Worker is turned away: %s", refusal)
		m.do(Send{To: msg.Worker, Build: build, Message: deploy.RegisterWorkerFailed{Message: refusal}})
		return
	}
	w := &Worker{Heard: m.now, WorkerRecord: WorkerRecord{
		ID: msg.ID, Host: msg.Host, Port: msg.Port, Cores: msg.Cores, Memory: msg.Memory, WebUI: msg.WebUI,
		Ref: msg.Worker, Build: build, Resources: msg.Resources,
	}}
	m.addWorker(w)
	m.note(Info, n, "registered a Worker of %v", build)
	m.do(Save{w.WorkerRecord})
	m.welcome(w, msg, false)
	m.changed = true
}

// registerAgain answers a Worker that is registered already. What is sent to it takes its newest
// connection from now on: the one before may be gone without our knowledge.
func (m *Master) registerAgain(w *Worker, msg deploy.RegisterWorker) {
	w.Ref, w.Heard = msg.Worker, m.now
	if w.State == WorkerUnknown {
		// It came back before it heard of us. Spark would have it kill what runs there; we ask.
		m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.MasterChanged{Master: m.cfg.Self, MasterWebUI: m.cfg.WebUI}})
		return
	}
	m.welcome(w, msg, true)
}

func (m *Master) welcome(w *Worker, msg deploy.RegisterWorker, duplicate bool) {
	m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.RegisteredWorker{
		Master: m.cfg.Self, MasterWebUI: m.cfg.WebUI, MasterAddress: msg.MasterAddress, Duplicate: duplicate,
	}})
}

// refusal says why a new Worker cannot be taken in; empty if it can. A Worker that the last Master knew
// at this address, and that has not been heard of, is replaced.
func (m *Master) refusal(msg deploy.RegisterWorker) string {
	switch {
	case msg.ID == "":
		return "the Worker has no id"
	case msg.Cores < 1 || msg.Cores > maxCores || msg.Memory < 1:
		return fmt.Sprintf("%d cores and %d MiB: expected 1 to %d cores and some memory", msg.Cores, msg.Memory, maxCores)
	}
	if len(m.workers) >= m.cfg.MaxListed {
		return fmt.Sprintf("there are %d Workers, which is the limit", len(m.workers))
	}
	for _, old := range slices.Clone(m.workers) {
		switch {
		case old.State == WorkerDead && old.ID == msg.ID, old.State == WorkerDead && old.Host == msg.Host && old.Port == msg.Port:
			m.workers = remove(m.workers, old)
		case old.State == WorkerDead || old.Ref.Address != msg.Worker.Address || old.Ref.Address.IsZero():
		case old.State == WorkerUnknown:
			m.removeWorker(old, "Worker replaced by a new worker with same address")
			m.workers = remove(m.workers, old)
		default:
			return "Attempted to re-register worker at same address: " + msg.Worker.Address.String()
		}
	}
	return ""
}

func (m *Master) heartbeat(msg deploy.Heartbeat) {
	if w := m.worker(msg.WorkerID); w != nil {
		w.Heard = m.now
		return
	}
	n := Notice{Worker: msg.WorkerID}
	at := slices.IndexFunc(m.workers, func(w *Worker) bool { return w.ID == msg.WorkerID })
	if at < 0 {
		m.note(Warn, n, "a heartbeat of a Worker that was never registered is ignored")
		return
	}
	m.note(Warn, n, "a heartbeat of a Worker that was given up: it is asked to register again")
	m.do(Send{To: msg.Worker, Build: m.workers[at].Build, Message: deploy.ReconnectWorker{MasterURL: m.cfg.Self.Address.URL()}})
}

// latestState has a Worker end what the Master does not know to run there.
func (m *Master) latestState(msg deploy.WorkerLatestState) {
	w := m.worker(msg.ID)
	if w == nil {
		m.note(Warn, Notice{Worker: msg.ID}, "the state of an unknown Worker is ignored")
		return
	}
	if w.State == WorkerUnknown { // what it runs will come with its schedulerState
		return
	}
	for _, e := range msg.Executors {
		if w.executor(e.AppID, e.ExecID) == nil {
			m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.KillExecutor{MasterURL: m.cfg.Self.Address.URL(), AppID: e.AppID, ExecID: e.ExecID}})
		}
	}
	for _, id := range msg.DriverIDs {
		if !slices.ContainsFunc(w.drivers, func(d *Driver) bool { return d.ID == id }) {
			m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.KillDriver{DriverID: id}})
		}
	}
}

// timeOutWorkers gives up Workers that are silent, and drops those that have been dead for long.
func (m *Master) timeOutWorkers() {
	for _, w := range slices.Clone(m.workers) {
		silent := m.now.Mono - w.Heard.Mono
		switch {
		case silent <= m.cfg.WorkerTimeout:
		case w.State != WorkerDead:
			m.removeWorker(w, fmt.Sprintf("Not receiving heartbeat for %d seconds", int(m.cfg.WorkerTimeout/time.Second)))
		case silent > time.Duration(m.cfg.DeadIterations+1)*m.cfg.WorkerTimeout:
			m.workers = remove(m.workers, w)
		}
	}
}

// removeWorker is the door to WorkerDead: everybody is told who has lost something.
func (m *Master) removeWorker(w *Worker, why string) {
	m.note(Warn, Notice{Worker: w.ID, Detail: why}, "a Worker is lost")
	w.State = WorkerDead
	m.changed = true
	for _, e := range slices.Clone(w.executors) {
		m.loseExecutor(e, deploy.ExecutorLost, "worker lost: "+why)
		w.dropExecutor(e)
	}
	for _, d := range slices.Clone(w.drivers) {
		if d.Desc.Supervise {
			m.relaunchDriver(d)
		} else {
			m.removeDriver(d, deploy.DriverError, nil)
		}
	}
	for _, a := range m.apps {
		m.do(Send{To: a.Driver, Build: a.Build, Message: deploy.WorkerRemoved{ID: w.ID, Host: w.Host, Message: why}})
	}
	m.do(Forget{w.Key()})
}

// workerDecommissioning is a Worker's own word that it goes.
func (m *Master) workerDecommissioning(msg deploy.WorkerDecommissioning) {
	if w := m.worker(msg.ID); w != nil && m.state != Standby {
		m.decommission(w)
	}
}

// decommissionHosts has the Workers of some hosts go, and says how many there are.
func (m *Master) decommissionHosts(hosts []string) int {
	if m.state == Standby {
		return 0
	}
	count := 0
	for _, w := range m.workers {
		if w.State == WorkerDead || !slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, w.Ref.Address.Host) }) {
			continue
		}
		count++
		m.decommission(w)
		m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.DecommissionWorker{}})
	}
	return count
}

// decommission is the door to WorkerDecommissioned: what runs there may end, nothing new begins.
func (m *Master) decommission(w *Worker) {
	if w.State == WorkerDecommissioned {
		m.note(Warn, Notice{Worker: w.ID}, "the Worker is decommissioned already")
		return
	}
	m.note(Info, Notice{Worker: w.ID}, "a Worker is decommissioned")
	w.State = WorkerDecommissioned
	m.changed = true
	for _, e := range w.executors {
		m.loseExecutor(e, deploy.ExecutorDecommissioned, "worker decommissioned")
	}
	m.do(Forget{w.Key()})
}

// worker finds a Worker that is not dead.
func (m *Master) worker(id string) *Worker {
	for _, w := range m.workers {
		if w.ID == id && w.State != WorkerDead {
			return w
		}
	}
	return nil
}

func (m *Master) addWorker(w *Worker) {
	m.workers = insert(m.workers, w, func(w *Worker) string { return w.ID })
}

// reachedBy tells whether a connection that is gone was the way to an endpoint. An endpoint that came by
// no connection was dialled at its address.
func reachedBy(ref endpoint.Ref, in Disconnected) bool {
	if ref.Via != 0 {
		return ref.Via == in.Conn
	}
	return ref.Address == in.Address && !ref.Address.IsZero()
}
