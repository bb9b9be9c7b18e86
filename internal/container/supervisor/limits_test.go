package supervisor_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// What a container may use, with programs that want more, beside a neighbour that
// must not notice.

// neighbour is a well-behaved container: it does a little work again and again,
// says so each time, and has modest limits of its own.
func (h *host) neighbour() {
	h.t.Helper()
	spec := h.shell("neighbour", "while :; do x=0; while [ $x -lt 300 ]; do x=$((x+1)); done; echo beat; sleep 0.01; done")
	spec.Limits = container.Limits{CPUShares: 1024, MemoryBytes: 64 << 20, PIDs: 16}
	h.launch(spec)
	h.unharmed()
}

// unharmed expects the neighbour to live and to go on working.
func (h *host) unharmed() {
	h.t.Helper()
	before := len(h.output("neighbour"))
	h.eventually("the neighbour goes on", func() bool { return len(h.output("neighbour")) > before+10*len("beat\n") })
}

func TestAContainerOutOfMemoryIsEndedWithTheFiguresAndItsNeighbourIsNot(t *testing.T) {
	const limit = 48 << 20
	eachWay(t, func(t *testing.T, h *host) {
		needs(t, h, container.FeatureMemory)
		h.neighbour()
		for _, what := range []string{"memory", "childmemory"} {
			spec := h.glutton(container.ID(what), what, strconv.Itoa(4*limit))
			spec.Limits.MemoryBytes = limit
			began := time.Now()
			h.launch(spec)
			exit := h.wait(spec.ID)
			if exit.Reason != container.ReasonMemory || exit.OutOfMemory.Limit != limit {
				t.Errorf("%s: ended with %+v, expected out of %d bytes of memory", what, exit, limit)
			}
			if peak := exit.OutOfMemory.Peak; peak < limit*9/10 || peak > limit*11/10 {
				t.Errorf("%s: its peak is said to be %d bytes, expected about %d", what, peak, limit)
			}
			t.Logf("%s: ended after %v: %+v", what, time.Since(began), exit)
		}
		h.unharmed()
		if stats, err := h.Statistics(h.ctx, "neighbour"); err != nil || len(stats) != 1 || stats[0].MemoryKills != 0 {
			t.Errorf("the neighbour has %+v, %v", stats, err)
		}
	})
}

func TestAContainerGetsNoMoreCPUThanItsQuota(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		needs(t, h, container.FeatureCPUQuota)
		h.neighbour()
		spec := h.glutton("a", "cpu", "2")
		spec.Limits = container.Limits{CPUQuota: 5 * time.Millisecond}
		h.launch(spec)
		h.eventually("it eats", func() bool { return h.output("a") != "" })
		first := h.measure("a")
		var last container.Statistics
		h.eventually("it was stopped in several periods", func() bool {
			last = h.measure("a")
			return last.CPUThrottled >= first.CPUThrottled+5
		})
		used := last.CPUUser + last.CPUSystem - first.CPUUser - first.CPUSystem
		part := float64(used) / float64(last.At.Sub(first.At))
		if part > 0.15 || last.CPUThrottledTime == 0 || last.CPUPeriods == 0 {
			t.Errorf("it used %.2f cpus, expected 0.05 and to be stopped: %+v", part, last)
		}
		h.unharmed()
	})
}

func (h *host) measure(id container.ID) container.Statistics {
	h.t.Helper()
	stats, err := h.Statistics(h.ctx, id)
	if err != nil || len(stats) != 1 {
		h.t.Fatalf("measuring %s: %+v, %v", id, stats, err)
	}
	return stats[0]
}

func TestAContainerGetsNoMoreProcessesThanItsLimit(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		needs(t, h, container.FeaturePIDs)
		h.neighbour()
		spec := h.glutton("a", "processes", "1000")
		spec.Limits.PIDs = 30
		h.launch(spec)
		h.eventually("it has eaten", func() bool { return strings.Contains(h.output("a"), "eaten") })
		if out := h.output("a"); !strings.Contains(out, "resource temporarily unavailable") {
			t.Errorf("it got all processes it wanted: %s", out)
		}
		stats := h.measure("a")
		if stats.Threads > 30 || stats.Processes < 5 || stats.Processes > 30 {
			t.Errorf("it has %d processes and %d threads, expected at most 30 together", stats.Processes, stats.Threads)
		}
		h.unharmed()
		if err := h.Kill(h.ctx, "a", 0); err != nil {
			t.Fatal(err)
		}
		h.wait("a")
	})
}

