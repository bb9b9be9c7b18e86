package worker

import (
	"maps"
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// View is a Worker as people see it. It shares nothing that changes.
type View struct {
	ID                string
	MasterURL         string
	MasterWebUI       string
	Connected         bool
	Cores, CoresUsed  int
	Memory            int
	MemoryUsed        int
	Resources         map[string]deploy.Resource
	ResourcesUsed     map[string]deploy.Resource
	Executors         []Executor
	FinishedExecutors []Executor
	Drivers           []Driver
	FinishedDrivers   []Driver
}

// View describes the Worker as it is.
func (w *Worker) View() View {
	v := View{
		ID: w.cfg.ID, MasterURL: w.masterURL(), MasterWebUI: w.masterUI, Connected: w.connected,
		Cores: w.cfg.Cores, Memory: w.cfg.Memory, Resources: w.cfg.Resources, ResourcesUsed: make(map[string]deploy.Resource),
		FinishedExecutors: slices.Clone(w.finishedExecutors), FinishedDrivers: slices.Clone(w.finishedDrivers),
	}
	use := func(cores, memory int, resources map[string]deploy.Resource) {
		v.CoresUsed += cores
		v.MemoryUsed += memory
		for name, r := range resources {
			used := v.ResourcesUsed[name]
			v.ResourcesUsed[name] = deploy.Resource{Name: name, Addresses: slices.Concat(used.Addresses, r.Addresses)}
		}
	}
	for _, id := range sortedExecutors(w.executors) {
		e := *w.executors[id]
		use(e.Launch.Cores, e.Launch.Memory, e.Launch.Resources)
		v.Executors = append(v.Executors, e)
	}
	for _, id := range slices.Sorted(maps.Keys(w.drivers)) {
		d := *w.drivers[id]
		use(d.Launch.Driver.Cores, d.Launch.Driver.Memory, d.Launch.Resources)
		v.Drivers = append(v.Drivers, d)
	}
	return v
}
