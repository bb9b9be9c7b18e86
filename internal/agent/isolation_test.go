package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/wire"
)

func TestIsolationIsNamedAsInMesos(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "{cpu:false mem:false pids:false disk:false capabilities:false noNewPrivs:false namespaces:0 warnings:[]}"},
		{"posix/cpu,posix/mem", "{cpu:false mem:false pids:false disk:false capabilities:false noNewPrivs:false namespaces:0 warnings:[]}"},
		{defaultIsolation, "{cpu:true mem:true pids:true disk:true capabilities:true noNewPrivs:true namespaces:0 warnings:[]}"},
		{"cgroups/all, namespaces/pid,namespaces/ipc,filesystem/linux", "{cpu:true mem:true pids:true disk:false capabilities:false noNewPrivs:false namespaces:7 warnings:[]}"},
		{"docker/runtime", "{cpu:false mem:false pids:false disk:false capabilities:false noNewPrivs:false namespaces:0 " +
			"warnings:[isolation docker/runtime: there are no images yet, a task that asks for them fails and says so]}"},
	} {
		got, err := parseIsolation(c.text)
		if text := fmt.Sprintf("%+v", got); err != nil || text != c.want {
			t.Errorf("%q: %s, %v, expected %s", c.text, text, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"disk/xfs":   "isolation disk/xfs: is not built yet, and tasks would not be held to it; disk/du works on every file system",
		"cgroup/mem": `isolation "cgroup/mem": expected some of cgroups/all, cgroups/cpu, cgroups/mem, cgroups/pids, disk/du, `,
	} {
		if _, err := parseIsolation(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
}

func TestWhatTheMachineCannotDoIsSaidAndLeftOut(t *testing.T) {
	i, err := parseIsolation("cgroups/mem,namespaces/pid,linux/capabilities")
	if err != nil {
		t.Fatal(err)
	}
	lacks := missing(i.needs(&Config{}), []container.Ability{
		{Feature: container.FeatureMemory, How: "no cgroup can be made"},
		{Feature: container.FeaturePIDs, How: "nobody asked"},
		{Feature: container.FeatureNamespaces, How: "not root"},
		{Feature: container.FeatureCapabilities, Works: true},
	})
	if len(lacks) != 2 || lacks[0].Feature != container.FeatureMemory || lacks[1].Feature != container.FeatureNamespaces {
		t.Errorf("missing: %v", lacks)
	}
	if i = i.without(lacks); i.namespaces != 0 || !i.capabilities {
		t.Errorf("what is left: %+v", i)
	}
}

func needLimits(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make cgroups with limits")
	}
}

func TestTaskThatEatsMemoryIsEndedAndItsNeighbourIsNot(t *testing.T) {
	needLimits(t)
	for _, limitSwap := range []bool{false, true} {
		t.Run(fmt.Sprintf("limit swap %t", limitSwap), func(t *testing.T) { eatMemory(t, limitSwap) })
	}
}

func eatMemory(t *testing.T, limitSwap bool) {
	m := newTestMaster(t)
	startAgent(t, m, func(c *Config) { c.LimitSwap = limitSwap })
	m.subscribed()
	neighbour := shellTask("neighbour", "sleep 1000")
	neighbour.Resources = []*mesos.Resource{scalar("mem", 32)}
	m.run(frameworkInfo(), neighbour)
	eater := shellTask("eater", "head -c 100000000 /dev/zero | tail; true")
	eater.Resources = []*mesos.Resource{scalar("mem", 40)}
	m.run(frameworkInfo(), eater)
	last := lastOf(m.statuses("eater", mesos.TaskState_TASK_FAILED))
	if last.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY || last.GetSource() != mesos.TaskStatus_SOURCE_AGENT ||
		!strings.HasPrefix(last.GetMessage(), "Memory limit exceeded: Requested: 40MB Maximum Used: ") {
		t.Errorf("it ended with %v", last)
	}
	if r := last.GetLimitation().GetResources(); len(r) != 1 || r[0].GetName() != "mem" || r[0].GetScalar().GetValue() < 30 {
		t.Errorf("limitation %v", last.GetLimitation())
	}
	if states := stateNames(m.statuses("neighbour", mesos.TaskState_TASK_RUNNING)); states != "STARTING RUNNING" {
		t.Errorf("its neighbour: %s", states)
	}
}

func TestLimitsOfATaskGoBeyondItsShare(t *testing.T) {
	needLimits(t)
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	task := shellTask("bursts", "head -c 60000000 /dev/zero | tail; true")
	task.Resources = []*mesos.Resource{scalar("mem", 32), scalar("cpus", 0.1)}
	task.Limits = map[string]*mesos.Value_Scalar{"mem": {Value: new(200.0)}, "cpus": {Value: new(1.0)}}
	m.run(frameworkInfo(), task)
	m.statuses("bursts", mesos.TaskState_TASK_FINISHED)
}

// The memory of an executor grows with its tasks, before they can need it.
func TestExecutorGrowsWithItsTasks(t *testing.T) {
	needLimits(t)
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	first := customTask("t1", "E")
	first.Resources = []*mesos.Resource{scalar("mem", 48)}
	m.run(frameworkInfo(), first)
	waitForFile(t, filepath.Join(a.sandbox("E"), "env.txt"))
	h := newHandExecutor(a, wire.Protobuf)
	h.subscribe(&executorpb.Call_Subscribe{})
	h.event(executorpb.Event_LAUNCH)
	a.waitForMemoryLimit(t, 48)
	second := customTask("t2", "E")
	second.Resources = []*mesos.Resource{scalar("mem", 64)}
	m.run(frameworkInfo(), second)
	h.event(executorpb.Event_LAUNCH)
	a.waitForMemoryLimit(t, 112)
	if err := h.update("t2", mesos.TaskState_TASK_FINISHED, 2); err != nil {
		t.Fatal(err)
	}
	a.waitForMemoryLimit(t, 48)
}

// waitForMemoryLimit waits until the only container is held to so many MiB.
func (a *testAgent) waitForMemoryLimit(t *testing.T, mib float64) {
	t.Helper()
	eventually(t, func() error {
		all := a.statistics(t)
		if len(all) != 1 || all[0].Statistics["mem_limit_bytes"] != mib*(1<<20) {
			time.Sleep(20 * time.Millisecond)
			return fmt.Errorf("expected one container of %v MiB, found %v", mib, all)
		}
		return nil
	})
}

func TestContainersAreKeptApartAsIsolationSays(t *testing.T) {
	needLimits(t)
	m := newTestMaster(t)
	a := startAgent(t, m, func(c *Config) {
		c.Isolation = "namespaces/pid,namespaces/ipc,filesystem/linux,linux/capabilities,linux/nnp"
	})
	m.subscribed()
	mark := filepath.Join(os.TempDir(), filepath.Base(t.TempDir())+"-of-the-machine")
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(mark)
	m.run(frameworkInfo(), shellTask("t1", "test ! -e "+mark+" && touch /tmp/own && ls .tmp/own && "+
		"test $(ls -d /proc/[0-9]* | wc -l) -lt 10 && grep -E 'NoNewPrivs|CapBnd' /proc/self/status"))
	if last := lastOf(m.statuses("t1", mesos.TaskState_TASK_FINISHED)); last.GetMessage() != "Command exited with status 0" {
		t.Errorf("it ended with %v", last)
	}
	want := fmt.Sprintf(".tmp/own\nCapBnd:\t%016x\nNoNewPrivs:\t1\n", uint64(container.RootCapabilities))
	if got := a.output("t1"); got != want {
		t.Errorf("inside:\n%swant\n%s", got, want)
	}
}
