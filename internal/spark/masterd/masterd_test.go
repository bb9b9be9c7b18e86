package masterd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
	"github.com/meseta/meseta/internal/spark/serial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to happen.
const patience = 60 * time.Second

// start runs something until the test ends.
func start(t *testing.T, run func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			return fmt.Errorf("does not end in %v", patience)
		}
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

// running is a Master that runs.
type running struct {
	t           *testing.T
	at          endpoint.Address
	webUI, rest string
	stop        func() error
	log         *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func runMaster(t *testing.T, port int, properties conf.Properties) *running {
	t.Helper()
	m := &running{t: t, log: &syncBuffer{}}
	ready := make(chan struct{})
	cfg := Config{Host: "127.0.0.1", Port: port, Properties: conf.Properties{"spark.master.rest.port": "0"}, Ready: func(at endpoint.Address, webUI, rest string) {
		m.at, m.webUI, m.rest = at, webUI, rest
		close(ready)
	}}
	for k, v := range properties {
		cfg.Properties[k] = v
	}
	m.stop = start(t, func(ctx context.Context) error {
		return Run(ctx, cfg, slog.New(slog.NewTextHandler(m.log, nil)))
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Master:\n%s", m.log)
		}
	})
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatalf("the Master does not start: %v", m.stop())
	}
	return m
}

// peer is a Worker, an application or a submission client, of a build.
type peer struct {
	t        *testing.T
	build    *deploy.Build
	env      *rpc.Env
	self     endpoint.Ref
	master   endpoint.Ref
	messages chan deploy.Message
	stop     func() error
}

func newPeer(t *testing.T, build *deploy.Build, name string, m *running) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, build: build, messages: make(chan deploy.Message, 1000)}
	p.env = rpc.NewEnv(rpc.Config{Advertise: endpoint.Address{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}})
	p.self = p.env.Register(name, p)
	p.stop = start(t, func(ctx context.Context) error { return p.env.Run(ctx, ln) })
	p.find(m)
	return p
}

