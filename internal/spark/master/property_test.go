package master_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	. "github.com/meseta/meseta/internal/spark/master"
)

// world is a Master among Workers, applications and drivers that do anything at any time. It counts for
// itself what runs where, from what the Master tells everybody.
type world struct {
	t      *rapid.T
	cfg    Config
	core   *Master
	now    core.Time
	conn   endpoint.ConnID
	saved  map[string]Record
	places map[string]string // executor or driver to its Worker's id
	used   map[string]map[string]share
	builds map[string]*deploy.Build // of Workers and applications, by id
	refs   map[endpoint.ConnID]string
	ids    map[string]bool // of executors, ever
}

// share is what something takes of its Worker.
type share struct {
	cores, memory int
	gpus          []string
}

func TestWhatIsGivenIsThereAndIsGivenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			t: t, now: core.Time{Mono: time.Hour, Wall: time.Unix(1_800_000_000, 0).UTC()},
			saved: make(map[string]Record), places: make(map[string]string), used: make(map[string]map[string]share),
			builds: make(map[string]*deploy.Build), refs: make(map[endpoint.ConnID]string), ids: make(map[string]bool),
		}
		w.cfg = Config{
			Self:        endpoint.Ref{Name: "Master", Address: endpoint.Address{Host: "m", Port: 7077}},
			Consolidate: rapid.Bool().Draw(t, "consolidate"), ConsolidateDrivers: rapid.Bool().Draw(t, "consolidate drivers"),
			Selection:      rapid.SampledFrom(slices.Sorted(maps.Values(Selections))).Draw(t, "selection"),
			MaxExecRetries: 3, RetainedApps: 3, RetainedDrivers: 3,
		}
		w.core = New(w.cfg)
		w.step(Elected{})
		t.Repeat(map[string]func(*rapid.T){
			"":            w.check,
			"worker":      w.worker,
			"application": w.application,
			"request":     w.request,
			"executor":    w.executor,
			"give back":   w.giveBack,
			"submit":      w.submit,
			"driver":      w.driver,
			"disconnect":  w.disconnect,
			"leave":       w.leave,
			"time":        w.time,
			"restart":     w.restart,
		})
	})
}

func (w *world) draw(n int, label string) int { return rapid.IntRange(0, n-1).Draw(w.t, label) }

func (w *world) build() *deploy.Build { return deploy.Builds()[w.draw(2, "build")] }

func (w *world) ref(name, host string) endpoint.Ref {
	w.conn++
	w.refs[w.conn] = host
	return endpoint.Ref{Name: name, Address: endpoint.Address{Host: host, Port: 5000}, Via: w.conn}
}

func (w *world) worker(*rapid.T) {
	id := fmt.Sprint("w", w.draw(5, "worker"))
	if _, known := w.builds[id]; !known {
		w.builds[id] = w.build()
	}
	w.step(Received{Builds: []*deploy.Build{w.builds[id]}, Message: deploy.RegisterWorker{
		ID: id, Host: id, Port: 5000, Worker: w.ref("Worker", id), Cores: 1 + w.draw(9, "cores"), Memory: 512 * (1 + w.draw(9, "memory")),
		Resources: gpus(w.draw(4, "gpus")),
	}})
}

func (w *world) profile(id int) deploy.ResourceProfile {
	p := deploy.ResourceProfile{ID: id, Executors: make(map[string]deploy.ExecutorResourceRequest)}
	for _, name := range []string{"cores", "memory", "gpu"} {
		n := w.draw(4, name)
		if name == "memory" {
			n *= 512
		}
		if n > 0 {
			p.Executors[name] = deploy.ExecutorResourceRequest{ResourceName: name, Amount: int64(n)}
		}
	}
	return p
}

func (w *world) application(*rapid.T) {
	b := w.build()
	app := deploy.ApplicationDescription{Name: "A", DefaultProfile: w.profile(0)}
	if n := w.draw(12, "max"); n > 0 {
		app.MaxCores = &n
	}
	if n := w.draw(5, "limit"); n > 0 {
		app.InitialExecutorLimit = &n
	}
	before := len(w.core.View().Apps)
	w.step(Received{Builds: []*deploy.Build{b}, Message: deploy.RegisterApplication{App: app, Driver: w.ref("AppClient", "driver")}})
	if after := w.core.View().Apps; len(after) == before+1 && after[before].Build != b {
		w.t.Fatalf("an application of %v is taken for one of %v", b, after[before].Build)
	}
}

func (w *world) app() string {
	apps := w.core.View().Apps
	if len(apps) == 0 {
		return "none"
	}
	return apps[w.draw(len(apps), "app")].ID
}

func (w *world) request(*rapid.T) {
	w.step(Asked{Message: deploy.RequestExecutors{AppID: w.app(), Totals: deploy.ProfileTotals{
		{Profile: w.profile(w.draw(3, "profile")), Total: w.draw(6, "total")},
	}}})
}

// pick is one of what runs.
func (w *world) pick(prefix string) string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(w.places)) {
		if id[:1] == prefix {
			all = append(all, id)
		}
	}
	if len(all) == 0 {
		return prefix + "pp-0/0"
	}
	return all[w.draw(len(all), "which")]
}

