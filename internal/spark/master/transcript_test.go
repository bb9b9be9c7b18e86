package master_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/sdk/transcript"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	. "github.com/meseta/meseta/internal/spark/master"
)

func TestTranscripts(t *testing.T) {
	transcript.Run(t, func() transcript.Player { return newPlayer() })
}

// player plays a scenario against a core. Peers are called by their hosts, connections by numbers; what
// was saved outlives a Master.
type player struct {
	cfg   Config
	core  *Master
	now   core.Time
	conn  endpoint.ConnID
	saved []Record
}

func newPlayer() *player {
	return &player{
		cfg: Config{
			Self: endpoint.Ref{Name: "Master", Address: endpoint.Address{Host: "m", Port: 7077}}, WebUI: "http://m:8080",
			AppIDPattern: "app-%.0s%d", DriverIDPattern: "driver-%.0s%d",
		},
		now: core.Time{Mono: time.Hour, Wall: time.Unix(1_800_000_000, 0).UTC()},
	}
}

// words of a command: names, and options of the form key=value.
type words struct {
	t       *testing.T
	names   []string
	options map[string]string
}

func parse(t *testing.T, all []string) words {
	w := words{t: t, options: make(map[string]string)}
	for _, word := range all {
		if key, value, ok := strings.Cut(word, "="); ok {
			w.options[key] = value
		} else {
			w.names = append(w.names, word)
		}
	}
	return w
}