func (p *peer) find(m *running) {
	p.t.Helper()
	var err error
	if p.master, err = p.env.Lookup(p.t.Context(), p.build.Classes(), m.at, "Master"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) Receive(msg *rpc.Message) {
	if builds := deploy.BuildsOf(msg.Content); len(builds) == 0 {
		p.t.Errorf("the Master sends %s in classes of no build", serial.Describe(msg.Content))
	}
	got, err := deploy.Decode(msg.Content, msg.Conn)
	if err != nil {
		p.t.Errorf("message from the Master: %v", err)
		return
	}
	p.messages <- got
}

func (p *peer) Event(rpc.Event) {}

func (p *peer) encode(m deploy.Message) serial.Value {
	p.t.Helper()
	v, err := p.build.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *peer) send(m deploy.Message) {
	p.t.Helper()
	if err := p.env.Send(p.master, p.encode(m)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) ask(m deploy.Message) (serial.Value, error) {
	p.t.Helper()
	reply, err := p.env.Ask(p.t.Context(), p.master, p.encode(m))
	return reply.Content, err
}

// asked asks what is answered by a message.
func asked[M deploy.Message](p *peer, m deploy.Message) M {
	p.t.Helper()
	v, err := p.ask(m)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := deploy.Decode(v, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return got.(M)
}

// next waits for a message of a type; others are skipped.
func next[M deploy.Message](p *peer) M {
	p.t.Helper()
	var want M
	deadline := time.After(patience)
	for {
		select {
		case got := <-p.messages:
			if want, ok := got.(M); ok {
				return want
			}
		case <-deadline:
			p.t.Fatalf("no %T in %v", want, patience)
		}
	}
}

// register makes a Worker of the peer, and waits until it is welcome.
func (p *peer) register(m *running) deploy.RegisteredWorker {
	p.t.Helper()
	p.send(deploy.RegisterWorker{
		ID: "worker-" + p.build.String() + p.self.Address.String(), Host: "127.0.0.1", Port: p.self.Address.Port, Worker: p.self, Cores: 4, Memory: 4096,
		WebUI: "http://w", MasterAddress: m.at, Resources: map[string]deploy.Resource{"gpu": {Name: "gpu", Addresses: []string{"0", "1"}}},
	})
	return next[deploy.RegisteredWorker](p)
}

func (p *peer) submit(cores int) {
	p.t.Helper()
	p.send(deploy.RegisterApplication{Driver: p.self, App: deploy.ApplicationDescription{
		Name: "app <" + p.build.String() + ">", MaxCores: &cores, User: "me", Command: deploy.Command{MainClass: "Executor", Environment: map[string]string{"A": "b"}},
		DefaultProfile: deploy.ResourceProfile{Executors: map[string]deploy.ExecutorResourceRequest{
			"memory": {ResourceName: "memory", Amount: 512}, "gpu": {ResourceName: "gpu", Amount: 1},
		}},
	}})
}

func get(t *testing.T, url string) string {
	t.Helper()
	return answer(t, http.MethodGet, url, "", nil)
}

// answer asks by HTTP, with redirects not followed.
func answer(t *testing.T, method, url, body string, header map[string]string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + "\n" + string(b)
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("waited %v until %s", patience, what)
		}
	}
}

// One Master serves applications of all builds at once, each on the Workers of its own.
func TestEveryBuildIsServedInItsOwnClasses(t *testing.T) {
	m := runMaster(t, 0, nil)
	for _, b := range deploy.Builds() {
		t.Run(b.String(), func(t *testing.T) {
			w, app := newPeer(t, b, "Worker", m), newPeer(t, b, "AppClient", m)
			welcome := w.register(m)
			if welcome.MasterAddress != m.at || welcome.Master.Address != m.at || welcome.MasterWebUI != m.webUI || welcome.Duplicate {
				t.Errorf("the Worker is welcomed by %+v", welcome)
			}
			app.submit(2)
			registered := next[deploy.RegisteredApplication](app)
			launch := next[deploy.LaunchExecutor](w)
			added := next[deploy.ExecutorAdded](app)
			if launch.AppID != registered.AppID || launch.Cores != 2 || launch.Memory != 512 || launch.MasterURL != m.at.URL() ||
				launch.App.Command.Environment["A"] != "b" || len(launch.Resources["gpu"].Addresses) != 1 {
				t.Errorf("the Worker is asked for %+v", launch)
			}
			if added.HostPort != w.self.Address.String() {
				t.Errorf("the application is told of %+v", added)
			}
			if v, err := w.ask(deploy.ExecutorStateChanged{AppID: launch.AppID, ExecID: 0, State: deploy.ExecutorRunning}); err != nil || !serial.Is(v, "java.lang.Boolean") {
				t.Errorf("the Worker's report is answered by %v, %v", v, err)
			}
			if u := next[deploy.ExecutorUpdated](app); u.State != deploy.ExecutorRunning {
				t.Errorf("the application is told %+v", u)
			}
			for path, want := range map[string]string{
				"/json/":                          `"name": "app <` + b.String(),
				"/json/aliveworkers":              `"aliveworkers": 1`,
				"/json/clusterutilization":        `"coresutilization": 50`,
				"/json/nothing":                   `"nothing": ""`,
				"/":                               "app &lt;" + b.String(),
				"/app/?appId=" + registered.AppID: "logPage/?appId=" + registered.AppID,
			} {
				if page := get(t, m.webUI+path); !strings.Contains(page, want) || !strings.HasPrefix(page, "200") {
					t.Errorf("%s does not say %s:\n%s", path, want, page)
				}
			}
			totals := deploy.ProfileTotals{{Total: 0}}
			if _, err := app.ask(deploy.RequestExecutors{AppID: registered.AppID, Totals: totals}); err != nil {
				t.Errorf("asking for no more executors: %v", err)
			}
			app.stop()
			if f := next[deploy.ApplicationFinished](w); f.ID != registered.AppID {
				t.Errorf("the Worker is told of the end of %s", f.ID)
			}
			w.stop()
			until(t, "the Worker is given up", func() bool { return strings.Contains(get(t, m.webUI+"/json/aliveworkers"), ": 0") })
		})
	}
}

func TestDriversAreSubmittedByTheGateway(t *testing.T) {
	for _, b := range deploy.Builds() {
		t.Run(b.String(), func(t *testing.T) {
			m := runMaster(t, 0, nil)
			w, client := newPeer(t, b, "Worker", m), newPeer(t, b, "client", m)
			w.register(m)
			desc := deploy.DriverDescription{JarURL: "file:/a.jar", Memory: 512, Cores: 1, Supervise: true, Command: deploy.Command{MainClass: "Main"},
				ResourceReqs: []deploy.ResourceRequirement{{ResourceName: "gpu", Amount: 1, NumParts: 1}}}
			submitted := asked[deploy.SubmitDriverResponse](client, deploy.RequestSubmitDriver{Driver: desc})
			if !submitted.Success || submitted.DriverID == nil {
				t.Fatalf("the submission is answered by %+v", submitted)
			}
			id := *submitted.DriverID
			if l := next[deploy.LaunchDriver](w); l.DriverID != id || !l.Driver.Supervise || len(l.Resources["gpu"].Addresses) != 1 {
				t.Errorf("the Worker is asked for %+v", l)
			}
			status := asked[deploy.DriverStatusResponse](client, deploy.RequestDriverStatus{DriverID: id})
			if !status.Found || *status.State != deploy.DriverRunning || *status.WorkerHostPort != w.self.Address.String() {
				t.Errorf("the status is %+v", status)
			}
			if killed := asked[deploy.KillDriverResponse](client, deploy.RequestKillDriver{DriverID: id}); !killed.Success {
				t.Errorf("killing is answered by %+v", killed)
			}
			next[deploy.KillDriver](w)
			w.send(deploy.DriverStateChanged{DriverID: id, State: deploy.DriverError, Exception: &deploy.Exception{Class: "java.io.IOException", Message: "no jar"}})
			until(t, "the driver is over", func() bool {
				status = asked[deploy.DriverStatusResponse](client, deploy.RequestDriverStatus{DriverID: id})
				return *status.State == deploy.DriverError
			})
			if status.Exception == nil || !strings.Contains(status.Exception.Message, "no jar") {
				t.Errorf("the status is %+v", status)
			}
			if _, err := client.ask(deploy.DecommissionWorkersOnHosts{Hostnames: []string{"127.0.0.1"}}); err == nil {
				t.Error("anybody may decommission Workers")
			}
		})
	}
}

// What is known outlives a Master, and one that stands by takes over.
func TestAMasterThatStandsByTakesOver(t *testing.T) {
	recovery := conf.Properties{"spark.deploy.recoveryMode": "FILESYSTEM", "spark.deploy.recoveryDirectory": t.TempDir()}
	first := runMaster(t, 0, recovery)
	leads := func(m *running) func() bool {
		return func() bool { return strings.Contains(get(t, m.webUI+"/json/status"), "ALIVE") }
	}
	until(t, "the first Master leads", leads(first))
	second := runMaster(t, 0, recovery)
	b := deploy.Spark35Scala212
	w, app, client := newPeer(t, b, "Worker", first), newPeer(t, b, "AppClient", first), newPeer(t, b, "client", second)
	w.register(first)
	app.submit(2)
	id := next[deploy.RegisteredApplication](app).AppID
	next[deploy.LaunchExecutor](w)
	desc := deploy.DriverDescription{JarURL: "file:/a.jar", Memory: 512, Cores: 1}
	if standby := asked[deploy.SubmitDriverResponse](client, deploy.RequestSubmitDriver{Driver: desc}); standby.Success || !strings.Contains(standby.Message, "Current state is not alive: STANDBY") {
		t.Errorf("a Master that stands by answers %+v", standby)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	worker, changed := next[deploy.MasterChanged](w), next[deploy.MasterChanged](app)
	if worker.Master.Address != second.at || changed.Master.Address != second.at {
		t.Errorf("the new Master is %v and %v, expected %v", worker.Master, changed.Master, second.at)
	}
	w.master, app.master = worker.Master, changed.Master
	workerID := "worker-" + b.String() + w.self.Address.String()
	w.send(deploy.WorkerSchedulerStateResponse{ID: workerID, Executors: []deploy.WorkerExecutorStateResponse{{
		Desc: deploy.ExecutorDescription{AppID: id, ExecID: 0, Cores: 2, Memory: 512, State: deploy.ExecutorRunning},
	}}})
	app.send(deploy.MasterChangeAcknowledged{AppID: id})
	until(t, "the Master is recovered", leads(second))
	if _, err := w.ask(deploy.ExecutorStateChanged{AppID: id, ExecID: 0, State: deploy.ExecutorExited, ExitStatus: new(1)}); err != nil {
		t.Fatal(err)
	}
	if u := next[deploy.ExecutorUpdated](app); u.State != deploy.ExecutorExited {
		t.Errorf("the application is told %+v", u)
	}
	if l := next[deploy.LaunchExecutor](w); l.ExecID != 1 || l.App.Command.Environment["A"] != "b" {
		t.Errorf("the Worker is asked for %+v", l)
	}
	app.send(deploy.UnregisterApplication{AppID: id})
	next[deploy.ApplicationFinished](w)
}

func TestSubmissionsByHTTP(t *testing.T) {
	m := runMaster(t, 0, conf.Properties{"spark.master.rest.enabled": "true"})
	w := newPeer(t, deploy.Spark40Scala213, "Worker", m)
	w.register(m)
	create := func(change func(map[string]any)) string {
		request := map[string]any{
			"action": "CreateSubmissionRequest", "clientSparkVersion": "4.0.1", "appResource": "file:/a.jar", "mainClass": "Main", "appArgs": []string{"1", "x y"},
			"environmentVariables": map[string]string{"SPARK_LOCAL_IP": "1.2.3.4", "X": "y"},
			"sparkProperties": map[string]string{
				"spark.master": "spark://127.0.0.1:6066,other:7077", "spark.app.name": "Name", "spark.driver.memory": "1g", "spark.driver.cores": "2",
				"spark.driver.supervise": "true", "spark.driver.extraJavaOptions": "-Da='b c' -Dd=e", "spark.driver.extraClassPath": "/x:/y",
			},
		}
		if change != nil {
			change(request)
		}
		b, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		return answer(t, http.MethodPost, m.rest+"/v1/submissions/create", string(b), nil)
	}
	said := create(nil)
	l := next[deploy.LaunchDriver](w)
	if !strings.HasPrefix(said, "200") || !strings.Contains(said, `"submissionId": "`+l.DriverID) || !strings.Contains(said, `"CreateSubmissionResponse"`) {
		t.Errorf("a submission is answered by %s", said)
	}
	d := l.Driver
	opts := strings.Join(d.Command.JavaOpts, "|")
	if d.Memory != 1024 || d.Cores != 2 || !d.Supervise || d.Command.Environment["X"] != "y" || d.Command.Environment["SPARK_LOCAL_IP"] != "" ||
		fmt.Sprint(d.Command.Arguments) != "[{{WORKER_URL}} {{USER_JAR}} Main 1 x y]" || fmt.Sprint(d.Command.ClassPathEntries) != "[/x /y]" ||
		!strings.Contains(opts, fmt.Sprintf("|-Dspark.master=spark://127.0.0.1:%d,other:7077|", m.at.Port)) || !strings.HasSuffix(opts, "|-Da=b c|-Dd=e") {
		t.Errorf("the driver is %+v", d)
	}
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v1/submissions/status/" + l.DriverID, `"driverState": "RUNNING"`},
		{"GET", "/v1/submissions/status/none", `"success": false`},
		{"GET", "/v1/submissions/readyz", `"ReadyzResponse"`},
		{"POST", "/v1/submissions/kill/" + l.DriverID, "Kill request for " + l.DriverID + " submitted"},
		{"POST", "/v1/submissions/kill/none", "Driver none has already finished or does not exist"},
		{"POST", "/v1/submissions/killall", "Kill request for all drivers submitted"},
		{"POST", "/v1/submissions/clear", `"ClearResponse"`},
		{"GET", "/", "Missing protocol version."},
		{"GET", "/v1", "Missing the /submissions prefix."},
		{"GET", "/v1/submissions", "Missing an action"},
		{"GET", "/v1/submissions/status/", "Submission ID is missing"},
		{"GET", "/v9/submissions/status/x", `"highestProtocolVersion": "v1"`},
	} {
		if said := answer(t, c.method, m.rest+c.path, "", nil); !strings.Contains(said, c.want) {
			t.Errorf("%s %s is answered by %s, expected %s", c.method, c.path, said, c.want)
		}
	}
	for name, change := range map[string]func(map[string]any){
		"mainClass":          func(r map[string]any) { delete(r, "mainClass") },
		"appResource":        func(r map[string]any) { delete(r, "appResource") },
		"clientSparkVersion": func(r map[string]any) { delete(r, "clientSparkVersion") },
		"sparkProperties":    func(r map[string]any) { delete(r, "sparkProperties") },
		"the action is":      func(r map[string]any) { r["action"] = "Other" },
		"appArgs":            func(r map[string]any) { r["appArgs"] = 7 },
		"spark.driver.cores": func(r map[string]any) {
			r["sparkProperties"] = map[string]string{"spark.driver.cores": "-1"}
		},
		"spark.executor.memory": func(r map[string]any) {
			r["sparkProperties"] = map[string]string{"spark.executor.memory": "much"}
		},
		"spark.driver.supervise": func(r map[string]any) {
			r["sparkProperties"] = map[string]string{"spark.driver.supervise": "maybe"}
		},
	} {
		if said := create(change); !strings.HasPrefix(said, "400") || !strings.Contains(said, name) || !strings.Contains(said, `"ErrorResponse"`) {
			t.Errorf("a submission without a right %s is answered by %s", name, said)
		}
	}
}

func TestPeopleEndApplicationsAndDrivers(t *testing.T) {
	m := runMaster(t, 0, conf.Properties{"spark.decommission.enabled": "true"})
	b := deploy.Spark35Scala213
	w, app, client := newPeer(t, b, "Worker", m), newPeer(t, b, "AppClient", m), newPeer(t, b, "client", m)
	w.register(m)
	app.submit(1)
	id := next[deploy.RegisteredApplication](app).AppID
	kill := func(what, id string, header map[string]string) string {
		form := url.Values{"id": {id}, "terminate": {"true"}}.Encode()
		all := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		for k, v := range header {
			all[k] = v
		}
		return answer(t, http.MethodPost, m.webUI+what, form, all)
	}
	if said := kill("/app/kill/", id, map[string]string{"Sec-Fetch-Site": "cross-site"}); !strings.HasPrefix(said, "403") {
		t.Errorf("somebody else's page is answered by %s", said)
	}
	kill("/app/kill/", id, nil)
	if r := next[deploy.ApplicationRemoved](app); r.Message != "KILLED" {
		t.Errorf("the application is told %+v", r)
	}
	driver := *asked[deploy.SubmitDriverResponse](client, deploy.RequestSubmitDriver{Driver: deploy.DriverDescription{Cores: 1, Memory: 1}}).DriverID
	kill("/driver/kill/", driver, nil)
	if k := next[deploy.KillDriver](w); k.DriverID != driver {
		t.Errorf("the Worker is told %+v", k)
	}
	for host, want := range map[string]string{"127.0.0.1": "200", "elsewhere": "404"} {
		said := answer(t, http.MethodPost, m.webUI+"/workers/kill/", url.Values{"host": {host}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		if !strings.HasPrefix(said, want) {
			t.Errorf("decommissioning %s is answered by %s, expected %s", host, said, want)
		}
	}
	next[deploy.DecommissionWorker](w)
}

// Whatever comes, the Master lives, and says what it was.
func TestHostileInputCostsALogLine(t *testing.T) {
	m := runMaster(t, 0, nil)
	for name, input := range map[string]string{
		"text":       "GET / HTTP/1.0\r\n\r\n",
		"length":     "\x7f\xff\xff\xff\xff\xff\xff\xff\x03",
		"no content": "\x00\x00\x00\x00\x00\x00\x00\x11\x03\x00\x00\x00\x00\x00\x00\x00\x01",
	} {
		nc, err := net.Dial("tcp", m.at.HostPort())
		if err != nil {
			t.Fatal(err)
		}
		nc.Write([]byte(input))
		nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is left open", name)
		}
		nc.Close()
	}
	b := deploy.Spark40Scala213
	p := newPeer(t, b, "Worker", m)
	p.send(deploy.KillDriver{DriverID: "x"})
	p.send(deploy.RegisterWorker{ID: "../../../x", Worker: p.self, Cores: 1 << 30, Memory: 1})
	if f := next[deploy.RegisterWorkerFailed](p); !strings.Contains(f.Message, "cores") {
		t.Errorf("a Worker of a billion cores is told %+v", f)
	}
	if _, err := p.ask(deploy.Heartbeat{WorkerID: "x", Worker: p.self}); err == nil {
		t.Error("a heartbeat that is a question is answered")
	}
	strange, err := p.env.Ask(t.Context(), p.master, &serial.Object{Class: &serial.ClassDesc{Name: "com.example.Unknown", UID: 1, Flags: serial.Serializable}, Data: []serial.ClassData{{}}})
	if err == nil {
		t.Errorf("an unknown class is answered by %v", strange)
	}
	p.register(m)
	if !strings.Contains(m.log.String(), "com.example.Unknown") {
		t.Error("the log does not name the unknown class")
	}
}

func TestRecordsAreFilesOfTheDirectoryWhateverTheirKeys(t *testing.T) {
	dir := t.TempDir()
	recovery := conf.Properties{"spark.deploy.recoveryMode": "FILESYSTEM", "spark.deploy.recoveryDirectory": filepath.Join(dir, "here")}
	m := runMaster(t, 0, recovery)
	p := newPeer(t, deploy.Spark40Scala213, "Worker", m)
	p.send(deploy.RegisterWorker{ID: "../../x", Worker: p.self, Cores: 1, Memory: 1, MasterAddress: m.at})
	next[deploy.RegisteredWorker](p)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the directory: %v, %v", entries, err)
	}
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "here", "*.json"))
	if len(files) != 1 {
		t.Fatalf("records are in %v", files)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), Config{Host: "127.0.0.1", Properties: recovery}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "to go on without it, remove it") {
		t.Errorf("a record that cannot be read: %v", err)
	}
}

