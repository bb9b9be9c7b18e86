package agent

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

func lastOf(statuses []*mesos.TaskStatus) *mesos.TaskStatus { return statuses[len(statuses)-1] }

func TestKilledCommandsSaySo(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	killing := frameworkInfo(mesos.FrameworkInfo_Capability_TASK_KILLING_STATE)

	m.run(killing, shellTask("polite", "sleep 300"))
	m.statuses("polite", mesos.TaskState_TASK_RUNNING)
	m.kill("polite", 0)
	got := m.statuses("polite", mesos.TaskState_TASK_KILLED)
	if stateNames(got) != "STARTING RUNNING KILLING KILLED" || lastOf(got).GetMessage() != "Command terminated with signal Terminated" {
		t.Errorf("polite: %s, %q", stateNames(got), lastOf(got).GetMessage())
	}

	m.run(killing, shellTask("stubborn", `trap "" TERM; echo ready; while :; do sleep 1; done`))
	m.statuses("stubborn", mesos.TaskState_TASK_RUNNING)
	m.kill("stubborn", 50*time.Millisecond)
	if got := lastOf(m.statuses("stubborn", mesos.TaskState_TASK_KILLED)); got.GetMessage() != "Command terminated with signal Killed" &&
		got.GetMessage() != "Command terminated with signal Terminated" { // the trap may not stand yet
		t.Errorf("stubborn: %q", got.GetMessage())
	}

	m.kill("unknown", 0)
	if got := lastOf(m.statuses("unknown", mesos.TaskState_TASK_LOST)); got.Uuid != nil {
		t.Errorf("unknown: %v", got)
	}
}

func TestStartsThatFailSayWhy(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()

	missing := shellTask("missing", "")
	missing.Command = &mesos.CommandInfo{Shell: new(false), Value: new("/no/such/program")}
	m.run(frameworkInfo(), missing)
	if got := lastOf(m.statuses("missing", mesos.TaskState_TASK_FAILED)); got.GetMessage() != "Command exited with status 1" || got.Reason != nil {
		t.Errorf("missing: %v", got)
	}
	if text, err := os.ReadFile(a.sandbox("missing") + "/stderr"); err != nil || !strings.Contains(string(text), "/no/such/program") {
		t.Errorf("stderr of missing: %q, %v", text, err)
	}

	unfetched := shellTask("unfetched", "true")
	unfetched.Command.Uris = []*mesos.CommandInfo_URI{{Value: new(site.URL + "/gone")}}
	m.run(frameworkInfo(), unfetched)
	got := m.statuses("unfetched", mesos.TaskState_TASK_FAILED)
	if s := lastOf(got); !strings.HasPrefix(s.GetMessage(), "Failed to launch container: Failed to fetch all URIs for container '") ||
		!strings.Contains(s.GetMessage(), site.URL+"/gone") || !strings.Contains(s.GetMessage(), "404") ||
		s.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED || s.ContainerStatus != nil || stateNames(got) != "FAILED" {
		t.Errorf("unfetched: %v", got)
	}
}

func TestURIsAreThereBeforeTheCommand(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "#!/bin/sh\necho from the net")
	}))
	defer site.Close()
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	task := shellTask("t1", "./program")
	task.Command.Uris = []*mesos.CommandInfo_URI{{Value: new(site.URL + "/program"), Executable: new(true), Extract: new(false)}}
	m.run(frameworkInfo(), task)
	if got := m.statuses("t1", mesos.TaskState_TASK_FINISHED); stateNames(got) != "STARTING RUNNING FINISHED" {
		t.Errorf("states: %s", stateNames(got))
	}
	if got := a.output("t1"); got != "from the net\n" {
		t.Errorf("stdout: %q", got)
	}
}

func TestTasksRunAsTheirUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs tasks as others")
	}
	m := newTestMaster(t)
	a := startAgent(t, m)
	if err := os.Chmod(a.config.WorkDir, 0o755); err != nil {
		t.Fatal(err)
	}
	openWay(t, a.config.WorkDir)
	m.subscribed()
	task := shellTask("t1", "id -un; touch mine")
	task.Command.User = new("nobody")
	m.run(frameworkInfo(), task)
	m.statuses("t1", mesos.TaskState_TASK_FINISHED)
	if got := a.output("t1"); got != "nobody\n" {
		t.Errorf("it ran as %q", got)
	}

	task = shellTask("t2", "true")
	task.Command.User = new("nobody-such")
	m.run(frameworkInfo(), task)
	got := lastOf(m.statuses("t2", mesos.TaskState_TASK_LOST))
	if want := "Failed to create executor directory '" + a.config.WorkDir + "/slaves/agent-1/frameworks/framework-1/executors/t2/runs/"; !strings.HasPrefix(got.GetMessage(), want) ||
		!strings.HasSuffix(got.GetMessage(), "': Failed to chown directory to 'nobody-such': No such user 'nobody-such'") ||
		got.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED {
		t.Errorf("t2: %v", got)
	}
}

// openWay lets everybody walk to the test's directory.
func openWay(t *testing.T, dir string) {
	for ; len(dir) > len(os.TempDir()); dir = dir[:strings.LastIndexByte(dir, '/')] {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsNotBuiltIsNotRunWithout holds that a task which asks for what the agent cannot give fails, and
// says why: to run it without would be worse.
func TestWhatIsNotBuiltIsNotRunWithout(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	for name, test := range map[string]struct {
		ask func(*mesos.TaskInfo)
		why string
	}{
		"image": {func(t *mesos.TaskInfo) {
			t.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{Image: new("alpine")}}
		}, "container images"},
		"health": {func(t *mesos.TaskInfo) { t.HealthCheck = &mesos.HealthCheck{} }, "checks of command tasks"},
		"check":  {func(t *mesos.TaskInfo) { t.Check = &mesos.CheckInfo{} }, "checks of command tasks"},
	} {
		task := shellTask(name, "true")
		test.ask(task)
		m.run(frameworkInfo(), task)
		got := m.statuses(name, mesos.TaskState_TASK_FAILED)
		want := "Failed to launch container: this agent does not support " + test.why + " yet"
		if s := lastOf(got); stateNames(got) != "FAILED" || s.GetMessage() != want ||
			s.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED {
			t.Errorf("%s: statuses: %v", name, got)
		}
	}
}
