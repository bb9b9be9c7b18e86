package deploy

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// samples are messages of every kind with every field set, and some with as few as possible.
func samples() []Message {
	at := endpoint.Address{Host: "host", Port: 7077}
	worker, master := endpoint.Ref{Name: "Worker", Address: endpoint.Address{Host: "w1", Port: 4001}}, endpoint.Ref{Name: "Master", Address: at}
	gpus := map[string]Resource{"gpu": {Name: "gpu", Addresses: []string{"0", "1"}}, "fpga": {Name: "fpga"}}
	profile := ResourceProfile{ID: 3,
		Executors: map[string]ExecutorResourceRequest{
			"cores":  {ResourceName: "cores", Amount: 2},
			"memory": {ResourceName: "memory", Amount: 1024},
			"gpu":    {ResourceName: "gpu", Amount: 1, DiscoveryScript: "/bin/gpus", Vendor: "v"},
		},
		Tasks: map[string]TaskResourceRequest{"cpus": {ResourceName: "cpus", Amount: 0.5}},
	}
	command := Command{
		MainClass: "org.apache.spark.executor.CoarseGrainedExecutorBackend", Arguments: []string{"--driver-url", "{{WORKER_URL}}"},
		Environment:      map[string]string{"A": "1", "B": "2", "C": "3", "D": "é", "E": "", "F": "6"},
		ClassPathEntries: []string{"/a.jar"}, LibraryPathEntries: []string{"/lib"}, JavaOpts: []string{"-Dx=y"},
	}
	app := ApplicationDescription{
		Name: "app", MaxCores: new(4), Command: command, AppUI: "http://driver:4040", DefaultProfile: profile,
		EventLogDir: new(URI("file:/tmp/events")), EventLogCodec: new("zstd"), InitialExecutorLimit: new(0), User: "me",
	}
	driver := DriverDescription{
		JarURL: "file:/a.jar", Memory: 512, Cores: 1, Supervise: true, Command: command,
		ResourceReqs: []ResourceRequirement{{ResourceName: "gpu", Amount: 2, NumParts: 1}},
	}
	executor := ExecutorDescription{AppID: "app-1", ExecID: 2, RPID: 3, Cores: 4, Memory: 5, State: ExecutorRunning}
	broken := &Exception{Class: "java.lang.Exception", Message: "no jar"}
	return []Message{
		RegisterWorker{ID: "worker-1", Host: "w1", Port: 4001, Worker: worker, Cores: 8, Memory: 4096, WebUI: "http://w1:8081", MasterAddress: at, Resources: gpus},
		RegisterWorker{ID: "worker-2"},
		Heartbeat{WorkerID: "worker-1", Worker: worker},
		ExecutorStateChanged{AppID: "app-1", ExecID: 1, State: ExecutorExited, Message: new("Command exited with code 1"), ExitStatus: new(1)},
		ExecutorStateChanged{AppID: "app-1", ExecID: 1, State: ExecutorLaunching},
		DriverStateChanged{DriverID: "driver-1", State: DriverError, Exception: broken},
		DriverStateChanged{DriverID: "driver-1", State: DriverFinished},
		WorkerLatestState{ID: "worker-1", Executors: []ExecutorDescription{executor, executor}, DriverIDs: []string{"driver-1"}},
		WorkerLatestState{ID: "worker-1"},
		WorkerSchedulerStateResponse{ID: "worker-1",
			Executors: []WorkerExecutorStateResponse{{Desc: executor, Resources: gpus}},
			Drivers:   []WorkerDriverStateResponse{{DriverID: "driver-1", Resources: gpus}}},
		WorkerDecommissioning{ID: "worker-1", Worker: worker},
		RegisteredWorker{Master: master, MasterWebUI: "http://host:8080", MasterAddress: at, Duplicate: true},
		RegisterWorkerFailed{Message: "no"},
		MasterInStandby{},
		ReconnectWorker{MasterURL: "spark://host:7077"},
		LaunchExecutor{MasterURL: "spark://host:7077", AppID: "app-1", ExecID: 1, RPID: 3, App: app, Cores: 2, Memory: 1024, Resources: gpus},
		KillExecutor{MasterURL: "spark://host:7077", AppID: "app-1", ExecID: 1},
		LaunchDriver{DriverID: "driver-1", Driver: driver, Resources: gpus},
		KillDriver{DriverID: "driver-1"},
		ApplicationFinished{ID: "app-1"},
		MasterChanged{Master: master, MasterWebUI: "http://host:8080"},
		DecommissionWorker{},
		RegisterApplication{App: app, Driver: endpoint.Ref{Name: "AppClient", Address: at}},
		UnregisterApplication{AppID: "app-1"},
		MasterChangeAcknowledged{AppID: "app-1"},
		RequestExecutors{AppID: "app-1", Totals: ProfileTotals{{Profile: profile, Total: 7}}},
		KillExecutors{AppID: "app-1", ExecutorIDs: []string{"1", "2"}},
		RegisteredApplication{AppID: "app-1", Master: master},
		ExecutorAdded{ID: 1, WorkerID: "worker-1", HostPort: "w1:4001", Cores: 2, Memory: 1024},
		ExecutorUpdated{ID: 1, State: ExecutorLost, Message: new("worker lost"), ExitStatus: new(-1), WorkerHost: new("w1")},
		ApplicationRemoved{Message: "FAILED"},
		WorkerRemoved{ID: "worker-1", Host: "w1", Message: "gone"},
		RequestSubmitDriver{Driver: driver},
		SubmitDriverResponse{Master: master, Success: true, DriverID: new("driver-1"), Message: "submitted"},
		RequestKillDriver{DriverID: "driver-1"},
		KillDriverResponse{Master: master, DriverID: "driver-1", Success: false, Message: "gone"},
		RequestDriverStatus{DriverID: "driver-1"},
		DriverStatusResponse{Found: true, State: new(DriverRunning), WorkerID: new("worker-1"), WorkerHostPort: new("w1:4001"), Exception: broken},
		DriverStatusResponse{},
		RequestKillAllDrivers{},
		KillAllDriversResponse{Master: master, Success: true, Message: "bye"},
		RequestClearCompletedDriversAndApps{},
		RequestReadyz{},
		DecommissionWorkersOnHosts{Hostnames: []string{"w1"}},
	}
}

