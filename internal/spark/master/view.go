package master

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// View is what a Master knows, at one moment, for people and programs to read. It shares nothing with
// the Master that changes.
type View struct {
	URL   string
	State State

	Workers          []WorkerView // by id
	Apps             []AppView    // in the order in which they came
	CompletedApps    []AppView
	Drivers          []DriverView
	CompletedDrivers []DriverView
}

// WorkerView is a Worker in a View.
type WorkerView struct {
	WorkerRecord
	State         WorkerState
	Heard         time.Time
	CoresUsed     int
	MemoryUsed    int
	ResourcesUsed map[string]deploy.Resource
	Executors     int
	Drivers       int
}

// AppView is an application in a View.
type AppView struct {
	AppRecord
	State     AppState
	Ended     time.Time // zero while it lives
	Cores     int       // that it has
	Cap       int       // cores that it may have
	Memory    int       // of an executor, MiB
	PerExec   []deploy.ResourceRequirement
	Executors []ExecutorView
	Removed   []ExecutorView
	Waits     string
}

// ExecutorView is an executor in a View.
type ExecutorView struct {
	ID       int
	Profile  int
	WorkerID string
	WorkerUI string
	Cores    int
	Memory   int
	State    deploy.ExecutorState
}

// DriverView is a driver in a View.
type DriverView struct {
	DriverRecord
	State     deploy.DriverState
	WorkerID  string // empty while it waits
	WorkerUI  string
	MainClass string
	Resources map[string]deploy.Resource
	Waits     string
}

// View gives one.
func (m *Master) View() View {
	return View{
		URL: m.cfg.Self.Address.URL(), State: m.state,
		Workers: views(m.workers, (*Worker).view), Drivers: views(m.drivers, m.driverView), CompletedDrivers: views(m.completedDrivers, m.driverView),
		Apps: views(m.apps, m.appView), CompletedApps: views(m.completedApps, m.appView),
	}
}

func views[T, V any](list []T, view func(T) V) []V {
	out := make([]V, len(list))
	for i, item := range list {
		out[i] = view(item)
	}
	return out
}

func (w *Worker) view() WorkerView {
	v := WorkerView{
		WorkerRecord: w.WorkerRecord, State: w.State, Heard: w.Heard.Wall, CoresUsed: w.coresUsed, MemoryUsed: w.memoryUsed,
		Executors: len(w.executors), Drivers: len(w.drivers), ResourcesUsed: make(map[string]deploy.Resource),
	}
	for name, r := range w.Resources {
		free := w.free(name)
		used := slices.DeleteFunc(slices.Clone(r.Addresses), func(a string) bool { return slices.Contains(free, a) })
		v.ResourcesUsed[name] = deploy.Resource{Name: name, Addresses: used}
	}
	return v
}

func (m *Master) appView(a *Application) AppView {
	standard := a.profiles[a.Desc.DefaultProfile.ID]
	byID := func(x, y ExecutorView) int { return cmp.Compare(x.ID, y.ID) }
	return AppView{
		AppRecord: a.AppRecord, State: a.State, Ended: a.Ended, Cores: a.granted, Cap: m.coresLeft(a) + a.granted,
		Memory: standard.memory, PerExec: standard.resources, Waits: m.appWaits(a).text,
		Executors: slices.SortedFunc(maps.Values(mapped(a.executors, (*Executor).view)), byID), Removed: views(a.removed, (*Executor).view),
	}
}

func mapped[K comparable, T, V any](all map[K]T, view func(T) V) map[K]V {
	out := make(map[K]V, len(all))
	for k, item := range all {
		out[k] = view(item)
	}
	return out
}

func (e *Executor) view() ExecutorView {
	return ExecutorView{ID: e.ID, Profile: e.Profile, WorkerID: e.Worker.ID, WorkerUI: e.Worker.WebUI, Cores: e.Cores, Memory: e.Memory, State: e.State}
}

func (m *Master) driverView(d *Driver) DriverView {
	v := DriverView{DriverRecord: d.DriverRecord, State: d.State, MainClass: mainClass(d.Desc), Resources: d.Resources, Waits: m.driverWaits(d).text}
	if d.Worker != nil {
		v.WorkerID, v.WorkerUI = d.Worker.ID, d.Worker.WebUI
	}
	return v
}
