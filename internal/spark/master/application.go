package master

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Application is an application as the Master knows it.
type Application struct {
	AppRecord
	State AppState
	Ended time.Time // zero while it lives

	executors map[int]*Executor
	removed   []*Executor
	profiles  map[int]*profile
	granted   int // cores
	nextExec  int
	failures  int // of executors, since one ran
}

// profile is what the executors of one resource profile need, and how many there are to be.
type profile struct {
	cores     int // 0 if nobody said: an executor takes all that its Worker gives
	memory    int // MiB
	resources []deploy.ResourceRequirement
	target    int
}

// defaultMemory is an executor's, of an application that does not say; in MiB.
const defaultMemory = 1024

// maxProfiles is how many resource profiles an application may come with.
const maxProfiles = 1000

func newApplication(r AppRecord) *Application {
	a := &Application{AppRecord: r, executors: make(map[int]*Executor), profiles: make(map[int]*profile)}
	target := unlimited
	if r.Desc.InitialExecutorLimit != nil {
		target = *r.Desc.InitialExecutorLimit
	}
	a.learn(r.Desc.DefaultProfile).target = target
	return a
}

// learn takes note of a profile. What it does not say, the default profile does.
func (a *Application) learn(p deploy.ResourceProfile) *profile {
	if known := a.profiles[p.ID]; known != nil {
		return known
	}
	base := profile{memory: defaultMemory}
	if standard := a.profiles[a.Desc.DefaultProfile.ID]; standard != nil {
		base = profile{cores: standard.cores, memory: standard.memory}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Executors)) {
		amount := int(min(max(p.Executors[name].Amount, 0), math.MaxInt32))
		switch name {
		case deploy.ResourceCores:
			base.cores = amount
		case deploy.ResourceMemory:
			base.memory = amount
		case deploy.ResourceOverhead, deploy.ResourcePython, deploy.ResourceOffHeap: // not counted, as with Spark
		default:
			base.resources = append(base.resources, deploy.ResourceRequirement{ResourceName: name, Amount: amount, NumParts: 1})
		}
	}
	a.profiles[p.ID] = &base
	return &base
}

// coresLeft is how many more an application may have.
func (m *Master) coresLeft(a *Application) int {
	most := m.cfg.DefaultCores
	if a.Desc.MaxCores != nil {
		most = *a.Desc.MaxCores
	}
	return most - a.granted
}

// count is how many executors of a profile there are.
func (a *Application) count(profile int) (n int) {
	for _, e := range a.executors {
		if e.Profile == profile {
			n++
		}
	}
	return n
}

// addExecutor makes an executor, with a new id unless it has one.
func (a *Application) addExecutor(e *Executor) {
	if e.ID < 0 {
		e.ID = a.nextExec
	}
	a.nextExec = max(a.nextExec, e.ID+1)
	e.App = a
	a.executors[e.ID] = e
	a.granted += e.Cores
}

func (a *Application) removeExecutor(e *Executor) {
	if a.executors[e.ID] == e {
		delete(a.executors, e.ID)
		a.granted -= e.Cores
		a.removed = retain(a.removed, 100, e)
	}
}

// registerApplication takes in an application. One that comes twice by one connection gets the id that
// it has; Spark's Master makes up another one.
func (m *Master) registerApplication(msg deploy.RegisterApplication, builds []*deploy.Build) {
	if m.state == Standby {
		return // the leader answers
	}
	n := Notice{Detail: msg.App.Name}
	if len(builds) != 1 || msg.Driver == (endpoint.Ref{}) {
		m.note(Error, n, "an application is of a Spark that is not supported, or does not say who it is: it gets no answer")
		return
	}
	for _, a := range m.apps {
		if a.Driver == msg.Driver {
			m.note(Info, Notice{App: a.ID}, "the application is registered already")
			m.registered(a)
			return
		}
	}
	if len(m.apps) >= m.cfg.MaxListed {
		m.note(Error, n, "there are %d applications, which is the limit: one more gets no answer", len(m.apps))
		return
	}
	a := newApplication(AppRecord{ID: m.newAppID(), Submitted: m.now.Wall, Desc: msg.App, Driver: msg.Driver, Build: builds[0]})
	m.apps, m.newApps = append(m.apps, a), append(m.newApps, a)
	n.App = a.ID
	m.note(Info, n, "registered an application of %v", a.Build)
	m.do(Save{a.AppRecord})
	m.registered(a)
	m.changed = true
}