// sendable are the samples that a build has.
func sendable(b *Build) []Message {
	var all []Message
	for _, m := range samples() {
		if _, ok := b.Classes().Lookup(m.class()); ok {
			all = append(all, m)
		}
	}
	return all
}

// same ignores what is not in a message's tagged fields, and the order of profiles.
var same = cmp.Options{cmpopts.IgnoreFields(ApplicationDescription{}, "Origin"), cmpopts.EquateEmpty()}

func encode(t testing.TB, b *Build, m Message) serial.Value {
	t.Helper()
	v, err := b.Encode(m)
	if err != nil {
		t.Fatalf("%v: %T: %v", b, m, err)
	}
	return v
}

func decode(t testing.TB, v serial.Value) Message {
	t.Helper()
	m, err := Decode(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// through sends a graph through its bytes.
func through(t testing.TB, v serial.Value) serial.Value {
	t.Helper()
	bytes, err := serial.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := serial.DecodeOne(bytes, serial.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestEveryMessageIsReadAsItWasWritten(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	for _, b := range Builds() {
		for _, m := range sendable(b) {
			seen[reflect.TypeOf(m)] = true
			if d := cmp.Diff(m, decode(t, through(t, encode(t, b, m))), same); d != "" {
				t.Errorf("%v (-sent +received):\n%s", b, d)
			}
		}
	}
	for class, typ := range messages() {
		if !seen[typ] {
			t.Errorf("no sample of %s", class)
		}
	}
}

// What Spark itself wrote, when it had read the samples (see interop_test.go).
func TestEveryMessageIsReadAsSparkWritesIt(t *testing.T) {
	for _, b := range []*Build{Spark35Scala212, Spark40Scala213} {
		raw, err := os.ReadFile(sparkWrote(b))
		if err != nil {
			t.Fatal(err)
		}
		got, err := serial.Decode(raw, serial.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		want := sendable(b)
		if len(got) != len(want) {
			t.Fatalf("%v wrote %d messages, expected %d", b, len(got), len(want))
		}
		for i, m := range want {
			if d := cmp.Diff(m, decode(t, got[i]), same); d != "" {
				t.Errorf("%v (-sent +received):\n%s", b, d)
			}
		}
	}
}

// sparkWrote is the file with what a build wrote.
func sparkWrote(b *Build) string {
	return filepath.Join("testdata", "spark-"+b.Spark+"-scala-"+b.Scala+".ser")
}

func TestAnApplicationIsSentOnAsItCame(t *testing.T) {
	b := Spark40Scala213
	v := through(t, encode(t, b, RegisterApplication{App: samples()[15].(LaunchExecutor).App}))
	app := decode(t, v).(RegisterApplication).App
	if app.Origin == nil {
		t.Fatal("the driver's own description is lost")
	}
	launch := encode(t, b, LaunchExecutor{AppID: "app-1", App: app})
	if got, _ := launch.(*serial.Object).Get("appDesc"); got != app.Origin {
		t.Errorf("a Worker gets %s", serial.Describe(got))
	}
}

func TestReferencesRememberTheirConnection(t *testing.T) {
	v := through(t, encode(t, Spark35Scala212, Heartbeat{WorkerID: "w", Worker: endpoint.Ref{Name: "Worker"}}))
	m, err := Decode(v, 42)
	if err != nil || m.(Heartbeat).Worker.Via != 42 {
		t.Errorf("reference is %+v, %v", m, err)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	desc := func(name string, fields ...serial.Field) *serial.Object {
		return &serial.Object{Class: &serial.ClassDesc{Name: name, Flags: serial.Serializable, Fields: fields},
			Data: []serial.ClassData{{Fields: make([]serial.Value, len(fields))}}}
	}
	textual := desc(messagePrefix+"Heartbeat", serial.Field{Type: 'L', Name: "worker"}, serial.Field{Type: 'L', Name: "workerId"})
	textual.Data[0].Fields[0] = "text"
	appID := serial.Field{Type: 'L', Name: "appId", Signature: "Ljava/lang/String;"}
	for want, v := range map[string]serial.Value{
		"null is no message":                          nil,
		"java.lang.String is no message":              "text",
		"java.util.ArrayList (serialVersionUID 0) is": desc("java.util.ArrayList"),
		"has no field masterUrl":                      desc(messagePrefix+"KillExecutor", appID),
		"expected int":                                desc(messagePrefix+"KillExecutor", appID, serial.Field{Type: 'L', Name: "execId"}, serial.Field{Type: 'L', Name: "masterUrl"}),
		"is no reference":                             textual,
	} {
		if _, err := Decode(v, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", serial.Describe(v), err, want)
		}
	}
}

func TestWhatABuildDoesNotHaveIsNotSent(t *testing.T) {
	if _, err := Spark35Scala212.Encode(RequestReadyz{}); err == nil {
		t.Error("RequestReadyz is sent to Spark 3.5")
	}
	if _, err := Spark35Scala212.Encode(KillAllDriversResponse{}); err == nil {
		t.Error("KillAllDriversResponse is sent to Spark 3.5")
	}
	if _, err := Spark35Scala212.Encode(KillExecutor{ExecID: 1 << 40}); err == nil {
		t.Error("an executor id of 2^40 is sent")
	}
	if _, err := Spark35Scala212.Encode(ExecutorStateChanged{State: 99}); err == nil {
		t.Error("an executor state that does not exist is sent")
	}
}

func TestBuildsAreTellable(t *testing.T) {
	for _, b := range Builds() {
		v := through(t, encode(t, b, samples()[0]))
		if got := BuildsOf(v); len(got) != 1 || got[0] != b {
			t.Errorf("what %v wrote may be of %v", b, got)
		}
	}
	strange := through(t, encode(t, Spark40Scala213, samples()[0])).(*serial.Object)
	strange.Class.UID++
	if got := BuildsOf(strange); len(got) != 0 {
		t.Errorf("what no build wrote may be of %v", got)
	}
	for jar, want := range map[string]*Build{
		"spark-core_2.12-3.5.9.jar": Spark35Scala212, "spark-core_2.13-3.5.0.jar": Spark35Scala213,
		"spark-core_2.13-4.0.5-SNAPSHOT.jar": Spark40Scala213, "spark-core_2.12-3.3.1.jar": nil, "spark-sql_2.13-4.0.0.jar": nil,
	} {
		if got, err := BuildOfJar(jar); got != want || (err == nil) != (want != nil) {
			t.Errorf("%s is of %v, %v", jar, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range Builds() {
		for _, m := range sendable(b) {
			bytes, err := serial.Encode(encode(f, b, m))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := serial.DecodeOne(b, serial.Limits{Depth: 64, Values: 1 << 14})
		if err != nil {
			return
		}
		BuildsOf(v)
		Decode(v, 1)
	})
}
