package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/container"
)

// tree is a directory that looks like a hierarchy of version 2 with all
// controllers, in which a supervisor tracks the container "a". Where the kernel has
// its controllers in version 1, this is what version 2 is tested with.
type tree struct {
	t    *testing.T
	base string
}

func newTree(t *testing.T, offered string) *tree {
	x := &tree{t, t.TempDir()}
	for _, dir := range []string{"", "meseta", "meseta/key", "meseta/key/run"} {
		x.plant(dir, "cgroup.controllers", offered+"\n")
		x.plant(dir, "cgroup.subtree_control", "\n")
		x.plant(dir, "cgroup.procs", "")
	}
	for file, text := range map[string]string{
		"cgroup.procs": "", "cpu.weight": "100", "cpu.max": "max 100000", "memory.oom.group": "0", "memory.max": "max",
		"memory.low": "0", "memory.swap.max": "max", "pids.max": "max", "pids.current": "7\n",
		"memory.current": "3000\n", "memory.peak": "4000\n", "memory.swap.current": "5\n",
		"memory.stat":   "anon 1000\nfile 1500\nkernel 1\nfile_mapped 200\nnonsense\n",
		"memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n",
		"cpu.stat":      "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 9\nnr_throttled 4\nthrottled_usec 500\n",
	} {
		x.plant("meseta/key/run/a", file, text)
	}
	for _, file := range []string{"cpu.weight", "cpu.max", "memory.max", "pids.max"} {
		x.plant("meseta/key", file, "")
	}
	return x
}

func (x *tree) plant(dir, file, text string) {
	x.t.Helper()
	if err := os.MkdirAll(filepath.Join(x.base, dir), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(x.base, dir, file), []byte(text), 0o644); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tree) read(file string) string {
	x.t.Helper()
	data, err := os.ReadFile(filepath.Join(x.base, file))
	if err != nil {
		x.t.Fatal(err)
	}
	return string(data)
}

// limiter opens the tree, as a place where containers are tracked or not.
func (x *tree) limiter(tracked bool) *Limiter {
	all := []Hierarchy{{Version: 2, Mount: x.base, Home: x.base}}
	if tracked {
		return open(all, "key", filepath.Join(x.base, "meseta/key"))
	}
	return open(all, "key", "")
}

var some = container.Limits{CPUShares: 512, CPUQuota: 50 * time.Millisecond, MemoryBytes: 1 << 20, PIDs: 9}

func TestVersion2(t *testing.T) {
	x := newTree(t, "cpuset cpu io memory pids")
	l := x.limiter(true)
	procs, err := l.Enlist("a", some)
	if err != nil || len(procs) != 0 {
		t.Fatalf("enlisted by way of %v, %v; expected nothing, because it is tracked there", procs, err)
	}
	for file, want := range map[string]string{"cpu.weight": "500", "cpu.max": "50000 100000", "memory.max": "1048576", "memory.oom.group": "1", "pids.max": "9ax"} {
		if got := x.read("meseta/key/run/a/" + file); got != want { // what is written does not cut off what was there
			t.Errorf("%s is %q, expected %q", file, got, want)
		}
	}
	for _, dir := range []string{"", "meseta/", "meseta/key/", "meseta/key/run/"} {
		if got := x.read(dir + "cgroup.subtree_control"); !strings.HasPrefix(got, "+pids") {
			t.Errorf("in %q the last controller that was given is %q, expected pids", dir, got)
		}
	}
	var got container.Statistics
	done := l.Measure("a", &got)
	want := container.Statistics{
		CPUUser: 10 * time.Microsecond, CPUSystem: 20 * time.Microsecond,
		CPUPeriods: 9, CPUThrottled: 4, CPUThrottledTime: 500 * time.Microsecond,
		Memory: 3000, MemoryAnonymous: 1000, MemoryFile: 1500, MemoryMapped: 200, MemorySwap: 5, MemoryPeak: 4000,
		MemoryFailures: 3, Threads: 7, Limits: some,
	}
	if d := cmp.Diff(want, got); d != "" || done != (Measured{CPU: true, Memory: true, Threads: true}) {
		t.Errorf("measured %+v (-want +got):\n%s", done, d)
	}
}

