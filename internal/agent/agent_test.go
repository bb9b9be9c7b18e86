package agent

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// testAgent is an agent that runs in the test process, with a real supervisor.
type testAgent struct {
	t       testing.TB
	log     *slog.Logger // of the test, unless it is set
	config  Config
	address string
	stop    context.CancelFunc
	done    chan error
}

func testLogger(t testing.TB) *slog.Logger {
	if os.Getenv("AGENT_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// startAgent starts an agent that is ended, with its tasks, at the end of the test.
func startAgent(t testing.TB, m *testMaster, change ...func(*Config)) *testAgent {
	t.Helper()
	a := &testAgent{t: t, config: Config{
		Masters: []string{m.address()}, Port: -1, WorkDir: t.TempDir(), KillTasksOnStop: true,
		Resources: "cpus:2;mem:1024;disk:1024", ExecutorShutdownGracePeriod: time.Second,
	}}
	for _, c := range change {
		c(&a.config)
	}
	a.start()
	t.Cleanup(func() { a.end() })
	return a
}

func (a *testAgent) start() {
	a.t.Helper()
	ready := make(chan string, 1)
	a.config.Ready = func(address string) { ready <- address }
	ctx, stop := context.WithCancel(context.Background())
	a.stop, a.done = stop, make(chan error, 1)
	go func() { a.done <- Run(ctx, a.config, cmp.Or(a.log, testLogger(a.t))) }()
	select {
	case a.address = <-ready:
	case err := <-a.done:
		a.t.Fatalf("the agent did not come up: %v", err)
	case <-time.After(patience):
		a.t.Fatal("the agent did not come up in time")
	}
}

func (a *testAgent) end() {
	if a.stop == nil {
		return
	}
	a.stop()
	a.stop = nil
	select {
	case err := <-a.done:
		if err != nil {
			a.t.Errorf("the agent ended with: %v", err)
		}
	case <-time.After(time.Minute):
		a.t.Error("the agent does not end")
	}
}

// sandbox is the directory of the latest run of an executor or command task.
func (a *testAgent) sandbox(executor string) string {
	return filepath.Join(a.config.WorkDir, "slaves/agent-1/frameworks/framework-1/executors", executor, "runs/latest")
}

func (a *testAgent) output(executor string) string {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.sandbox(executor), "stdout"))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func TestCommandTaskRunsToItsEnd(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	if s := m.subscribed(); s.AgentId != "" || s.Version != 1 {
		t.Fatalf("a new agent subscribes as %v", s)
	}
	m.run(frameworkInfo(), shellTask("t1", "echo hello $MESOS_TASK_ID; exit 3"))
	got := m.statuses("t1", mesos.TaskState_TASK_FAILED)
	if names := stateNames(got); names != "STARTING RUNNING FAILED" {
		t.Errorf("states: %s", names)
	}
	last := got[len(got)-1]
	if last.GetMessage() != "Command exited with status 3" || last.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR ||
		last.ExecutorId.GetValue() != "t1" || last.AgentId.GetValue() != "agent-1" || last.Reason != nil {
		t.Errorf("last status: %v", last)
	}
	for _, s := range got {
		c := s.ContainerStatus
		if c.GetContainerId().GetValue() == "" || len(c.NetworkInfos) != 1 || c.NetworkInfos[0].IpAddresses[0].GetIpAddress() != "127.0.0.1" {
			t.Errorf("container status of %s: %v", s.GetState(), c)
		}
		if (c.ExecutorPid != nil) != (s.GetState() != mesos.TaskState_TASK_STARTING) {
			t.Errorf("executor_pid of %s: %v", s.GetState(), c.ExecutorPid)
		}
	}
	if got := a.output("t1"); got != "hello t1\n" {
		t.Errorf("stdout: %q", got)
	}
}
