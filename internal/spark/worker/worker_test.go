package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

var (
	m1 = endpoint.Address{Host: "m1", Port: 7077}
	m2 = endpoint.Address{Host: "m2", Port: 7077}
	me = endpoint.Ref{Name: "Worker", Address: endpoint.Address{Host: "w1", Port: 4001}}
)

// master is a Master that is reached by a connection.
func master(at endpoint.Address, via endpoint.ConnID) endpoint.Ref {
	return endpoint.Ref{Name: "Master", Address: at, Via: via}
}

// play is a Worker with a clock.
type play struct {
	t   *testing.T
	w   *Worker
	now core.Time
}

func start(t *testing.T, change ...func(*Config)) (*play, []string) {
	cfg := Config{ID: "worker-1", Self: me, Cores: 8, Memory: 4096, WebUI: "http://w1:8081", Masters: []endpoint.Address{m1, m2}}
	for _, f := range change {
		f(&cfg)
	}
	p := &play{t: t, w: New(cfg)}
	return p, p.step(Start{})
}

// registered is a Worker that m1 has welcomed on connection 1.
func registered(t *testing.T, change ...func(*Config)) *play {
	p, _ := start(t, change...)
	p.receive(deploy.RegisteredWorker{Master: master(m1, 1), MasterAddress: m1})
	return p
}

// step gives what is to be done, notices left out.
func (p *play) step(in Input) []string {
	var said []string
	for _, o := range p.w.Step(p.now, in) {
		if s := describe(o); s != "" {
			said = append(said, s)
		}
	}
	return said
}

func (p *play) receive(m deploy.Message) []string { return p.step(Received{m}) }

// wait lets time pass, with a Tick whenever one is due.
func (p *play) wait(d time.Duration) []string {
	var said []string
	for end := p.now.Mono + d; ; {
		next := p.w.Deadline()
		if next > end {
			p.now = p.now.Add(end - p.now.Mono)
			return said
		}
		p.now = p.now.Add(max(next-p.now.Mono, 0))
		for _, s := range p.step(Tick{}) {
			said = append(said, fmt.Sprintf("%v %s", p.now.Mono, s))
		}
	}
}

func describe(o Output) string {
	switch o := o.(type) {
	case Register:
		return "register with " + o.To.String()
	case Send:
		return fmt.Sprintf("send %s by %d", strings.TrimPrefix(fmt.Sprintf("%T", o.Message), "deploy."), o.To.Via)
	case Report:
		return fmt.Sprintf("report %s/%d %v by %d", o.Message.AppID, o.Message.ExecID, o.Message.State, o.To.Via)
	case StartExecutor:
		return "start executor " + o.ID.String()
	case KillExecutor:
		return "kill executor " + o.ID.String()
	case StartDriver:
		return "start driver " + o.ID
	case KillDriver:
		return "kill driver " + o.ID
	case RemoveApplication:
		return "remove application " + o.AppID
	case CleanWorkDir:
		return fmt.Sprintf("clean but for %v", o.Keep)
	case Exit:
		return fmt.Sprintf("exit %d: %s", o.Code, o.Why)
	}
	return ""
}

// notices gives what would be in the log.
func (p *play) notices(in Input) string {
	var said []string
	for _, o := range p.w.Step(p.now, in) {
		if n, ok := o.(Notice); ok {
			said = append(said, fmt.Sprintf("%d %s %s %s", n.Level, n.Text, n.Master, n.Detail))
		}
	}
	return strings.Join(said, "\n")
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
}

func launch(app string, exec int) deploy.LaunchExecutor {
	return deploy.LaunchExecutor{MasterURL: m1.URL(), AppID: app, ExecID: exec, Cores: 2, Memory: 1024,
		Resources: map[string]deploy.Resource{"gpu": {Name: "gpu", Addresses: []string{fmt.Sprint(exec)}}}}
}

func (p *play) used() string {
	v := p.w.View()
	return fmt.Sprintf("%d cores %d MiB %d gpus", v.CoresUsed, v.MemoryUsed, len(v.ResourcesUsed["gpu"].Addresses))
}

