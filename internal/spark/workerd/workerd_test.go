package workerd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// fakeMaster is an endpoint "Master" that shows what comes, and answers every ask with true.
type fakeMaster struct {
	t        *testing.T
	env      *rpc.Env
	messages chan deploy.Message
}

var build = deploy.Spark40Scala213

func newFakeMaster(t *testing.T) *fakeMaster {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &fakeMaster{t: t, messages: make(chan deploy.Message, 1000)}
	m.env = rpc.NewEnv(rpc.Config{Advertise: endpoint.Address{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}})
	m.env.Register("Master", m)
	start(t, func(ctx context.Context) error { return m.env.Run(ctx, ln) })
	return m
}

// start runs something until the test ends.
func start(t *testing.T, run func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() error {
		cancel()
		if stopped {
			return nil
		}
		stopped = true
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			t.Fatalf("does not end in %v", patience)
			return nil
		}
	}
	t.Cleanup(func() { stop() })
	return stop
}

func (m *fakeMaster) Receive(msg *rpc.Message) {
	got, err := deploy.Decode(msg.Content, msg.Conn)
	if err != nil {
		m.t.Errorf("message from the Worker: %v", err)
		return
	}
	if msg.Asked() {
		msg.Reply(rpc.Boolean(true))
	}
	m.messages <- got
}

func (m *fakeMaster) Event(rpc.Event) {}

func (m *fakeMaster) url() string { return m.env.Address().URL() }

// send sends the Worker a message.
func (m *fakeMaster) send(to endpoint.Ref, msg deploy.Message) {
	m.t.Helper()
	v, err := build.Encode(msg)
	if err == nil {
		err = m.env.Send(to, v)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// next waits for a message of a type; others are skipped.
func next[M deploy.Message](m *fakeMaster) M {
	m.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-m.messages:
			if want, ok := got.(M); ok {
				return want
			}
		case <-deadline:
			var want M
			m.t.Fatalf("no %T in %v", want, patience)
		}
	}
}

// sparkHome is a directory that looks like a Spark, whose java is a shell script.
func sparkHome(t *testing.T, java string) (home, javaHome string) {
	t.Helper()
	home, javaHome = t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(home, "jars", "spark-core_2.13-4.0.0.jar"): "",
		filepath.Join(home, "jars", "slf4j-api-2.0.16.jar"):      "",
		filepath.Join(javaHome, "bin", "java"):                   "#!/bin/sh\n" + java,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return home, javaHome
}

// running is a Worker that a fake Master has welcomed.
type running struct {
	master *fakeMaster
	worker deploy.RegisterWorker
	cfg    Config
	stop   func() error
}

func newRunning(t *testing.T, java string) *running {
	t.Helper()
	m := newFakeMaster(t)
	home, javaHome := sparkHome(t, java)
	cfg := Config{
		Masters: []endpoint.Address{m.env.Address()}, Host: "127.0.0.1", Cores: 4, Memory: 2048, WorkDir: t.TempDir(), SparkHome: home,
		Environ: map[string]string{"PATH": os.Getenv("PATH"), "JAVA_HOME": javaHome, "SPARK_LOCAL_DIRS": t.TempDir()},
	}
	r := &running{master: m, cfg: cfg}
	r.stop = start(t, func(ctx context.Context) error { return Run(ctx, cfg, slog.New(slog.DiscardHandler)) })
	r.worker = next[deploy.RegisterWorker](m)
	m.send(r.worker.Worker, deploy.RegisteredWorker{
		Master: endpoint.Ref{Name: "Master", Address: m.env.Address()}, MasterWebUI: "http://master:8080", MasterAddress: m.env.Address(),
	})
	next[deploy.WorkerLatestState](m)
	next[deploy.Heartbeat](m)
	return r
}

func (r *running) launch(app string, exec int) {
	r.master.send(r.worker.Worker, deploy.LaunchExecutor{
		MasterURL: r.master.url(), AppID: app, ExecID: exec, Cores: 2, Memory: 512,
		App: deploy.ApplicationDescription{Name: "test", Command: deploy.Command{
			MainClass: "Main", Arguments: []string{"{{EXECUTOR_ID}}", "{{WORKER_URL}}", "x{{CORES}}"},
			Environment: map[string]string{"FROM": "driver"}, JavaOpts: []string{"-Da={{APP_ID}}", "-Dspark.authenticate.secret=s"},
		}},
	})
}

func (r *running) state(state deploy.ExecutorState) deploy.ExecutorStateChanged {
	r.master.t.Helper()
	got := next[deploy.ExecutorStateChanged](r.master)
	if got.State != state {
		message := ""
		if got.Message != nil {
			message = *got.Message
		}
		r.master.t.Fatalf("executor is %v (%s), expected %v", got.State, message, state)
	}
	return got
}