func TestWhatIsNotLimitedIsMeasuredAllTheSame(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		spec := h.glutton("a", "memory", strconv.Itoa(32<<20))
		h.launch(spec)
		h.eventually("it has eaten", func() bool { return h.output("a") != "" })
		got := h.measure("a")
		if got.Memory < 32<<20 || got.Memory > 128<<20 || got.MemoryAnonymous < 32<<20 || got.Processes != 1 || got.Threads < 2 {
			t.Errorf("measured %+v, expected something over %d bytes of memory, 1 process and its threads", got, 32<<20)
		}
		if got.CPUUser+got.CPUSystem <= 0 || got.Limits != (container.Limits{}) {
			t.Errorf("measured %+v, expected some time of the cpu and no limits", got)
		}
	})
}

func TestCgroupsOfLimitsAreRemoved(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		needs(t, h, container.FeatureMemory, container.FeatureCPUShares)
		key := h.limitKey()
		if len(limitDirs(key)) == 0 {
			t.Fatalf("there is no %s in any hierarchy", key)
		}
		limits := container.Limits{CPUShares: 100, CPUQuota: 50 * time.Millisecond, MemoryBytes: 64 << 20, PIDs: 20}
		spec := h.shell("killed", "sleep "+mark()+" & while :; do sleep 0.01; done")
		spec.Limits = limits
		h.launch(spec)
		if err := h.Kill(h.ctx, "killed", 0); err != nil {
			t.Fatal(err)
		}
		h.wait("killed")
		spec = h.shell("failed", "")
		spec.Program, spec.Limits = "/no/such/program", limits
		h.Launch(h.ctx, spec)
		for i := range 20 {
			spec := h.shell(container.ID("a"+strconv.Itoa(i)), "exit 0")
			spec.Limits = limits
			h.run(spec)
		}
		h.eventually("the cgroups are gone", func() bool { return len(limitDirs(key+"/run/*")) == 0 })

		spec = h.shell("left", "while :; do sleep 0.01; done")
		spec.Limits = limits
		h.launch(spec)
		if len(limitDirs(key+"/run/left")) == 0 {
			t.Error("a container with limits has no cgroup")
		}
		syscall.Kill(h.Process().PID, syscall.SIGKILL)
		<-h.Done()
		h.endAll()
		if left := limitDirs(key); len(left) != 0 {
			t.Errorf("after its end and EndAll there are %v", left)
		}
	})
}

// limitKey is the name of the supervisor's directories.
func (h *host) limitKey() string {
	h.t.Helper()
	for _, a := range h.Abilities() {
		if a.Feature == container.FeatureMemory {
			_, path, _ := strings.Cut(a.How, "/")
			return filepath.Base(path)
		}
	}
	h.t.Fatal("nothing is said of memory")
	return ""
}

// limitDirs lists the directories in any hierarchy.
func limitDirs(pattern string) []string {
	var dirs []string
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); strings.Contains(line, " - cgroup") {
			found, _ := filepath.Glob(f[4] + "/meseta/" + pattern)
			for _, path := range found {
				if info, err := os.Stat(path); err == nil && info.IsDir() {
					dirs = append(dirs, path)
				}
			}
		}
	}
	return dirs
}

func TestAbilitiesSayWhyNot(t *testing.T) {
	h := start(t)
	seen := map[container.Feature]bool{}
	for _, a := range h.Abilities() {
		seen[a.Feature] = true
		if a.How == "" || strings.Contains(a.How, "\n") {
			t.Errorf("%v: works: %v, because %q; expected a sentence", a.Feature, a.Works, a.How)
		}
		t.Logf("%v: %v, %s", a.Feature, a.Works, a.How)
	}
	for f := container.FeatureCPUShares; f <= container.FeatureUsers; f++ {
		if !seen[f] {
			t.Errorf("nothing is said of %v", f)
		}
	}
}