func (w words) number(key string, def int) int {
	s, ok := w.options[key]
	if !ok {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w words) optional(key string) *int {
	if _, ok := w.options[key]; !ok {
		return nil
	}
	return new(w.number(key, 0))
}

func (w words) build() *deploy.Build {
	switch w.options["spark"] {
	case "4.0":
		return deploy.Spark40Scala213
	case "3.5-2.13":
		return deploy.Spark35Scala213
	}
	return deploy.Spark35Scala212
}

func (w words) profile(id int) deploy.ResourceProfile {
	p := deploy.ResourceProfile{ID: id, Executors: make(map[string]deploy.ExecutorResourceRequest)}
	for _, key := range []string{"cores", "memory", "gpu"} {
		if n := w.optional(key); n != nil {
			p.Executors[key] = deploy.ExecutorResourceRequest{ResourceName: key, Amount: int64(*n)}
		}
	}
	return p
}

func gpus(n int) map[string]deploy.Resource {
	if n == 0 {
		return nil
	}
	r := deploy.Resource{Name: "gpu"}
	for i := range n {
		r.Addresses = append(r.Addresses, strconv.Itoa(i))
	}
	return map[string]deploy.Resource{"gpu": r}
}

// Do implements transcript.Player.
func (p *player) Do(t *testing.T, all []string) []string {
	w := parse(t, all[1:])
	switch all[0] {
	case "config":
		p.configure(w)
		return nil
	case "restart":
		p.core = nil
		return nil
	case "wait":
		d, err := time.ParseDuration(w.names[0])
		if err != nil {
			t.Fatal(err)
		}
		return p.wait(d)
	}
	return p.step(p.input(t, all[0], w))
}

func (p *player) configure(w words) {
	p.cfg.Consolidate = w.options["spreadOut"] == "false"
	p.cfg.ConsolidateDrivers = w.options["spreadOutDrivers"] == "false"
	p.cfg.DefaultCores = w.number("defaultCores", 0)
	p.cfg.MaxDrivers = w.number("maxDrivers", 0)
	p.cfg.MaxExecRetries = w.number("maxExecutorRetries", 0)
	p.cfg.RetainedApps = w.number("retained", 0)
	p.cfg.RetainedDrivers = w.number("retained", 0)
	p.cfg.Selection = Selections[w.options["selection"]]
}

// wait lets time pass, with a Tick whenever one is due.
func (p *player) wait(d time.Duration) (said []string) {
	for end := p.now.Mono + d; ; {
		next := p.core.Deadline()
		if next > end {
			p.now = p.now.Add(end - p.now.Mono)
			return said
		}
		p.now = p.now.Add(max(next-p.now.Mono, 0))
		for _, s := range p.step(Tick{}) {
			said = append(said, fmt.Sprintf("after %v: %s", p.now.Mono-(end-d), s))
		}
	}
}

func (p *player) step(in Input) (said []string) {
	if p.core == nil {
		p.core = New(p.cfg)
	}
	for _, o := range p.core.Step(p.now, in) {
		switch o := o.(type) {
		case Save:
			p.saved = append(p.saved, o.Record)
		case Forget:
			for i, r := range p.saved {
				if r.Key() == o.Key {
					p.saved = append(p.saved[:i:i], p.saved[i+1:]...)
				}
			}
		}
		if s := describe(o); s != "" {
			said = append(said, s)
		}
	}
	return said
}

// ref is a reference to a peer, by a new connection unless it has a number.
func (p *player) ref(w words, endpointName, host string) endpoint.Ref {
	via := w.number("conn", 0)
	if via == 0 {
		p.conn++
		via = int(p.conn)
	}
	return endpoint.Ref{Name: endpointName, Address: endpoint.Address{Host: host, Port: 5000}, Via: endpoint.ConnID(via)}
}

func (p *player) input(t *testing.T, what string, w words) Input {
	name := ""
	if len(w.names) > 0 {
		name = w.names[0]
	}
	one := func(m deploy.Message) Input { return Received{Message: m, Builds: []*deploy.Build{w.build()}} }
	ask := func(m deploy.Message) Input { return Asked{Message: m, Builds: []*deploy.Build{w.build()}} }
	switch what {
	case "elect":
		known := p.saved
		for i, r := range known { // connections do not outlive a Master
			switch r := r.(type) {
			case WorkerRecord:
				r.Ref.Via = 0
				known[i] = r
			case AppRecord:
				r.Driver.Via = 0
				known[i] = r
			}
		}
		return Elected{Known: known}
	case "worker":
		return one(deploy.RegisterWorker{
			ID: name, Host: name, Port: 5000, Worker: p.ref(w, "Worker", w.at(name)), Cores: w.number("cores", 4), Memory: w.number("memory", 4096),
			WebUI: "http://" + name, MasterAddress: p.cfg.Self.Address, Resources: gpus(w.number("gpu", 0)),
		})
	case "heartbeat":
		return one(deploy.Heartbeat{WorkerID: name, Worker: endpoint.Ref{Name: "Worker", Address: endpoint.Address{Host: name, Port: 5000}}})
	case "latest":
		m := deploy.WorkerLatestState{ID: name}
		for _, n := range w.names[1:] {
			if app, exec, ok := strings.Cut(n, "/"); ok {
				id, _ := strconv.Atoi(exec)
				m.Executors = append(m.Executors, deploy.ExecutorDescription{AppID: app, ExecID: id})
			} else {
				m.DriverIDs = append(m.DriverIDs, n)
			}
		}
		return one(m)
	case "follow":
		m := deploy.WorkerSchedulerStateResponse{ID: name}
		for _, n := range w.names[1:] {
			if app, exec, ok := strings.Cut(n, "/"); ok {
				id, _ := strconv.Atoi(exec)
				m.Executors = append(m.Executors, deploy.WorkerExecutorStateResponse{Desc: deploy.ExecutorDescription{
					AppID: app, ExecID: id, Cores: w.number("cores", 1), Memory: w.number("memory", 1024), State: deploy.ExecutorRunning,
				}})
			} else {
				m.Drivers = append(m.Drivers, deploy.WorkerDriverStateResponse{DriverID: n})
			}
		}
		return one(m)
	case "leaves":
		return one(deploy.WorkerDecommissioning{ID: name})
	case "decommission":
		return ask(deploy.DecommissionWorkersOnHosts{Hostnames: w.names})
	case "app":
		return one(deploy.RegisterApplication{Driver: p.ref(w, "AppClient", w.at(name)), App: deploy.ApplicationDescription{
			Name: name, MaxCores: w.optional("max"), InitialExecutorLimit: w.optional("limit"), DefaultProfile: w.profile(0),
		}})
	case "unregister":
		return one(deploy.UnregisterApplication{AppID: name})
	case "acknowledge":
		return one(deploy.MasterChangeAcknowledged{AppID: name})
	case "request":
		id := w.number("profile", 0)
		return ask(deploy.RequestExecutors{AppID: name, Totals: deploy.ProfileTotals{{Profile: w.profile(id), Total: w.number("total", 0)}}})
	case "give-back":
		return ask(deploy.KillExecutors{AppID: name, ExecutorIDs: w.names[1:]})
	case "executor":
		app, exec, _ := strings.Cut(name, "/")
		id, _ := strconv.Atoi(exec)
		return ask(deploy.ExecutorStateChanged{AppID: app, ExecID: id, State: executorState(t, w.names[1]), ExitStatus: w.optional("exit")})
	case "submit":
		d := deploy.DriverDescription{Cores: w.number("cores", 1), Memory: w.number("memory", 1024), Supervise: w.options["supervise"] == "true"}
		if n := w.number("gpu", 0); n != 0 {
			d.ResourceReqs = []deploy.ResourceRequirement{{ResourceName: "gpu", Amount: n}}
		}
		return ask(deploy.RequestSubmitDriver{Driver: d})
	case "kill-driver":
		return ask(deploy.RequestKillDriver{DriverID: name})
	case "kill-all-drivers":
		return ask(deploy.RequestKillAllDrivers{})
	case "status":
		return ask(deploy.RequestDriverStatus{DriverID: name})
	case "clear":
		return ask(deploy.RequestClearCompletedDriversAndApps{})
	case "ready":
		return ask(deploy.RequestReadyz{})
	case "driver":
		return one(deploy.DriverStateChanged{DriverID: name, State: driverState(t, w.names[1])})
	case "kill":
		return KillApplication{ID: name}
	case "disconnect":
		return Disconnected{Conn: endpoint.ConnID(w.number("conn", 0)), Address: endpoint.Address{Host: name, Port: 5000}}
	}
	t.Fatalf("unknown command %q", what)
	return nil
}

// at is the host at which a peer is, if that is not its name.
func (w words) at(name string) string {
	if host, ok := w.options["at"]; ok {
		return host
	}
	return name
}

func executorState(t *testing.T, name string) deploy.ExecutorState {
	for s := deploy.ExecutorLaunching; s <= deploy.ExecutorDecommissioned; s++ {
		if s.String() == name {
			return s
		}
	}
	t.Fatalf("no state %q", name)
	return 0
}

func driverState(t *testing.T, name string) deploy.DriverState {
	for s := deploy.DriverSubmitted; s <= deploy.DriverError; s++ {
		if s.String() == name {
			return s
		}
	}
	t.Fatalf("no state %q", name)
	return 0
}

func describe(o Output) string {
	switch o := o.(type) {
	case Save:
		return "save " + o.Record.Key()
	case Forget:
		return "forget " + o.Key
	case Send:
		to := o.To.Address.Host
		if o.To.Via != 0 {
			to += fmt.Sprintf("#%d", o.To.Via)
		}
		return fmt.Sprintf("%s ← %s", to, message(o.Message))
	case Reply:
		if m, ok := o.Value.(deploy.Message); ok {
			return "reply " + message(m)
		}
		return fmt.Sprint("reply ", o.Value)
	case Notice:
		if o.Level < Warn {
			return ""
		}
		said := "log: " + strings.TrimSpace(o.Worker+o.App+o.Driver+" "+o.Text)
		if o.Detail != "" {
			said += ": " + o.Detail
		}
		return said
	}
	return fmt.Sprintf("%T", o)
}

func message(m deploy.Message) string {
	switch m := m.(type) {
	case deploy.RegisteredWorker:
		return fmt.Sprintf("RegisteredWorker duplicate=%v", m.Duplicate)
	case deploy.RegisterWorkerFailed:
		return "RegisterWorkerFailed " + m.Message
	case deploy.RegisteredApplication:
		return "RegisteredApplication " + m.AppID
	case deploy.LaunchExecutor:
		return fmt.Sprintf("LaunchExecutor %s/%d %d cores %d MiB%s", m.AppID, m.ExecID, m.Cores, m.Memory, addresses(m.Resources)) + profileOf(m.RPID)
	case deploy.ExecutorAdded:
		return fmt.Sprintf("ExecutorAdded %d on %s", m.ID, m.WorkerID)
	case deploy.ExecutorUpdated:
		said := fmt.Sprintf("ExecutorUpdated %d %v", m.ID, m.State)
		if m.Message != nil {
			said += " " + *m.Message
		}
		if m.ExitStatus != nil {
			said += fmt.Sprintf(" exit=%d", *m.ExitStatus)
		}
		if m.WorkerHost != nil {
			said += " host=" + *m.WorkerHost
		}
		return said
	case deploy.KillExecutor:
		return fmt.Sprintf("KillExecutor %s/%d", m.AppID, m.ExecID)
	case deploy.ApplicationFinished:
		return "ApplicationFinished " + m.ID
	case deploy.ApplicationRemoved:
		return "ApplicationRemoved " + m.Message
	case deploy.WorkerRemoved:
		return "WorkerRemoved " + m.ID + " " + m.Message
	case deploy.LaunchDriver:
		return "LaunchDriver " + m.DriverID + addresses(m.Resources)
	case deploy.KillDriver:
		return "KillDriver " + m.DriverID
	case deploy.SubmitDriverResponse:
		return m.Message
	case deploy.KillDriverResponse:
		return m.Message
	case deploy.KillAllDriversResponse:
		return m.Message
	case deploy.DriverStatusResponse:
		said := fmt.Sprintf("found=%v", m.Found)
		if m.State != nil {
			said += " " + m.State.String()
		}
		if m.WorkerHostPort != nil {
			said += " on " + *m.WorkerHostPort
		}
		if m.Exception != nil {
			said += " " + m.Exception.Error()
		}
		return said
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "deploy.")
}

func addresses(all map[string]deploy.Resource) string {
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(" gpu=%s", strings.Join(all["gpu"].Addresses, ","))
}

func profileOf(id int) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf(" profile=%d", id)
}
