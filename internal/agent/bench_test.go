package agent

import (
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
)

// benchMaster counts updates of one kind as they come.
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

// BenchmarkOneTask runs one command task after the other through an agent with a real journal and a real
// supervisor, and a master that acknowledges at once.
func BenchmarkOneTask(b *testing.B) {
	m := newTestMaster(b)
	startAgent(b, m)
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

// BenchmarkManyTasks keeps 64 command tasks under way.
func BenchmarkManyTasks(b *testing.B) {
	m := newTestMaster(b)
	startAgent(b, m)
	m.subscribed()
	framework := frameworkInfo()
	n := 0
	next := func() {
		n++
		task := shellTask(fmt.Sprint("t", n), "")
		task.Command = &mesos.CommandInfo{Shell: new(false), Value: new("/bin/true")}
		m.run(framework, task)
	}
	for range 64 {
		next()
	}
	begin := time.Now()
	ended := 0
	for b.Loop() {
		awaitStates(b, m, map[mesos.TaskState]int{mesos.TaskState_TASK_FINISHED: 1}, nil)
		ended++
		next()
	}
	b.ReportMetric(float64(ended)/time.Since(begin).Seconds(), "tasks/s")
	awaitStates(b, m, map[mesos.TaskState]int{mesos.TaskState_TASK_FINISHED: n - ended}, nil)
}

var _ *linkpb.Update

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
