package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// BenchmarkRestart stops an agent that has 100 running tasks and starts it again, until the master has all
// of them back.
func BenchmarkRestart(b *testing.B) {
	m := newTestMaster(b)
	a := startAgent(b, m, leaveTasks, onBenchDisk(b))
	b.Cleanup(func() {
		a.end()
		a.config.KillTasksOnStop = true
		a.start()
		a.end()
	})
	m.subscribed()
	for i := range 100 {
		m.run(frameworkInfo(), shellTask(fmt.Sprint("t", i), "exec sleep 1000"))
	}
	for i := range 100 {
		m.statuses(fmt.Sprint("t", i), mesos.TaskState_TASK_RUNNING)
	}
	var back time.Duration
	n := 0
	for b.Loop() {
		a.end()
		begin := time.Now()
		a.start()
		if s := m.subscribed(); len(s.Tasks) != 100 {
			b.Fatalf("it comes back with %d tasks", len(s.Tasks))
		}
		back += time.Since(begin)
		n++
	}
	b.ReportMetric(float64(back.Microseconds())/float64(n)/1000, "ms-until-registered")
}