func TestEveryMasterIsTriedQuicklyThenSlowlyThenNever(t *testing.T) {
	p, first := start(t)
	want(t, first, "register with m1:7077", "register with m2:7077")
	said := p.wait(time.Hour)
	want(t, said[:2], "10s register with m1:7077", "10s register with m2:7077")
	if n := len(said); n != 2*16+1 || said[n-1] != "12m0s exit 1: all Masters are unresponsive" {
		t.Errorf("%d attempts, the last output is %q", n/2, said[n-1])
	}
	if said[11] != "1m0s register with m2:7077" || said[12] != "2m0s register with m1:7077" {
		t.Errorf("attempts 6 and 7 are %q and %q", said[11], said[12])
	}
}

func TestWorkersDoNotComeAllAtOnce(t *testing.T) {
	p, _ := start(t, func(c *Config) { c.Fuzz = 1.26 })
	if at := p.w.Deadline(); at != 13*time.Second {
		t.Errorf("the first retry is after %v, expected 13s", at)
	}
}

func TestAWelcomeStartsHeartbeatsAndCleaning(t *testing.T) {
	p, _ := start(t)
	got := p.receive(deploy.RegisteredWorker{Master: master(m2, 7), MasterAddress: m2})
	want(t, got, "send WorkerLatestState by 7", "send Heartbeat by 7")
	want(t, p.wait(31*time.Second), "15s send Heartbeat by 7", "30s send Heartbeat by 7")
	said := p.wait(30 * time.Minute)
	if said[len(said)-1] != "30m30s send Heartbeat by 7" || !strings.Contains(strings.Join(said, "\n"), "30m0s clean but for []") {
		t.Errorf("in half an hour: %q", said)
	}
}

func TestHoweverOftenRegisteredThereIsOnePairOfTimers(t *testing.T) {
	p := registered(t)
	for range 5 {
		p.wait(time.Second)
		p.receive(deploy.RegisteredWorker{Master: master(m1, 1), MasterAddress: m1, Duplicate: true})
	}
	beats, cleanings := 0, 0
	for _, s := range p.wait(time.Hour) {
		if strings.Contains(s, "Heartbeat") {
			beats++
		}
		if strings.Contains(s, "clean") {
			cleanings++
		}
	}
	if beats != 240 || cleanings != 2 {
		t.Errorf("%d heartbeats and %d cleanings in an hour, expected 240 and 2", beats, cleanings)
	}
}

func TestALostMasterIsLookedForAndEverythingGoesOn(t *testing.T) {
	p := registered(t)
	p.receive(launch("app", 1))
	want(t, p.step(Disconnected{Conn: 99}))
	want(t, p.step(Disconnected{Conn: 1}), "register with m1:7077", "register with m2:7077")
	want(t, p.step(Disconnected{Conn: 1}))
	want(t, p.wait(11*time.Second), "10s register with m1:7077")
	got := p.receive(deploy.RegisteredWorker{Master: master(m1, 2), MasterAddress: m1})
	want(t, got, "send WorkerLatestState by 2", "send Heartbeat by 2")
	if p.used() != "2 cores 1024 MiB 1 gpus" {
		t.Errorf("in use: %s", p.used())
	}
}

// What happens while no Master is there is told to the next, in order.
func TestEndsWithoutAMasterAreToldLater(t *testing.T) {
	p := registered(t)
	p.receive(launch("app", 1))
	p.receive(deploy.LaunchDriver{DriverID: "driver-1"})
	running := ExecutorChanged{ID: ExecutorID{"app", 1}, State: deploy.ExecutorRunning}
	want(t, p.step(running), "report app/1 RUNNING by 1")
	p.step(Disconnected{Conn: 1})
	p.step(Reported{Report: deploy.ExecutorStateChanged{AppID: "app", ExecID: 1, State: deploy.ExecutorRunning}, Err: "gone"})
	want(t, p.step(ExecutorChanged{ID: ExecutorID{"app", 1}, State: deploy.ExecutorExited}))
	want(t, p.step(DriverChanged{ID: "driver-1", State: deploy.DriverFinished}))
	got := p.receive(deploy.MasterChanged{Master: master(m2, 3)})
	want(t, got, "send WorkerSchedulerStateResponse by 3", "report app/1 RUNNING by 3", "report app/1 EXITED by 3", "send DriverStateChanged by 3")
}

