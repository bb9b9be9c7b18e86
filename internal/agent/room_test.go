package agent

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
)

// smallDisk is a directory on a disk of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp takes all but so many bytes of a disk, and returns what it has to be emptied with.
func fillUp(t *testing.T, dir string, left uint64) (empty func()) {
	t.Helper()
	r, err := roomIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(r.bytes-left)); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(name) }
}

func (a *testAgent) health() (int, string) {
	a.t.Helper()
	r, err := http.Get("http://" + a.address + "/health")
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	text := make([]byte, 200)
	n, _ := r.Body.Read(text)
	return r.StatusCode, string(text[:n])
}

func (a *testAgent) waitForHealth(t *testing.T, status int, sentence string) {
	t.Helper()
	eventually(t, func() error {
		if got, text := a.health(); got != status || !strings.Contains(text, sentence) {
			return errors.New("its health: " + text)
		}
		return nil
	})
}

func TestFullDiskTakesNoWorkAndLosesNone(t *testing.T) {
	dir := smallDisk(t, "64m")
	m := newTestMaster(t)
	a := startAgent(t, m, func(c *Config) { c.WorkDir = dir })
	m.subscribed()
	m.run(frameworkInfo(), shellTask("before", "while [ ! -e go ]; do sleep 0.1; done"))
	m.statuses("before", mesos.TaskState_TASK_RUNNING)
	empty := fillUp(t, dir, 4096)
	a.waitForHealth(t, http.StatusServiceUnavailable, "The agent's disk is full: 0.0 MiB are free in "+dir)

	m.run(frameworkInfo(), shellTask("refused", "true"))
	refused := next(m, func(a *linkpb.AgentMessage) *linkpb.TaskRefused { return a.GetTaskRefused() })
	if refused.TaskId != "refused" || !strings.HasPrefix(refused.Message, "The agent's disk is full: ") {
		t.Errorf("refused: %v", refused)
	}
	if err := os.WriteFile(filepath.Join(a.sandbox("before"), "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m.statuses("before", mesos.TaskState_TASK_FINISHED)

	empty()
	a.waitForHealth(t, http.StatusOK, "")
	m.run(frameworkInfo(), shellTask("after", "true"))
	m.statuses("after", mesos.TaskState_TASK_FINISHED)
}

// Nothing can be written at all when the agent comes back, and yet it does; with room it finds everything.
func TestFullDiskDoesNotStopRecovery(t *testing.T) {
	dir := smallDisk(t, "64m")
	m := newTestMaster(t)
	a := startAgent(t, m, leaveTasks, func(c *Config) { c.WorkDir = dir })
	a.endForGood()
	m.subscribed()
	m.run(frameworkInfo(), shellTask("before", "while [ ! -e go ]; do sleep 0.1; done; mv go gone; exit 3"))
	m.statuses("before", mesos.TaskState_TASK_RUNNING)
	if err := os.WriteFile(filepath.Join(a.sandbox("before"), "going"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var empty func()
	a.restart(func() {
		if err := os.Remove(filepath.Join(dir, "journal/reserve")); err != nil {
			t.Error(err)
		}
		empty = fillUp(t, dir, 0)
	})
	s := m.subscribed()
	if len(s.Tasks) != 1 || s.AgentId != "agent-1" {
		t.Errorf("with a full disk the agent subscribes as %v", s)
	}
	a.waitForHealth(t, http.StatusServiceUnavailable, "The agent cannot write its log: ")
	m.run(frameworkInfo(), shellTask("refused", "true"))
	if r := next(m, func(a *linkpb.AgentMessage) *linkpb.TaskRefused { return a.GetTaskRefused() }); r.TaskId != "refused" {
		t.Errorf("refused: %v", r)
	}
	box := a.sandbox("before") // its name, while the disk is full
	if err := os.Rename(filepath.Join(box, "going"), filepath.Join(box, "go")); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { // it ends, and nobody can note that
		if _, err := os.Stat(filepath.Join(box, "gone")); err != nil {
			return err
		}
		return nil
	})
	m.mu.Lock()
	if last := lastOf(m.updates["before"]); last.GetState() != mesos.TaskState_TASK_RUNNING {
		t.Errorf("an end was said that could not be kept: %v", last)
	}
	m.mu.Unlock()

	empty()
	m.subscribed()
	if last := lastOf(m.statuses("before", mesos.TaskState_TASK_FAILED)); last.GetMessage() != "Command exited with status 3" {
		t.Errorf("its end: %v", last)
	}
	a.waitForHealth(t, http.StatusOK, "")
	m.run(frameworkInfo(), shellTask("after", "true"))
	m.statuses("after", mesos.TaskState_TASK_FINISHED)
}