func TestVersion2OutOfMemory(t *testing.T) {
	x := newTree(t, "cpu memory pids")
	l := x.limiter(true)
	if _, err := l.Enlist("a", some); err != nil {
		t.Fatal(err)
	}
	if m := l.OutOfMemory("a"); m != nil {
		t.Errorf("out of memory with %+v before anything was killed", m)
	}
	x.plant("meseta/key/run/a", "memory.events", "max 3\noom 1\noom_kill 2\n")
	if m := l.OutOfMemory("a"); m == nil || *m != (container.OutOfMemory{Limit: 1 << 20, Peak: 4000}) {
		t.Errorf("out of memory with %+v", m)
	}
	x.plant("meseta/key/run/a", "memory.events", "max 0\noom 0\noom_kill 1\n")
	if m := l.Killed("a"); m == nil || m.Limit != 0 {
		t.Errorf("out of memory with %+v, expected that its own limit was not the reason", m)
	}
	if m := l.Killed("a"); m != nil {
		t.Error("a kill is told twice")
	}
	if l.OutOfMemory("never") != nil {
		t.Error("what is unknown is out of memory")
	}
}

func TestVersion2LimitsChange(t *testing.T) {
	x := newTree(t, "cpu memory pids")
	l := x.limiter(true)
	if err := l.Limit("a", some); err != nil {
		t.Fatalf("limiting what was launched without limits: %v", err)
	}
	less := some
	less.MemoryBytes, less.PIDs = 1000, 5
	err := l.Limit("a", less)
	if err == nil || !strings.Contains(err.Error(), `container "a" uses 1500 bytes of memory, which cannot be limited to 1000`) {
		t.Errorf("bounding it to less than it uses: %v", err)
	}
	var got container.Statistics
	l.Measure("a", &got)
	want := some
	want.PIDs = 5
	if got.Limits != want {
		t.Errorf("its limits are %+v, expected %+v", got.Limits, want)
	}
	if err := l.Limit("gone", some); err == nil {
		t.Error("what has no cgroup was limited")
	}
	if len(l.members) != 1 {
		t.Errorf("%d members, expected a alone", len(l.members))
	}
}

func TestWhatIsTrackedElsewhereJoinsVersion2(t *testing.T) {
	x := newTree(t, "cpu memory pids")
	l := x.limiter(false)
	procs, err := l.Enlist("a", some)
	if want := []string{filepath.Join(x.base, "meseta/key/run/a/cgroup.procs")}; err != nil || !cmp.Equal(procs, want) {
		t.Errorf("enlisted by way of %v, %v; expected %v", procs, err, want)
	}
	l.Forget("a")
	err = l.Limit("a", some)
	if err == nil || !strings.Contains(err.Error(), "can only be launched with one") {
		t.Errorf("limiting what is not in the hierarchy: %v", err)
	}
}

func TestWithoutLimitsThereIsNoCgroup(t *testing.T) {
	x := newTree(t, "cpu memory pids")
	l := x.limiter(false)
	procs, err := l.Enlist("b", container.Limits{})
	if err != nil || procs != nil {
		t.Fatal(procs, err)
	}
	if _, err := os.Stat(filepath.Join(x.base, "meseta/key/run/b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has a cgroup: %v", err)
	}
	if got := x.read("meseta/key/run/cgroup.subtree_control"); got != "\n" {
		t.Errorf("its siblings were given controllers already: %q", got)
	}
}

func TestWhatTheKernelDoesNotOfferIsSaidAndNotLimited(t *testing.T) {
	x := newTree(t, "cpu pids")
	l := x.limiter(true)
	for _, a := range l.Abilities() {
		if a.Works != (a.Feature != container.FeatureMemory) {
			t.Errorf("%v work: %v, %s", a.Feature, a.Works, a.How)
		}
		if a.Feature == container.FeatureMemory && a.How != x.base+" does not offer the memory controller" {
			t.Errorf("memory limits do not work because %s", a.How)
		}
	}
	if _, err := l.Enlist("a", some); err != nil {
		t.Fatal(err)
	}
	var got container.Statistics
	if done := l.Measure("a", &got); done.Memory || got.Limits.MemoryBytes != 0 || got.Limits.PIDs != 9 {
		t.Errorf("measured %+v: %+v", done, got)
	}
	if l := open(nil, "key", ""); l.Abilities()[0].How != "no cgroups are mounted here that can be written" {
		t.Errorf("without cgroups: %+v", l.Abilities())
	}
}

func FuzzTable(f *testing.F) {
	f.Add("anon 12\nfile x\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "f")
		os.WriteFile(path, []byte(text), 0o600)
		table(path)
		number(path)
	})
}
