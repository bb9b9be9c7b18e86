package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/retention"
)

// testDisk is a work directory with sandboxes in it, and a janitor.
type testDisk struct {
	*janitor
	t    *testing.T
	dir  string
	full float64
	live map[ids.ContainerID]bool
}

func newTestDisk(t *testing.T) *testDisk {
	f, err := openFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	d := &testDisk{t: t, dir: filepath.Dir(f.base), live: make(map[ids.ContainerID]bool)}
	d.janitor = &janitor{
		policy: retention.Policy{Delay: 100 * time.Hour}, every: time.Hour, root: f.root, above: new(sync.RWMutex),
		used:  func() (float64, error) { return d.full, nil },
		inUse: func(context.Context) (map[ids.ContainerID]bool, error) { return d.live, nil },
		now:   make(chan struct{}, 1), log: testLogger(t), queue: retention.NewQueue(2), failed: make(map[string]bool),
	}
	return d
}

// box makes a sandbox that was left so long ago.
func (d *testDisk) box(agent ids.AgentID, executor ids.ExecutorID, run ids.ContainerID, ago time.Duration) string {
	d.t.Helper()
	dir, err := makeSandbox(d.dir, node.Sandbox{Agent: agent, Framework: "F", Executor: executor, Container: run}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	at := time.Now().Add(-ago)
	out := filepath.Join(dir, "stdout")
	if err := os.WriteFile(out, []byte("text"), 0o644); err != nil {
		d.t.Fatal(err)
	}
	for _, name := range []string{out, dir} {
		if err := os.Chtimes(name, at, at); err != nil {
			d.t.Fatal(err)
		}
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestSandboxesGoWhenTheyAreOldEnough(t *testing.T) {
	d := newTestDisk(t)
	old := d.box("A", "e1", "old", 101*time.Hour)
	young := d.box("A", "e1", "young", 99*time.Hour)
	used := d.box("A", "e2", "used", 1000*time.Hour)
	former := d.box("former", "e3", "r1", 200*time.Hour)
	written := d.box("A", "e4", "written", 200*time.Hour)
	now := time.Now()
	if err := os.Chtimes(filepath.Join(written, "stdout"), now, now); err != nil {
		t.Fatal(err)
	}
	d.live["used"] = true
	d.sweep(t.Context())
	if exists(old) || exists(former) {
		t.Error("an old sandbox stays")
	}
	if !exists(young) || !exists(used) || !exists(written) {
		t.Error("a sandbox was removed that is young, in use, or was written lately")
	}
	if !exists(filepath.Join(young, "../latest/stdout")) {
		t.Error("the link to the latest run leads nowhere")
	}
	if exists(filepath.Join(d.dir, "slaves/former")) {
		t.Error("what is empty above a sandbox stays")
	}
}

func TestSandboxesGoEarlierWhenTheDiskFills(t *testing.T) {
	d := newTestDisk(t)
	var boxes []string
	for i, ago := range []time.Duration{60, 50, 30, 10} {
		boxes = append(boxes, d.box("A", ids.ExecutorID(rune('a'+i)), "run"+ids.ContainerID(rune('a'+i)), ago*time.Hour))
	}
	d.full = 0.6 // 40 hours are allowed
	d.sweep(t.Context())
	if exists(boxes[0]) || exists(boxes[1]) || !exists(boxes[2]) || !exists(boxes[3]) {
		t.Error("with 60 % used, others go than those of more than 40 hours")
	}
	d.used = func() (float64, error) { // every sandbox that goes gives a tenth of the disk back
		left := 0.0
		for _, b := range boxes[2:] {
			if exists(b) {
				left += 0.5
			}
		}
		return left, nil
	}
	d.sweep(t.Context())
	if exists(boxes[2]) || !exists(boxes[3]) {
		t.Error("from a full disk not just as much goes as makes room, the oldest first")
	}
	if exists(filepath.Join(boxes[2], "../latest")) {
		t.Error("a link to a run that is gone stays")
	}
}

func TestSandboxIsTouchedWhenItsContainerEnds(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), shellTask("t1", "touch -d 2001-01-01 . stdout stderr"))
	m.statuses("t1", mesos.TaskState_TASK_FINISHED)
	eventually(t, func() error {
		info, err := os.Stat(a.sandbox("t1"))
		if err == nil && time.Since(info.ModTime()) > time.Hour {
			err = errors.New("the sandbox looks as if it was left long ago")
		}
		return err
	})
}

// With a delay of next to nothing a sandbox goes as soon as its task has ended, and no other.
func TestAgentRemovesSandboxes(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m, func(c *Config) { c.GCDelay, c.DiskWatchInterval = time.Nanosecond, 50*time.Millisecond })
	m.subscribed()
	m.run(frameworkInfo(), shellTask("stays", "sleep 1000"))
	m.statuses("stays", mesos.TaskState_TASK_RUNNING)
	m.run(frameworkInfo(), shellTask("goes", "true"))
	m.statuses("goes", mesos.TaskState_TASK_FINISHED)
	eventually(t, func() error {
		if exists(filepath.Join(a.sandbox("goes"), "../..")) {
			return errors.New("the sandbox of a task that has ended stays")
		}
		return nil
	})
	if !exists(filepath.Join(a.sandbox("stays"), "stdout")) {
		t.Error("the sandbox of a task that runs is gone")
	}
	m.run(frameworkInfo(), shellTask("goes", "true")) // its directories are made anew
	m.statuses("goes", mesos.TaskState_TASK_FINISHED)
}

func TestTaskThatFillsItsDiskIsEnded(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m, func(c *Config) { c.ContainerDiskWatchInterval = 50 * time.Millisecond })
	m.subscribed()
	eater := shellTask("eater", "head -c 3000000 /dev/zero > big; sleep 1000")
	eater.Resources = append(eater.Resources, scalar("disk", 2))
	neighbour := shellTask("neighbour", "head -c 3000000 /dev/zero > big; sleep 1000")
	neighbour.Resources = append(neighbour.Resources, scalar("disk", 4))
	m.run(frameworkInfo(), neighbour)
	m.run(frameworkInfo(), eater)
	last := lastOf(m.statuses("eater", mesos.TaskState_TASK_FAILED))
	if last.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK || last.GetSource() != mesos.TaskStatus_SOURCE_AGENT {
		t.Errorf("it ended with %v", last)
	}
	if got := last.GetMessage(); len(got) < 12 || got[:12] != "Disk usage (" || got[len(got)-21:] != ") exceeds quota (2MB)" {
		t.Errorf("message %q", got)
	}
	if r := last.GetLimitation().GetResources(); len(r) != 1 || r[0].GetName() != "disk" || r[0].GetScalar().GetValue() != 2 {
		t.Errorf("limitation %v", last.GetLimitation())
	}
	if states := stateNames(m.statuses("neighbour", mesos.TaskState_TASK_RUNNING)); states != "STARTING RUNNING" {
		t.Errorf("its neighbour: %s", states)
	}
}

func scalar(name string, v float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &v}}
}

// eventually polls until what is expected is so.
func eventually(t *testing.T, look func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = look(); err == nil {
			return
		}
	}
	t.Fatal(err)
}
