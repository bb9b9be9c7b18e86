package master

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// schedule gives what is free to what waits: drivers first, then applications in the order in which they
// came, and of each its resource profiles by their ids.
func (m *Master) schedule() {
	m.placeDrivers()
	if slices.ContainsFunc(m.workers, func(w *Worker) bool { return w.alive() && w.coresFree() > 0 }) {
		for _, a := range m.apps {
			for _, id := range slices.Sorted(maps.Keys(a.profiles)) {
				m.placeExecutors(a, id)
			}
		}
	}
	m.noteWaiting()
}

// placeDrivers launches waiting drivers, each on the next Worker that has room. Spark's Master goes round
// its Workers in random order; ours in order of their ids, from the one after the last that got a driver.
func (m *Master) placeDrivers() {
	for _, d := range slices.Clone(m.waitingDrivers) {
		if len(m.drivers)-len(m.waitingDrivers) >= m.cfg.MaxDrivers {
			return
		}
		if w := m.workerFor(d); w != nil {
			m.launchDriver(w, d)
		}
	}
}

func (m *Master) workerFor(d *Driver) *Worker {
	first := 0
	if !m.cfg.ConsolidateDrivers {
		first = max(0, slices.IndexFunc(m.workers, func(w *Worker) bool { return w.ID > m.lastDriverTo }))
	}
	for i := range m.workers {
		w := m.workers[(first+i)%len(m.workers)]
		if w.alive() && slices.Contains(d.Builds, w.Build) && w.fits(d.Desc.Cores, d.Desc.Memory, d.Desc.ResourceReqs) {
			return w
		}
	}
	return nil
}

func (m *Master) launchDriver(w *Worker, d *Driver) {
	m.note(Info, Notice{Driver: d.ID, Worker: w.ID}, "launching a driver")
	m.lastDriverTo = w.ID
	m.waitingDrivers = remove(m.waitingDrivers, d)
	d.Resources = w.acquire(d.Desc.ResourceReqs)
	w.holdDriver(d)
	d.Worker, d.State = w, deploy.DriverRunning
	m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.LaunchDriver{DriverID: d.ID, Driver: d.Desc, Resources: d.Resources}})
}

// placeExecutors launches as many executors of a profile as are wanted and as there is room for.
func (m *Master) placeExecutors(a *Application, id int) {
	p := a.profiles[id]
	least := max(p.cores, 1)
	wanted := p.target - a.count(id)
	if wanted <= 0 || m.coresLeft(a) < least {
		return
	}
	usable := slices.DeleteFunc(slices.Clone(m.workers), func(w *Worker) bool {
		return !w.alive() || w.Build != a.Build || !w.fits(least, p.memory, p.resources)
	})
	slices.SortStableFunc(usable, m.cfg.Selection.order())
	cores := assign(usable, p, min(m.coresLeft(a), unlimited), wanted, m.cfg.Consolidate)
	for i, w := range usable {
		m.launchExecutors(a, id, w, cores[i])
	}
}

// order compares Workers. Those that are equal come in order of their ids, from the end where the order
// is from the end: what Spark's sorting gives.
func (s Selection) order() func(a, b *Worker) int {
	byID := func(a, b *Worker) int { return cmp.Compare(a.ID, b.ID) }
	by := func(key func(*Worker) int) func(a, b *Worker) int {
		return func(a, b *Worker) int { return cmp.Or(cmp.Compare(key(a), key(b)), byID(a, b)) }
	}
	reverse := func(order func(a, b *Worker) int) func(a, b *Worker) int {
		return func(a, b *Worker) int { return order(b, a) }
	}
	switch s {
	case CoresFreeAsc:
		return by((*Worker).coresFree)
	case MemoryFreeAsc:
		return by((*Worker).memoryFree)
	case MemoryFreeDesc:
		return reverse(by((*Worker).memoryFree))
	case ByWorkerID:
		return byID
	}
	return reverse(by((*Worker).coresFree))
}

// assign says how many cores of each Worker a profile's new executors get, when cores are left for the
// application and so many executors are wanted. Executors whose cores are known get them one executor at a
// time, so that no core is given that makes no whole executor; others get core after core, one executor
// on each Worker. Spread out, every Worker has its turn; consolidated, a Worker is filled before the
// next.
func assign(workers []*Worker, p *profile, left, wanted int, consolidate bool) []int {
	step := max(p.cores, 1)
	single := p.cores == 0 // one executor on each Worker, that grows
	cores := make([]int, len(workers))
	count := make([]int, len(workers))
	room := make([]int, len(workers)) // for how many executors, memory and resources suffice
	for i, w := range workers {
		room[i] = w.copies(p.resources)
		if p.memory > 0 {
			room[i] = min(room[i], w.memoryFree()/p.memory)
		}
	}
	takes := func(i int) bool {
		if left < step || workers[i].coresFree()-cores[i] < step {
			return false
		}
		return single && count[i] == 1 || wanted > 0 && count[i] < room[i]
	}
	give := func(i int) {
		left -= step
		cores[i] += step
		if !single || count[i] == 0 {
			count[i]++
			wanted--
		}
	}
	for given := true; given; {
		given = false
		for i := range workers {
			for takes(i) {
				give(i)
				given = true
				if !consolidate {
					break
				}
			}
		}
	}
	return cores
}

// launchExecutors turns cores of a Worker into executors.
func (m *Master) launchExecutors(a *Application, id int, w *Worker, cores int) {
	p := a.profiles[id]
	each := p.cores
	if each == 0 {
		each = cores
	}
	for ; cores > 0; cores -= each {
		e := &Executor{ID: -1, Worker: w, Profile: id, Cores: each, Memory: p.memory, Resources: w.acquire(p.resources)}
		a.addExecutor(e)
		w.hold(e)
		m.note(Info, Notice{App: a.ID, Exec: &e.ID, Worker: w.ID}, "launching an executor")
		m.do(Send{To: w.Ref, Build: w.Build, Message: deploy.LaunchExecutor{
			MasterURL: m.cfg.Self.Address.URL(), AppID: a.ID, ExecID: e.ID, RPID: id,
			App: a.Desc, Cores: e.Cores, Memory: e.Memory, Resources: e.Resources,
		}})
		m.do(Send{To: a.Driver, Build: a.Build, Message: deploy.ExecutorAdded{
			ID: e.ID, WorkerID: w.ID, HostPort: fmt.Sprintf("%s:%d", w.Host, w.Port), Cores: e.Cores, Memory: e.Memory,
		}})
		a.State = AppRunning
	}
}