func (r *running) read(path ...string) string {
	r.master.t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{r.cfg.WorkDir}, path...)...))
	if err != nil {
		r.master.t.Fatal(err)
	}
	return string(b)
}

func TestExecutorRunsWithSparksCommandLine(t *testing.T) {
	r := newRunning(t, `echo "$@"; echo "$FROM $SPARK_EXECUTOR_DIRS" >&2; stat -c %a $SPARK_EXECUTOR_DIRS >&2; exit 3`)
	r.launch("app-1", 7)
	r.state(deploy.ExecutorRunning)
	end := r.state(deploy.ExecutorExited)
	if end.ExitStatus == nil || *end.ExitStatus != 3 || *end.Message != "Command exited with code 3" {
		t.Errorf("the end is %+v", end)
	}
	home := r.cfg.SparkHome
	want := fmt.Sprintf("-cp %s/conf:%s/jars/slf4j-api-2.0.16.jar:%s/jars/* -Xmx512M -Da=app-1 Main 7 %v x{{CORES}}\n", home, home, home, r.worker.Worker)
	if got := r.read("app-1", "7", "stdout"); got != want {
		t.Errorf("arguments are\n%s expected\n%s", got, want)
	}
	stderr := r.read("app-1", "7", "stderr")
	if !strings.HasPrefix(stderr, `Spark Executor Command: "`) || !strings.Contains(stderr, "\n"+strings.Repeat("=", 40)+"\n\n") ||
		!strings.Contains(stderr, "driver "+r.cfg.Environ["SPARK_LOCAL_DIRS"]+"/spark-") || !strings.Contains(stderr, "\n700\n") {
		t.Errorf("stderr is\n%s", stderr)
	}
}

func TestExecutorsOfAnApplicationShareItsDirectories(t *testing.T) {
	r := newRunning(t, `echo $SPARK_EXECUTOR_DIRS`)
	for exec := range 2 {
		r.launch("app-1", exec)
		r.state(deploy.ExecutorRunning)
		r.state(deploy.ExecutorExited)
	}
	shared := strings.TrimSpace(r.read("app-1", "0", "stdout"))
	if again := strings.TrimSpace(r.read("app-1", "1", "stdout")); shared != again || shared == "" {
		t.Errorf("directories are %q and %q", shared, again)
	}
	r.master.send(r.worker.Worker, deploy.ApplicationFinished{ID: "app-1"})
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(shared); os.IsNotExist(err) {
			break
		}
		if time.Since(start) > patience {
			t.Fatal("the directories of an application stay after its end")
		}
	}
}

