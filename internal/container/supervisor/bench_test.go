package supervisor_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/spawn"
	"github.com/meseta/meseta/internal/container/supervisor"
	"github.com/meseta/meseta/internal/container/track"
)

// BenchmarkFloor is a bare fork, exec and wait of /bin/true, by as many workers as
// the name says: what the machine can do. Compare with BenchmarkLaunch of the same
// run.
func BenchmarkFloor(b *testing.B) {
	for _, workers := range []int{1, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			before := cpuTime(b)
			parallel(b, workers, func(int) {
				pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{Env: []string{}})
				if err != nil {
					b.Error(err)
					return
				}
				waitFor(pid)
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "launches/s")
			b.ReportMetric(float64(cpuTime(b)-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkLaunch is the same program launched through a supervisor's socket, its
// exit received and collected, with as many under way as the name says. cpu-µs/op
// counts the program, the supervisor and this client.
func BenchmarkLaunch(b *testing.B) {
	for _, tracking := range []string{"v2", "v1", "environ"} {
		for _, flying := range []int{1, 4} {
			b.Run(fmt.Sprintf("tracking=%s/flying=%d", tracking, flying), func(b *testing.B) {
				benchmarkLaunch(b, tracking, flying, func(*container.Spec) {})
			})
		}
	}
}

// BenchmarkLaunchWith is the same with what containers may ask for besides.
func BenchmarkLaunchWith(b *testing.B) {
	files := b.TempDir()
	for _, c := range []struct {
		name string
		ask  func(*container.Spec)
	}{
		{"nothing", func(*container.Spec) {}},
		{"limits", limited},
		{"capabilities", func(s *container.Spec) { s.Capabilities, s.NoNewPrivs = new(container.RootCapabilities), true }},
		{"a file", func(s *container.Spec) { s.Stdout = files + "/" + string(s.ID) }},
		{"a bounded file", func(s *container.Spec) { s.Stdout, s.OutputCap = files+"/"+string(s.ID)+".b", 1<<20 }},
		{"namespaces", func(s *container.Spec) { s.Namespaces = apart }},
		{"all", func(s *container.Spec) {
			limited(s)
			s.Capabilities, s.NoNewPrivs, s.Namespaces = new(container.RootCapabilities), true, apart
		}},
	} {
		b.Run("asked="+c.name, func(b *testing.B) { benchmarkLaunch(b, "auto", 4, c.ask) })
	}
}

// BenchmarkFloorWith is a bare loop that makes the same system calls for the same
// wishes, by four workers, without a supervisor to talk to: compare with
// BenchmarkLaunchWith of the same run.
func BenchmarkFloorWith(b *testing.B) {
	for _, c := range []struct {
		name               string
		limits, namespaces bool
	}{{"nothing", false, false}, {"limits", true, false}, {"namespaces", false, true}, {"all", true, true}} {
		b.Run("asked="+c.name, func(b *testing.B) { benchmarkFloor(b, c.limits, c.namespaces) })
	}
}

func benchmarkFloor(b *testing.B, limits, namespaces bool) {
	key := "bench-" + strconv.Itoa(os.Getpid())
	sets, err := track.Open(track.Config{Key: key})
	if err != nil {
		b.Fatal(err)
	}
	defer sets.Close()
	place := ""
	if sets.Place().Kind == track.KindCgroupV2 {
		place = sets.Place().Path
	}
	limiter := cgroup.Open(key, place)
	defer limiter.Close()
	init, err := spawn.InitProgram()
	if err != nil {
		b.Fatal(err)
	}
	defer syscall.Close(init)
	spawners := make(chan *spawn.Spawner, 4)
	for range cap(spawners) {
		spawners <- spawn.New()
	}
	before := cpuTime(b)
	parallel(b, cap(spawners), func(i int) {
		spawner := <-spawners
		defer func() { spawners <- spawner }()
		id := "c" + strconv.Itoa(i)
		var spec container.Spec
		if limits {
			limited(&spec)
		}
		c := &spawn.Command{Programs: []string{"/bin/true"}, Argv: []string{"true"}, Dir: "/"}
		leave, err := sets.Enlist(id, c)
		if err != nil {
			b.Error(err)
			return
		}
		tracked := slices.Clip(c.JoinCgroups)
		procs, err := limiter.Enlist(id, spec.Limits)
		if err != nil {
			b.Error(err)
		}
		c.JoinCgroups = append(c.JoinCgroups, procs...)
		initPID := 0
		if namespaces {
			initPID, err = spawner.Start(&spawn.Command{Init: init, Argv: []string{"init"}, Dir: "/", Cgroup: c.Cgroup, JoinCgroups: tracked})
			if err != nil {
				b.Error(err)
				return
			}
			c.PIDNamespace, err = syscall.Open("/proc/"+strconv.Itoa(initPID)+"/ns/pid", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			if err != nil {
				b.Error(err)
			}
			c.CloneFlags = syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC
			c.Mounts = []spawn.Mount{{Target: "/dev/shm"}}
		}
		pid, err := spawner.Start(c)
		leave()
		if err != nil {
			b.Error(err)
		}
		waitFor(pid)
		if namespaces {
			syscall.Close(c.PIDNamespace)
			syscall.Kill(initPID, syscall.SIGKILL)
			waitFor(initPID)
		}
		for !sets.Vacant(id) {
		}
		limiter.Forget(id)
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "launches/s")
	b.ReportMetric(float64(cpuTime(b)-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
}

func waitFor(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}

func limited(s *container.Spec) {
	s.Limits = container.Limits{CPUShares: 100, CPUQuota: 50 * time.Millisecond, MemoryBytes: 64 << 20, PIDs: 100}
}

func benchmarkLaunch(b *testing.B, tracking string, flying int, ask func(*container.Spec)) {
	c, err := supervisor.Start(b.Context(), b.TempDir(), "--tracking", tracking)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	defer syscall.Kill(c.Process().PID, syscall.SIGTERM)

	var mu sync.Mutex
	ended := map[container.ID]chan struct{}{}
	noted := make(chan container.ID, 1024)
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for exit, err := range c.Exits(ctx) {
			if err != nil {
				return
			}
			mu.Lock()
			close(ended[exit.ID])
			delete(ended, exit.ID)
			mu.Unlock()
			noted <- exit.ID
		}
	})
	wg.Go(func() { collect(ctx, b, c, noted) })
	defer wg.Wait()
	defer cancel()

	before := cpuTime(b) + cpuTimeOf(b, c.Process().PID)
	b.ResetTimer()
	parallel(b, flying, func(i int) {
		id := container.ID("c" + strconv.Itoa(i))
		done := make(chan struct{})
		mu.Lock()
		ended[id] = done
		mu.Unlock()
		spec := container.Spec{ID: id, Argv: []string{"/bin/true"}, Dir: "/"}
		ask(&spec)
		if _, err := c.Launch(ctx, spec); err != nil {
			b.Error(err)
			return
		}
		<-done
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "launches/s")
	after := cpuTime(b) + cpuTimeOf(b, c.Process().PID)
	b.ReportMetric(float64(after-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
}

// collect collects what was noted, all at once that came while it was busy with
// the last, as an agent does after each write of its own log.
func collect(ctx context.Context, b *testing.B, c *supervisor.Client, noted <-chan container.ID) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-noted:
			ids := []container.ID{id}
			for range len(noted) {
				ids = append(ids, <-noted)
			}
			if err := c.Collect(ctx, ids...); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		}
	}
}

// parallel runs work b.N times, by n workers.
func parallel(b *testing.B, n int, work func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range n {
		wg.Go(func() {
			for i := range next {
				work(i)
			}
		})
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	wg.Wait()
}

// cpuTime is what this process and the children it waited for have used.
func cpuTime(tb testing.TB) time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			tb.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// cpuTimeOf is the same of another process, in ticks of 10 ms.
func cpuTimeOf(tb testing.TB, pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
