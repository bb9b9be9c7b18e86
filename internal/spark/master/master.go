package master

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
)

// Master is the state machine. Make one with New.
type Master struct {
	cfg   Config
	now   core.Time
	out   []Output
	state State
	check time.Duration // when Workers are looked through
	until time.Duration // when recovery is completed, whoever is missing
	began time.Duration // recovery

	workers []*Worker // by id; dead ones are among them until they are dropped
	apps    []*Application
	drivers []*Driver // in order of their submission

	waitingDrivers   []*Driver
	newApps          []*Application // since it was scheduled last
	newDrivers       []*Driver
	completedApps    []*Application
	completedDrivers []*Driver

	appNumber    int
	driverNumber int
	lastDriverTo string // the Worker that got a driver last
	changed      bool   // there may be something to schedule
}

// New makes a Master that stands by.
func New(cfg Config) *Master {
	return &Master{cfg: cfg.orDefault(), check: core.Never, until: core.Never}
}

// Step handles an input and says what is to be done.
func (m *Master) Step(now core.Time, in Input) []Output {
	m.now, m.out = now, nil
	switch in := in.(type) {
	case Elected:
		m.elected(in)
	case Tick:
		m.tick()
	case Received:
		m.received(in)
	case Asked:
		m.asked(in)
	case Disconnected:
		m.disconnected(in)
	case KillApplication:
		m.killApplication(in.ID)
	}
	if m.state == Recovering && m.allHeard() {
		m.completeRecovery()
	}
	if m.changed && m.state == Alive {
		m.changed = false
		m.schedule()
	}
	return m.out
}

// Deadline is when the next Tick is due.
func (m *Master) Deadline() time.Duration { return min(m.check, m.until) }

func (m *Master) tick() {
	if m.now.Mono >= m.until {
		m.completeRecovery()
	}
	if m.now.Mono >= m.check {
		m.check = m.now.Mono + m.cfg.WorkerTimeout
		m.timeOutWorkers()
	}
}

// received handles a message that nobody waits for.
func (m *Master) received(in Received) {
	switch msg := in.Message.(type) {
	case deploy.RegisterWorker:
		m.registerWorker(msg, in.Builds)
	case deploy.Heartbeat:
		m.heartbeat(msg)
	case deploy.WorkerLatestState:
		m.latestState(msg)
	case deploy.WorkerSchedulerStateResponse:
		m.schedulerState(msg)
	case deploy.WorkerDecommissioning:
		m.workerDecommissioning(msg)
	case deploy.DriverStateChanged:
		m.driverChanged(msg)
	case deploy.RegisterApplication:
		m.registerApplication(msg, in.Builds)
	case deploy.UnregisterApplication:
		m.unregisterApplication(msg)
	case deploy.MasterChangeAcknowledged:
		m.changeAcknowledged(msg)
	default:
		m.note(Warn, Notice{}, "message %T is none for a Master", msg)
	}
}

// asked handles a question.
func (m *Master) asked(in Asked) {
	var answer any
	switch msg := in.Message.(type) {
	case deploy.ExecutorStateChanged:
		m.executorChanged(msg)
		answer = true
	case deploy.RequestExecutors:
		answer = m.requestExecutors(msg)
	case deploy.KillExecutors:
		answer = m.killExecutors(msg)
	case deploy.RequestSubmitDriver:
		answer = m.submitDriver(msg, in.Builds)
	case deploy.RequestKillDriver:
		answer = m.requestKillDriver(msg)
	case deploy.RequestKillAllDrivers:
		answer = m.killAllDrivers()
	case deploy.RequestDriverStatus:
		answer = m.driverStatus(msg)
	case deploy.RequestClearCompletedDriversAndApps:
		m.note(Info, Notice{}, "%d completed drivers and %d completed applications are forgotten", len(m.completedDrivers), len(m.completedApps))
		m.completedDrivers, m.completedApps = nil, nil
		answer = true
	case deploy.RequestReadyz:
		answer = m.state != Standby
	case deploy.DecommissionWorkersOnHosts:
		answer = m.decommissionHosts(msg.Hostnames)
	default:
		m.note(Warn, Notice{}, "question %T is none for a Master", msg)
		answer = false
	}
	m.do(Reply{Call: in.Call, Value: answer, Builds: in.Builds})
}

// disconnected gives up the Worker or the application at the other end.
func (m *Master) disconnected(in Disconnected) {
	for _, w := range slices.Clone(m.workers) {
		if w.State != WorkerDead && reachedBy(w.Ref, in) {
			m.removeWorker(w, w.Ref.Address.String()+" got disassociated")
		}
	}
	for _, a := range slices.Clone(m.apps) {
		if reachedBy(a.Driver, in) {
			m.note(Info, Notice{App: a.ID}, "the application's connection is gone")
			m.removeApplication(a, AppFinished)
		}
	}
}

func (m *Master) do(o Output) { m.out = append(m.out, o) }

func (m *Master) note(level Level, n Notice, format string, args ...any) {
	n.Level, n.Text = level, fmt.Sprintf(format, args...)
	m.do(n)
}

// stamp is the time in ids: Spark's, in the time zone of the machine.
const stamp = "20060102150405"

// retain keeps a list of what is over at a length: when it is full, a tenth of it goes.
func retain[T any](list []T, limit int, item T) []T {
	if len(list) >= limit {
		list = slices.Delete(list, 0, min(max(limit/10, 1), len(list)))
	}
	return append(list, item)
}

// insert adds to a list that is in order of ids.
func insert[T any](list []T, item T, id func(T) string) []T {
	at, _ := slices.BinarySearchFunc(list, item, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return slices.Insert(list, at, item)
}

// remove takes an item out.
func remove[T comparable](list []T, item T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(other T) bool { return other == item })
}