func TestARefusalEndsAWorkerThatIsNotRegistered(t *testing.T) {
	p, _ := start(t)
	want(t, p.receive(deploy.RegisterWorkerFailed{Message: "no"}), "exit 1: worker registration failed: no")
	p = registered(t)
	want(t, p.receive(deploy.RegisterWorkerFailed{Message: "no"}))
	want(t, p.receive(deploy.MasterInStandby{}))
}

func TestReconnectRegistersAgain(t *testing.T) {
	p := registered(t)
	want(t, p.receive(deploy.ReconnectWorker{MasterURL: m1.URL()}), "register with m1:7077", "register with m2:7077")
}

func TestExecutorsAreCountedUntilTheirEnd(t *testing.T) {
	p := registered(t)
	want(t, p.receive(launch("app", 1)), "start executor app/1")
	want(t, p.receive(launch("app", 2)), "start executor app/2")
	if p.used() != "4 cores 2048 MiB 2 gpus" {
		t.Errorf("in use: %s", p.used())
	}
	want(t, p.receive(deploy.KillExecutor{MasterURL: m1.URL(), AppID: "app", ExecID: 1}), "kill executor app/1")
	want(t, p.receive(deploy.ApplicationFinished{ID: "app"}))
	killed := ExecutorChanged{ID: ExecutorID{"app", 1}, State: deploy.ExecutorKilled, ExitStatus: new(143)}
	want(t, p.step(killed), "report app/1 KILLED by 1")
	want(t, p.step(killed))
	failed := ExecutorChanged{ID: ExecutorID{"app", 2}, State: deploy.ExecutorFailed, Message: new("no java")}
	want(t, p.step(failed), "report app/2 FAILED by 1", "remove application app")
	if p.used() != "0 cores 0 MiB 0 gpus" || len(p.w.View().FinishedExecutors) != 2 {
		t.Errorf("in use: %s, finished %v", p.used(), p.w.View().FinishedExecutors)
	}
	want(t, p.receive(deploy.ApplicationFinished{ID: "other"}), "remove application other")
}

func TestAnExecutorThatRunsAlreadyIsEndedAndForgotten(t *testing.T) {
	p := registered(t)
	p.receive(launch("app", 1))
	want(t, p.receive(launch("app", 1)), "kill executor app/1", "report app/1 FAILED by 1")
	if p.used() != "0 cores 0 MiB 0 gpus" {
		t.Errorf("in use: %s", p.used())
	}
	want(t, p.step(ExecutorChanged{ID: ExecutorID{"app", 1}, State: deploy.ExecutorKilled}))
}

func TestWhatCannotBeUnderstoodIsAFailureOfItsExecutor(t *testing.T) {
	p := registered(t)
	want(t, p.step(Unreadable{Executor: &ExecutorID{"app", 1}, Err: "strange"}), "report app/1 FAILED by 1")
	want(t, p.step(Unreadable{Driver: "driver-1", Err: "strange"}), "send DriverStateChanged by 1")
}

func TestOnlyTheActiveMasterIsObeyed(t *testing.T) {
	p := registered(t)
	other := launch("app", 1)
	other.MasterURL = m2.URL()
	if said := p.notices(Received{other}); said != "2 a Master that is not the active one asked for an executor: refused spark://m2:7077 " {
		t.Errorf("log: %s", said)
	}
	want(t, p.receive(other))
	p.receive(launch("app", 1))
	want(t, p.receive(deploy.KillExecutor{MasterURL: m2.URL(), AppID: "app", ExecID: 1}))
}

func TestADecommissionedWorkerTakesNoMore(t *testing.T) {
	p := registered(t)
	want(t, p.receive(deploy.DecommissionWorker{}))
	want(t, p.receive(launch("app", 1)), "start executor app/1") // the feature is off
	p = registered(t, func(c *Config) { c.Decommission = true })
	want(t, p.step(Decommission{}), "send WorkerDecommissioning by 1")
	want(t, p.receive(launch("app", 1)))
}