func (m *Master) registered(a *Application) {
	m.do(Send{To: a.Driver, Build: a.Build, Message: deploy.RegisteredApplication{AppID: a.ID, Master: m.cfg.Self}})
}

// newAppID makes an id that no application has, not even one of the Master before.
func (m *Master) newAppID() string {
	for n := m.appNumber; ; n++ {
		id := fmt.Sprintf(m.cfg.AppIDPattern, m.now.Wall.Format(stamp), n)
		has := func(a *Application) bool { return a.ID == id }
		if slices.ContainsFunc(m.apps, has) || slices.ContainsFunc(m.completedApps, has) {
			continue
		}
		m.appNumber = n + 1
		if m.cfg.AppNumberModulo > 0 {
			m.appNumber %= m.cfg.AppNumberModulo
		}
		return id
	}
}

func (m *Master) unregisterApplication(msg deploy.UnregisterApplication) {
	if a := m.app(msg.AppID); a != nil {
		m.removeApplication(a, AppFinished)
	}
}

// killApplication ends an application because a person wants it, and tells it so. (Spark's Master says
// nothing to it, and it waits for executors for ever.)
func (m *Master) killApplication(id string) {
	if a := m.app(id); a != nil {
		m.removeApplication(a, AppKilled)
	}
}

// removeApplication is the door to the final states.
func (m *Master) removeApplication(a *Application, state AppState) {
	m.note(Info, Notice{App: a.ID, Detail: a.Desc.Name}, "an application is %v", state)
	m.apps = remove(m.apps, a)
	m.completedApps = retain(m.completedApps, m.cfg.RetainedApps, a)
	for _, id := range slices.Sorted(maps.Keys(a.executors)) {
		m.killExecutor(a.executors[id])
	}
	a.State, a.Ended = state, m.now.Wall
	if state != AppFinished {
		m.do(Send{To: a.Driver, Build: a.Build, Message: deploy.ApplicationRemoved{Message: state.String()}})
	}
	m.do(Forget{a.Key()})
	for _, w := range m.workers {
		if w.State != WorkerDead {
			m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.ApplicationFinished{ID: a.ID}})
		}
	}
	m.changed = true
}

// requestExecutors sets how many executors an application wants, and tells whether it is known. A lower
// number kills none: the application says which are to go.
func (m *Master) requestExecutors(msg deploy.RequestExecutors) bool {
	a := m.app(msg.AppID)
	if a == nil {
		m.note(Warn, Notice{App: msg.AppID}, "an application that is not registered wants executors")
		return false
	}
	for _, total := range msg.Totals {
		if len(a.profiles) >= maxProfiles && a.profiles[total.Profile.ID] == nil {
			m.note(Error, Notice{App: a.ID}, "the application has more than %d resource profiles: no more are taken", maxProfiles)
			return false
		}
		a.learn(total.Profile).target = total.Total
	}
	m.note(Info, Notice{App: a.ID}, "the application wants %s", describeTotals(msg.Totals))
	m.changed = true
	return true
}

func describeTotals(totals deploy.ProfileTotals) string {
	said := ""
	for _, t := range totals {
		if said != "" {
			said += ", "
		}
		said += fmt.Sprintf("%d executors of profile %d", t.Total, t.Profile.ID)
	}
	return said
}

// app finds an application that is not over.
func (m *Master) app(id string) *Application {
	for _, a := range m.apps {
		if a.ID == id {
			return a
		}
	}
	return nil
}