func TestWhatCannotStartFails(t *testing.T) {
	r := newRunning(t, `exit 0`)
	if err := os.MkdirAll(filepath.Join(r.cfg.WorkDir, "app-1", "1"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.launch("app-1", 1)
	if end := r.state(deploy.ExecutorFailed); !strings.Contains(*end.Message, "failed to create directory of executor app-1/1") {
		t.Errorf("the end is %s", *end.Message)
	}
	r.launch("../app-1", 1)
	if end := r.state(deploy.ExecutorFailed); !strings.Contains(*end.Message, "cannot be the name of a directory") {
		t.Errorf("the end is %s", *end.Message)
	}
	if err := os.Remove(filepath.Join(r.cfg.Environ["JAVA_HOME"], "bin", "java")); err != nil {
		t.Fatal(err)
	}
	r.launch("app-2", 1)
	if end := r.state(deploy.ExecutorFailed); !strings.Contains(*end.Message, "bin/java") {
		t.Errorf("the end is %s", *end.Message)
	}
	if n := len(r.json(t)["executors"].([]any)); n != 0 {
		t.Errorf("%d executors are still counted", n)
	}
}

func TestKilledExecutorsEnd(t *testing.T) {
	r := newRunning(t, `exec sleep 1000`)
	r.launch("app-1", 1)
	r.state(deploy.ExecutorRunning)
	r.master.send(r.worker.Worker, deploy.KillExecutor{MasterURL: r.master.url(), AppID: "app-1", ExecID: 1})
	if end := r.state(deploy.ExecutorKilled); end.ExitStatus == nil || *end.ExitStatus != 143 {
		t.Errorf("the end is %+v", end)
	}
}

func TestNothingOutlivesAWorker(t *testing.T) {
	r := newRunning(t, `exec sleep 1000`)
	r.launch("app-1", 1)
	r.state(deploy.ExecutorRunning)
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	r.state(deploy.ExecutorKilled)
	if left, err := filepath.Glob(filepath.Join(r.cfg.Environ["SPARK_LOCAL_DIRS"], "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func (r *running) driver(id, jar string, supervise bool) {
	r.master.send(r.worker.Worker, deploy.LaunchDriver{DriverID: id, Driver: deploy.DriverDescription{
		JarURL: jar, Memory: 256, Cores: 1, Supervise: supervise,
		Command: deploy.Command{MainClass: "Wrapper", Arguments: []string{"{{WORKER_URL}}", "{{USER_JAR}}", "Main"}},
	}})
}

func TestDriverRunsWithItsJar(t *testing.T) {
	r := newRunning(t, `echo "$@"`)
	jar := filepath.Join(t.TempDir(), "app.jar")
	if err := os.WriteFile(jar, []byte("jar"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.driver("driver-1", "file:"+jar, false)
	if end := next[deploy.DriverStateChanged](r.master); end.State != deploy.DriverFinished || end.Exception != nil {
		t.Errorf("the end is %+v", end)
	}
	want := fmt.Sprintf(" -Xmx256M Wrapper %v %s/driver-1/app.jar Main\n", r.worker.Worker, r.cfg.WorkDir)
	if got := r.read("driver-1", "stdout"); !strings.HasSuffix(got, want) {
		t.Errorf("arguments are\n%s expected them to end in\n%s", got, want)
	}
	r.driver("driver-2", "hdfs://nowhere/app.jar", false)
	if end := next[deploy.DriverStateChanged](r.master); end.State != deploy.DriverError || !strings.Contains(end.Exception.Message, `scheme "hdfs" is not supported`) {
		t.Errorf("the end is %+v", end)
	}
}

func TestSupervisedDriverIsStartedAgainUntilItEndsWell(t *testing.T) {
	r := newRunning(t, `echo run; [ $(wc -l < stdout) = 2 ]`)
	jar := filepath.Join(t.TempDir(), "app.jar")
	if err := os.WriteFile(jar, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.driver("driver-1", jar, true)
	if end := next[deploy.DriverStateChanged](r.master); end.State != deploy.DriverFinished || r.read("driver-1", "stdout") != "run\nrun\n" {
		t.Errorf("the end is %+v after\n%s", end, r.read("driver-1", "stdout"))
	}
	r.driver("driver-2", jar, false)
	if end := next[deploy.DriverStateChanged](r.master); end.State != deploy.DriverFailed {
		t.Errorf("the end is %+v", end)
	}
}

func (r *running) get(t *testing.T, path string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(r.worker.WebUI + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (r *running) json(t *testing.T) map[string]any {
	t.Helper()
	var state map[string]any
	if err := json.Unmarshal([]byte(r.get(t, "/json/")), &state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestPages(t *testing.T) {
	r := newRunning(t, `echo hello; exec sleep 1000`)
	r.launch("app-1", 1)
	r.state(deploy.ExecutorRunning)
	state := r.json(t)
	if state["coresused"] != 2.0 || state["memoryused"] != 512.0 || state["masterurl"] != r.master.url() || len(state["executors"].([]any)) != 1 {
		t.Errorf("state is %v", state)
	}
	for start := time.Now(); r.read("app-1", "1", "stdout") == "" && time.Since(start) < patience; {
		time.Sleep(time.Millisecond)
	}
	const log = "?appId=app-1&executorId=1&logType=stdout"
	if got, want := r.get(t, "/log/"+log), fmt.Sprintf("==== Bytes 0-6 of 6 of %s/app-1/1/stdout ====\nhello\n", r.cfg.WorkDir); got != want {
		t.Errorf("log is %q, expected %q", got, want)
	}
	if got := r.get(t, "/log/"+log+"&offset=1&byteLength=2"); !strings.HasSuffix(got, "\nel") {
		t.Errorf("piece of the log is %q", got)
	}
	if got := r.get(t, "/logPage/"+log); !strings.Contains(got, "hello") {
		t.Errorf("page is %q", got)
	}
	if got := r.get(t, "/"); !strings.Contains(got, "app-1") {
		t.Errorf("page is %q", got)
	}
	for _, bad := range []string{"?appId=..&executorId=..&logType=stdout", "?appId=app-1&executorId=1&logType=passwd", "?driverId=../x&logType=stdout"} {
		if got := r.get(t, "/log/"+bad); !strings.HasPrefix(got, "Error: ") {
			t.Errorf("%s gives %q", bad, got)
		}
	}
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	home, _ := sparkHome(t, "")
	good := Config{Masters: []endpoint.Address{{Host: "m", Port: 1}}, Host: "h", Cores: 1, Memory: 1, SparkHome: home}
	if err := good.Validate(); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"no Master":                         func(c *Config) { c.Masters = nil },
		"SPARK_HOME is not set":             func(c *Config) { c.SparkHome = "" },
		"external shuffle service":          func(c *Config) { c.Properties = map[string]string{"spark.shuffle.service.enabled": "true"} },
		"without spark.authenticate.secret": func(c *Config) { c.Properties = map[string]string{"spark.authenticate": "true"} },
	} {
		c := good
		change(&c)
		if err := Run(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	good.SparkHome = t.TempDir()
	if err := Run(t.Context(), good, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "spark-core") {
		t.Errorf("an empty SPARK_HOME: %v", err)
	}
}