func TestDriversAreCountedUntilTheirOneEnd(t *testing.T) {
	p := registered(t)
	d := deploy.LaunchDriver{DriverID: "driver-1", Driver: deploy.DriverDescription{Cores: 1, Memory: 512}}
	want(t, p.receive(d), "start driver driver-1")
	want(t, p.receive(d))
	if p.used() != "1 cores 512 MiB 0 gpus" {
		t.Errorf("in use: %s", p.used())
	}
	want(t, p.receive(deploy.KillDriver{DriverID: "driver-1"}), "kill driver driver-1")
	if said := p.notices(Received{deploy.KillDriver{DriverID: "driver-2"}}); !strings.HasPrefix(said, "3 asked to kill a driver that is not here") {
		t.Errorf("log: %s", said)
	}
	end := DriverChanged{ID: "driver-1", State: deploy.DriverError, Exception: &deploy.Exception{Message: "no jar"}}
	want(t, p.step(end), "send DriverStateChanged by 1")
	want(t, p.step(end))
	if p.used() != "0 cores 0 MiB 0 gpus" || p.w.View().FinishedDrivers[0].State != deploy.DriverError {
		t.Errorf("in use: %s, finished %v", p.used(), p.w.View().FinishedDrivers)
	}
}

func TestReportsAreMadeAgainAndGivenUpInTheEnd(t *testing.T) {
	p := registered(t)
	p.receive(launch("app", 1))
	report := deploy.ExecutorStateChanged{AppID: "app", ExecID: 1, State: deploy.ExecutorExited}
	for i := range 4 {
		want(t, p.step(Reported{Report: report, Err: "refused", Timeout: i%2 == 0}))
		said := strings.Join(p.wait(2*time.Minute), "\n")
		if !strings.Contains(said, "report app/1 EXITED by 1") {
			t.Errorf("attempt %d is not made again: %s", i+1, said)
		}
	}
	want(t, p.step(Reported{Report: report, Err: "refused"}), "kill executor app/1", "exit 1: the Master does not take the state of executors")
	p = registered(t)
	for range 20 {
		p.step(Reported{Report: report, Err: "refused"})
		want(t, p.step(Reported{Report: report}))
	}
}

func TestCleaningSparesWhatLives(t *testing.T) {
	p := registered(t)
	p.receive(launch("app-1", 1))
	p.receive(launch("app-1", 2))
	p.receive(deploy.LaunchDriver{DriverID: "driver-1"})
	if said := strings.Join(p.wait(30*time.Minute), "\n"); !strings.Contains(said, "clean but for [app-1 driver-1]") {
		t.Errorf("in half an hour: %s", said)
	}
	p = registered(t, func(c *Config) { c.NoCleanup = true })
	if said := strings.Join(p.wait(time.Hour), "\n"); strings.Contains(said, "clean") {
		t.Errorf("with cleaning off: %s", said)
	}
}

func TestStopEndsEverything(t *testing.T) {
	p := registered(t)
	p.receive(launch("b", 1))
	p.receive(launch("a", 2))
	p.receive(deploy.LaunchDriver{DriverID: "driver-1"})
	want(t, p.step(Stop{}), "kill executor a/2", "kill executor b/1", "kill driver driver-1")
	want(t, p.receive(launch("c", 1)))
	want(t, p.step(Disconnected{Conn: 1}))
	if p.w.Deadline() != core.Never {
		t.Errorf("a timer is left: %v", p.w.Deadline())
	}
}

func TestFinishedOnesAreKeptUpToALimit(t *testing.T) {
	p := registered(t, func(c *Config) { c.Retained = 20 })
	for i := range 100 {
		p.receive(launch("app", i))
		p.step(ExecutorChanged{ID: ExecutorID{"app", i}, State: deploy.ExecutorExited})
		if n := len(p.w.View().FinishedExecutors); n > 20 {
			t.Fatalf("%d are kept", n)
		}
	}
	if last := p.w.View().FinishedExecutors; last[len(last)-1].ID.Exec != 99 {
		t.Errorf("the last is lost: %v", last)
	}
}