func split(id string) (app string, exec int) {
	at := slices.Index([]byte(id), '/')
	fmt.Sscan(id[at+1:], &exec)
	return id[:at], exec
}

func (w *world) executor(*rapid.T) {
	id := w.pick("a")
	app, exec := split(id)
	state := rapid.SampledFrom([]deploy.ExecutorState{deploy.ExecutorRunning, deploy.ExecutorExited, deploy.ExecutorKilled, deploy.ExecutorFailed}).Draw(w.t, "state")
	if state.Finished() {
		w.free(id)
	}
	w.step(Asked{Message: deploy.ExecutorStateChanged{AppID: app, ExecID: exec, State: state}})
}

func (w *world) giveBack(*rapid.T) {
	app, exec := split(w.pick("a"))
	w.step(Asked{Message: deploy.KillExecutors{AppID: app, ExecutorIDs: []string{fmt.Sprint(exec), "7", "x"}}})
}

func (w *world) submit(*rapid.T) {
	d := deploy.DriverDescription{Cores: w.draw(4, "cores"), Memory: 512 * w.draw(4, "memory"), Supervise: rapid.Bool().Draw(w.t, "supervise")}
	if n := w.draw(3, "gpus"); n > 0 {
		d.ResourceReqs = []deploy.ResourceRequirement{{ResourceName: "gpu", Amount: n}}
	}
	w.step(Asked{Builds: deploy.Builds()[:1+w.draw(2, "builds")], Message: deploy.RequestSubmitDriver{Driver: d}})
}

func (w *world) driver(*rapid.T) {
	id := w.pick("d")
	if rapid.Bool().Draw(w.t, "kill") {
		w.step(Asked{Message: deploy.RequestKillDriver{DriverID: id}})
		return
	}
	w.free(id)
	w.step(Received{Message: deploy.DriverStateChanged{DriverID: id, State: deploy.DriverFailed}})
}

func (w *world) disconnect(*rapid.T) {
	if w.conn == 0 {
		return
	}
	c := endpoint.ConnID(1 + w.draw(int(w.conn), "connection"))
	w.step(Disconnected{Conn: c, Address: endpoint.Address{Host: w.refs[c], Port: 5000}})
}

func (w *world) leave(*rapid.T) {
	w.step(Received{Message: deploy.WorkerDecommissioning{ID: fmt.Sprint("w", w.draw(5, "worker"))}})
}

func (w *world) time(*rapid.T) {
	w.now = w.now.Add(time.Duration(w.draw(90, "seconds")) * time.Second)
	if w.core.Deadline() <= w.now.Mono {
		w.step(Tick{})
	}
	for _, v := range w.core.View().Workers {
		if rapid.Bool().Draw(w.t, "beats") {
			w.step(Received{Message: deploy.Heartbeat{WorkerID: v.ID}})
		}
	}
}

// restart is a new Master, that those whom the old one knew follow, or not.
func (w *world) restart(*rapid.T) {
	w.core = New(w.cfg)
	w.now = w.now.Add(time.Second)
	w.ids = make(map[string]bool) // ids go on from those that are found running
	var known []Record
	for _, key := range slices.Sorted(maps.Keys(w.saved)) {
		known = append(known, w.saved[key])
	}
	running, places := w.used, w.places
	w.used, w.places = make(map[string]map[string]share), make(map[string]string)
	w.step(Elected{Known: known})
	for _, r := range known {
		if rapid.Bool().Draw(w.t, "follows") {
			continue
		}
		switch r := r.(type) {
		case AppRecord:
			w.step(Received{Message: deploy.MasterChangeAcknowledged{AppID: r.ID}})
		case WorkerRecord:
			w.follow(r.ID, running[r.ID], places)
		}
	}
	w.now = w.now.Add(time.Minute)
	w.step(Tick{})
}

// follow tells a new Master what runs on a Worker.
func (w *world) follow(id string, running map[string]share, places map[string]string) {
	state := deploy.WorkerSchedulerStateResponse{ID: id}
	live := w.core.View()
	for _, what := range slices.Sorted(maps.Keys(running)) {
		s := running[what]
		resources := map[string]deploy.Resource{"gpu": {Name: "gpu", Addresses: s.gpus}}
		if what[0] == 'd' {
			if slices.ContainsFunc(live.Drivers, func(d DriverView) bool { return d.ID == what && d.State == deploy.DriverSubmitted }) {
				w.hold(what, id, s)
			}
			state.Drivers = append(state.Drivers, deploy.WorkerDriverStateResponse{DriverID: what, Resources: resources})
			continue
		}
		app, exec := split(what)
		if slices.ContainsFunc(live.Apps, func(a AppView) bool { return a.ID == app }) {
			w.hold(what, id, s)
		}
		state.Executors = append(state.Executors, deploy.WorkerExecutorStateResponse{Resources: resources, Desc: deploy.ExecutorDescription{
			AppID: app, ExecID: exec, Cores: s.cores, Memory: s.memory, State: deploy.ExecutorRunning,
		}})
	}
	w.step(Received{Message: state})
}