func TestConfigurationIsRefusedWithReasons(t *testing.T) {
	for key, value := range map[string]string{
		"spark.deploy.recoveryMode": "ZOOKEEPER", "spark.deploy.workerSelectionPolicy": "BEST", "spark.deploy.appIdPattern": "app",
		"spark.deploy.driverIdPattern": "%d-%s", "spark.deploy.defaultCores": "0", "spark.ssl.rpc.enabled": "true", "spark.authenticate": "true",
		"spark.master.useAppNameAsAppId.enabled": "true",
	} {
		if err := (Config{Host: "h", Properties: conf.Properties{key: value}}).Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	good := Config{Host: "h", Properties: conf.Properties{"spark.deploy.recoveryMode": "filesystem", "spark.deploy.recoveryDirectory": "/x", "spark.deploy.appIdPattern": "a-%s-%d"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestOptionsComeFromFlagsThenEnvironmentThenFiles(t *testing.T) {
	confDir := t.TempDir()
	for name, content := range map[string]string{"spark-env.sh": "SPARK_MASTER_PORT=4444\n", "spark-defaults.conf": "spark.master.ui.port 9999\nspark.a b\n"} {
		if err := os.WriteFile(filepath.Join(confDir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "SPARK_CONF_DIR=" + confDir, "SPARK_MASTER_HOST=here", "SPARK_MASTER_OPTS=-Dspark.a=c"}
	got, err := Options{Port: -1, WebUIPort: -1}.Config(t.Context(), env)
	if err != nil || got.Port != 4444 || got.WebUIPort != 9999 || got.Host != "here" || got.Properties["spark.a"] != "c" {
		t.Errorf("configuration is %+v, %v", got, err)
	}
	got, err = Options{Host: "there", Port: 0, WebUIPort: 1}.Config(t.Context(), env)
	if err != nil || got.Port != 0 || got.WebUIPort != 1 || got.Host != "there" {
		t.Errorf("configuration is %+v, %v", got, err)
	}
}
