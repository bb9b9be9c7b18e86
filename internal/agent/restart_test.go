package agent

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
)

// restart stops the agent, leaving its tasks alone, does something, and starts it again.
func (a *testAgent) restart(meanwhile func()) {
	a.t.Helper()
	a.end()
	meanwhile()
	a.start()
}

func leaveTasks(c *Config) { c.KillTasksOnStop = false }

// endForGood ends what an agent that leaves its tasks has left.
func (a *testAgent) endForGood() {
	a.t.Cleanup(func() {
		a.end()
		a.config.KillTasksOnStop = true
		a.start()
		a.end()
	})
}

func TestTasksOutliveTheAgent(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m, leaveTasks)
	a.endForGood()
	m.subscribed()
	gate := filepath.Join(t.TempDir(), "gate")
	m.run(frameworkInfo(), shellTask("lives", "sleep 300"))
	m.run(frameworkInfo(), shellTask("ends", "while [ ! -e "+gate+" ]; do sleep 0.01; done; touch "+gate+".seen; exit 7"))
	m.run(frameworkInfo(), customTask("custom", "E"))
	m.statuses("lives", mesos.TaskState_TASK_RUNNING)
	m.statuses("ends", mesos.TaskState_TASK_RUNNING)
	h := newHandExecutor(a, wire.Protobuf)
	h.subscribe(&executorpb.Call_Subscribe{})
	h.event(executorpb.Event_LAUNCH)
	if err := h.update("custom", mesos.TaskState_TASK_RUNNING, 1); err != nil {
		t.Fatal(err)
	}
	h.event(executorpb.Event_ACKNOWLEDGED)

	a.restart(func() {
		if err := os.WriteFile(gate, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		waitForFile(t, gate+".seen")
		time.Sleep(50 * time.Millisecond) // for the exit to follow; too short a wait only tests less
	})
	s := m.subscribed()
	if s.AgentId != "agent-1" || s.ClusterId != "cluster-1" || len(s.Frameworks) != 1 || len(s.Executors) != 1 {
		t.Errorf("it comes back as %v", s)
	}
	if got := taskIDs(s.Tasks); !strings.Contains(got, "lives RUNNING") || !strings.Contains(got, "custom RUNNING") || !strings.Contains(got, "ends ") {
		t.Errorf("it comes back with the tasks %s", got)
	}
	if got := lastOf(m.statuses("ends", mesos.TaskState_TASK_FAILED)); got.GetMessage() != "Command exited with status 7" {
		t.Errorf("ends: %v", got)
	}

	h = newHandExecutor(a, wire.Protobuf)
	h.subscribe(&executorpb.Call_Subscribe{UnacknowledgedUpdates: []*executorpb.Call_Update{{Status: status("custom", mesos.TaskState_TASK_FINISHED, 2)}}})
	h.event(executorpb.Event_ACKNOWLEDGED)
	m.statuses("custom", mesos.TaskState_TASK_FINISHED)
	m.kill("lives", 0)
	m.statuses("lives", mesos.TaskState_TASK_KILLED)
}

func TestExecutorThatStaysAwayIsEnded(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m, leaveTasks, func(c *Config) { c.ExecutorReregistrationTimeout = 100 * time.Millisecond })
	a.endForGood()
	m.subscribed()
	m.run(frameworkInfo(), customTask("custom", "E"))
	h := newHandExecutor(a, wire.JSON)
	h.subscribe(&executorpb.Call_Subscribe{})
	h.event(executorpb.Event_LAUNCH)
	if err := h.update("custom", mesos.TaskState_TASK_RUNNING, 1); err != nil {
		t.Fatal(err)
	}
	h.event(executorpb.Event_ACKNOWLEDGED)
	a.restart(func() {})
	got := lastOf(m.statuses("custom", mesos.TaskState_TASK_FAILED))
	if got.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT || got.GetMessage() != "Executor did not reregister within 100ms" {
		t.Errorf("custom: %v", got)
	}
}

func TestDeadSupervisorIsSucceeded(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), shellTask("t1", "sleep 300"))
	pid := int(lastOf(m.statuses("t1", mesos.TaskState_TASK_RUNNING)).ContainerStatus.GetExecutorPid())
	supervisor := parentOf(t, pid)
	if err := syscall.Kill(supervisor, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	got := lastOf(m.statuses("t1", mesos.TaskState_TASK_FAILED))
	if got.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED || !strings.Contains(got.GetMessage(), "supervisor died") {
		t.Errorf("t1: %v", got)
	}
	if lives(pid) {
		t.Errorf("the task's process %d lives on", pid)
	}
	m.run(frameworkInfo(), shellTask("t2", "echo again"))
	m.statuses("t2", mesos.TaskState_TASK_FINISHED)
	if got := a.output("t2"); got != "again\n" {
		t.Errorf("stdout of t2: %q", got)
	}
}

// stat gives the fields of /proc/<pid>/stat from the state on; none if there is no such process.
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
}