func (w *world) hold(what, worker string, s share) {
	w.places[what] = worker
	if w.used[worker] == nil {
		w.used[worker] = make(map[string]share)
	}
	w.used[worker][what] = s
	w.ids[what] = true
}

func (w *world) free(what string) {
	delete(w.used[w.places[what]], what)
	delete(w.places, what)
}

// step lets the core do something, and keeps count.
func (w *world) step(in Input) {
	for _, o := range w.core.Step(w.now, in) {
		switch o := o.(type) {
		case Save:
			w.saved[o.Record.Key()] = o.Record
		case Forget:
			delete(w.saved, o.Key)
		case Send:
			w.told(o)
		}
	}
}

func (w *world) told(o Send) {
	host := o.To.Address.Host
	switch m := o.Message.(type) {
	case deploy.LaunchExecutor:
		id := fmt.Sprintf("%s/%d", m.AppID, m.ExecID)
		if w.ids[id] {
			w.t.Fatalf("executor %s is launched twice", id)
		}
		w.launched(id, host, share{m.Cores, m.Memory, m.Resources["gpu"].Addresses})
	case deploy.LaunchDriver:
		w.launched(m.DriverID, host, share{m.Driver.Cores, m.Driver.Memory, m.Resources["gpu"].Addresses})
	case deploy.KillExecutor:
		w.free(fmt.Sprintf("%s/%d", m.AppID, m.ExecID))
	case deploy.ExecutorUpdated:
		if m.State == deploy.ExecutorDecommissioned && o.Build == nil {
			w.t.Fatal("a message for nobody")
		}
	}
}

func (w *world) launched(id, worker string, s share) {
	if w.core.View().State != Alive {
		w.t.Fatalf("%s is launched by a Master that is %v", id, w.core.View().State)
	}
	if s.cores < 0 || w.places[id] != "" {
		w.t.Fatalf("%s is launched with %d cores, at %q already", id, s.cores, w.places[id])
	}
	w.hold(id, worker, s)
}

// check compares the Master's books with ours, and looks for what it might have done and has not.
func (w *world) check(t *rapid.T) {
	v := w.core.View()
	saved := make(map[string]bool)
	for _, worker := range v.Workers {
		if worker.State == WorkerDead {
			for id := range w.used[worker.ID] {
				delete(w.places, id)
			}
			delete(w.used, worker.ID)
			continue
		}
		saved[worker.Key()] = worker.State != WorkerDecommissioned
		w.checkWorker(t, worker)
	}
	for _, a := range v.Apps {
		saved[a.Key()] = true
		if a.Cores > a.Cap {
			t.Fatalf("application %s has %d cores, and may have %d", a.ID, a.Cores, a.Cap)
		}
		sum := 0
		for _, e := range a.Executors {
			sum += e.Cores
			if b := w.builds[e.WorkerID]; b != a.Build {
				t.Fatalf("an executor of %v is on a Worker of %v", a.Build, b)
			}
		}
		if sum != a.Cores {
			t.Fatalf("application %s has executors of %d cores, the Master counts %d", a.ID, sum, a.Cores)
		}
	}
	for _, d := range v.Drivers {
		saved[d.Key()] = true
		if d.WorkerID != "" && !slices.Contains(d.Builds, w.builds[d.WorkerID]) {
			t.Fatalf("driver %s of %v is on a Worker of %v", d.ID, d.Builds, w.builds[d.WorkerID])
		}
	}
	for key, want := range saved {
		if _, is := w.saved[key]; is != want {
			t.Fatalf("%s is saved: %v, expected %v", key, is, want)
		}
	}
	for key := range w.saved {
		if !saved[key] {
			t.Fatalf("%s is saved, and nothing of the Master's", key)
		}
	}
	if len(v.Apps) == 0 {
		return
	}
	for _, o := range w.core.Step(w.now, Asked{Message: deploy.RequestExecutors{AppID: v.Apps[0].ID}}) {
		if s, ok := o.(Send); ok {
			t.Fatalf("%T could have been sent before", s.Message)
		}
	}
}

func (w *world) checkWorker(t *rapid.T, v WorkerView) {
	cores, memory := 0, 0
	gpus := make(map[string]string)
	for id, s := range w.used[v.ID] {
		cores += s.cores
		memory += s.memory
		for _, g := range s.gpus {
			if gpus[g] != "" {
				t.Fatalf("gpu %s of %s is given to %s and %s", g, v.ID, gpus[g], id)
			}
			gpus[g] = id
		}
	}
	if cores != v.CoresUsed || memory != v.MemoryUsed || len(gpus) != len(v.ResourcesUsed["gpu"].Addresses) {
		t.Fatalf("%s has given %d cores, %d MiB, gpus %v; the Master counts %d, %d, %v: %v", v.ID, cores, memory, gpus,
			v.CoresUsed, v.MemoryUsed, v.ResourcesUsed, w.used[v.ID])
	}
	if cores > v.Cores || memory > v.Memory {
		t.Fatalf("%s has given %d of %d cores, %d of %d MiB", v.ID, cores, v.Cores, memory, v.Memory)
	}
}
