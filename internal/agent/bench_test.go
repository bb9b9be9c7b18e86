package agent

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
)

// awaitStates passes over what the agent says until so many statuses of each state have come.
func awaitStates(b *testing.B, m *testMaster, want map[mesos.TaskState]int, seen func(mesos.TaskState)) {
	timeout := time.After(time.Minute)
	for left := true; left; {
		select {
		case a := <-m.said:
			u := a.GetUpdate()
			if u == nil {
				continue
			}
			status := new(mesos.TaskStatus)
			if err := proto.Unmarshal(u.Status, status); err != nil {
				b.Fatal(err)
			}
			want[status.GetState()]--
			if seen != nil {
				seen(status.GetState())
			}
		case <-timeout:
			b.Fatalf("missing: %v", want)
		}
		left = false
		for _, n := range want {
			left = left || n > 0
		}
	}
}

// onBenchDisk moves the work directory below $AGENT_BENCH_DIR. On ext4 it makes a difference of ten in what a
// new file costs whether many others were deleted nearby in the last seconds, as always in a /tmp where
// tests run: a directory just below the root of the file system is in a quiet place.
func onBenchDisk(b *testing.B) func(*Config) {
	return func(c *Config) {
		base := os.Getenv("AGENT_BENCH_DIR")
		if base == "" {
			return
		}
		dir, err := os.MkdirTemp(base, "agent")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		c.WorkDir = dir
	}
}

// BenchmarkOneTask runs one command task after the other through an agent with a real journal and a real
// supervisor, and a master that acknowledges at once.
func BenchmarkOneTask(b *testing.B) {
	m := newTestMaster(b)
	startAgent(b, m, onBenchDisk(b))
	m.subscribed()
	framework := frameworkInfo()
	var running, finished []time.Duration
	n := 0
	for b.Loop() {
		n++
		begin := time.Now()
		task := shellTask(fmt.Sprint("t", n), "")
		task.Command = &mesos.CommandInfo{Shell: new(false), Value: new("/bin/true")}
		m.run(framework, task)
		awaitStates(b, m, map[mesos.TaskState]int{mesos.TaskState_TASK_FINISHED: 1}, func(s mesos.TaskState) {
			switch s {
			case mesos.TaskState_TASK_RUNNING:
				running = append(running, time.Since(begin))
			case mesos.TaskState_TASK_FINISHED:
				finished = append(finished, time.Since(begin))
			}
		})
	}
	slices.Sort(running)
	slices.Sort(finished)
	b.ReportMetric(float64(running[len(running)/2].Microseconds()), "running-p50-µs")
	b.ReportMetric(float64(running[len(running)*99/100].Microseconds()), "running-p99-µs")
	b.ReportMetric(float64(finished[len(finished)/2].Microseconds()), "finished-p50-µs")
	b.ReportMetric(float64(finished[len(finished)*99/100].Microseconds()), "finished-p99-µs")
}

// cpuOf is the processor time of a process and of those it has waited for, and of all that together with
// this process.
func cpuOf(b *testing.B, supervisor int) (self, supervisorOwn, tasks time.Duration) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	self = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	ticks := func(fields []string) (sum time.Duration) {
		for _, f := range fields {
			n, err := strconv.Atoi(f)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
		return sum
	}
	fields := stat(supervisor)
	return self, ticks(fields[11:13]), ticks(fields[13:15])
}

// supervisorOf finds the supervisor of an agent by a task of it.
func supervisorOf(b *testing.B, m *testMaster) int {
	m.run(frameworkInfo(), shellTask("long", "exec sleep 1000"))
	pid := int(lastOf(m.statuses("long", mesos.TaskState_TASK_RUNNING)).ContainerStatus.GetExecutorPid())
	parent, err := strconv.Atoi(stat(pid)[1])
	if err != nil {
		b.Fatal(err)
	}
	return parent
}

// BenchmarkManyTasks keeps 64 command tasks under way, held to nothing, to what they are held to by default, and in
// namespaces of their own. The processor time of the agent includes that of the master in the same process.
func BenchmarkManyTasks(b *testing.B) {
	for _, c := range []struct{ name, isolation string }{
		{"nothing", "posix/cpu,posix/mem"},
		{"default", defaultIsolation},
		{"namespaces", defaultIsolation + ",namespaces/pid,namespaces/ipc,filesystem/linux"},
	} {
		b.Run(c.name, func(b *testing.B) { manyTasks(b, c.isolation) })
	}
}

func manyTasks(b *testing.B, isolation string) {
	m := newTestMaster(b)
	startAgent(b, m, onBenchDisk(b), func(c *Config) { c.Isolation = isolation })
	m.subscribed()
	supervisor := supervisorOf(b, m)
	framework := frameworkInfo()
	n := 0
	next := func() {
		n++
		task := shellTask(fmt.Sprint("t", n), "")
		task.Resources = []*mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)}
		task.Command = &mesos.CommandInfo{Shell: new(false), Value: new("/bin/true")}
		m.run(framework, task)
	}
	for range 64 {
		next()
	}
	begin := time.Now()
	self, own, tasks := cpuOf(b, supervisor)
	ended := 0
	for b.Loop() {
		awaitStates(b, m, map[mesos.TaskState]int{mesos.TaskState_TASK_FINISHED: 1}, nil)
		ended++
		next()
	}
	b.ReportMetric(float64(ended)/time.Since(begin).Seconds(), "tasks/s")
	self2, own2, tasks2 := cpuOf(b, supervisor)
	b.ReportMetric(float64((self2-self).Microseconds())/float64(ended), "agent-cpu-µs")
	b.ReportMetric(float64((own2-own).Microseconds())/float64(ended), "supervisor-cpu-µs")
	b.ReportMetric(float64((tasks2-tasks).Microseconds())/float64(ended), "task-cpu-µs")
	awaitStates(b, m, map[mesos.TaskState]int{mesos.TaskState_TASK_FINISHED: n - ended}, nil)
}

// BenchmarkForkExec is the floor: what starting and reaping /bin/true costs this machine at the moment,
// with four at a time.
func BenchmarkForkExec(b *testing.B) {
	var wg sync.WaitGroup
	work := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for range work {
				if err := exec.Command("/bin/true").Run(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	begin, n := time.Now(), 0
	for b.Loop() {
		work <- struct{}{}
		n++
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "execs/s")
}