// lives reports whether a process runs: one that nobody has waited for yet does not.
func lives(pid int) bool {
	fields := stat(pid)
	return len(fields) > 0 && fields[0] != "Z"
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	fields := stat(pid)
	if len(fields) < 2 {
		t.Fatalf("process %d is gone", pid)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	return parent
}

func TestStopEndsEverything(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), shellTask("t1", "sleep 300 & sleep 300"))
	m.run(frameworkInfo(), customTask("t2", "E"))
	pid := int(lastOf(m.statuses("t1", mesos.TaskState_TASK_RUNNING)).ContainerStatus.GetExecutorPid())
	waitForFile(t, filepath.Join(a.sandbox("E"), "env.txt"))
	a.end()
	m.statuses("t1", mesos.TaskState_TASK_KILLED)
	m.statuses("t2", mesos.TaskState_TASK_FAILED)
	if lives(pid) {
		t.Errorf("the task's process %d lives on", pid)
	}
	if _, err := os.Stat(filepath.Join(a.config.WorkDir, "supervisors")); err == nil {
		t.Error("the supervisors' directory is still there")
	}
}

func TestLinkThatBreaksComesBackWithWhatIsOwed(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	m.ack.Store(false)
	m.run(frameworkInfo(), shellTask("t1", "true"))
	m.statuses("t1", mesos.TaskState_TASK_STARTING)
	m.ack.Store(true)
	m.cut()
	if s := m.subscribed(); s.AgentId != "agent-1" || !strings.HasPrefix(taskIDs(s.Tasks), "t1 ") {
		t.Errorf("it comes back as %v", s)
	}
	if got := m.statuses("t1", mesos.TaskState_TASK_FINISHED); stateNames(got) != "STARTING RUNNING FINISHED" {
		t.Errorf("states: %s", stateNames(got))
	}
}

func TestFinalRefusalIsTheEnd(t *testing.T) {
	m := newTestMaster(t)
	m.refuse = &linkpb.Refused{Reason: "agent speaks version 1", Final: true}
	a := &testAgent{t: t, config: Config{Masters: []string{m.address()}, Port: -1, WorkDir: t.TempDir(), KillTasksOnStop: true}}
	a.start()
	defer a.stop()
	select {
	case err := <-a.done:
		if err == nil || !strings.Contains(err.Error(), "refused by the master: agent speaks version 1") {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it goes on")
	}
}

func TestEndOfAFrameworkIsTold(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), shellTask("t1", "sleep 300"))
	m.statuses("t1", mesos.TaskState_TASK_RUNNING)
	m.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_ShutdownFramework{ShutdownFramework: &linkpb.ShutdownFramework{FrameworkId: "framework-1"}}})
	if got := next(m, func(a *linkpb.AgentMessage) *linkpb.FrameworkGone { return a.GetFrameworkGone() }); got.FrameworkId != "framework-1" {
		t.Errorf("gone: %v", got)
	}
	m.cut()
	if s := m.subscribed(); len(s.Tasks)+len(s.Frameworks) != 0 {
		t.Errorf("it comes back with %v", s)
	}
}

// TestSilentMasterIsLeft: the test's master never pings, so that its connection looks half open; and the agent,
// which has nothing else to say, pings.
func TestSilentMasterIsLeft(t *testing.T) {
	m := newTestMaster(t)
	m.ping = 20 * time.Millisecond
	startAgent(t, m)
	m.subscribed()
	next(m, func(a *linkpb.AgentMessage) *linkpb.Ping { return a.GetPing() })
	if s := m.subscribed(); s.AgentId != "agent-1" {
		t.Errorf("it comes back as %v", s)
	}
}

// Not every supervisor that cannot be reached is dead, and what a living one holds is not ended.
func TestSupervisorThatIsNotReachedAtOnceKeepsItsTasks(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m, leaveTasks)
	a.endForGood()
	m.subscribed()
	m.run(frameworkInfo(), shellTask("lives", "sleep 300"))
	m.statuses("lives", mesos.TaskState_TASK_RUNNING)
	a.restart(func() {
		dir := filepath.Join(a.config.WorkDir, "supervisors", "1")
		t.Chdir(dir) // its path may be too long for a socket
		if err := os.Rename("socket", "hidden"); err != nil {
			t.Fatal(err)
		}
		deaf, err := net.Listen("unix", "socket") // hangs up on everybody
		if err != nil {
			t.Fatal(err)
		}
		deaf.(*net.UnixListener).SetUnlinkOnClose(false)
		go func() {
			for range 3 {
				if conn, err := deaf.Accept(); err == nil {
					conn.Close()
				}
			}
			if err := os.Rename(filepath.Join(dir, "hidden"), filepath.Join(dir, "socket")); err != nil {
				t.Error(err)
			}
			deaf.Close()
		}()
	})
	if got := taskIDs(m.subscribed().Tasks); got != "lives RUNNING" {
		t.Errorf("it comes back with the tasks %s", got)
	}
	m.kill("lives", 0)
	m.statuses("lives", mesos.TaskState_TASK_KILLED)
}
