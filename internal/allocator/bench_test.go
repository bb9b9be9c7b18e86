package allocator

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// stopwatch adds up CPU time, which says more than wall time on a machine that
// is shared: that of all threads, so that collecting garbage is included.
type stopwatch struct {
	sum, began time.Duration
}

func (s *stopwatch) start() { s.began = cpuTime() }

func (s *stopwatch) stop() { s.sum += cpuTime() - s.began }

func (s *stopwatch) report(b *testing.B) {
	b.ReportMetric(float64(s.sum)/float64(b.N), "cpu-ns/op")
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// timed measures the CPU time from the call until what it returns is called.
func timed(b *testing.B) func() {
	var s stopwatch
	s.start()
	return func() {
		s.stop()
		s.report(b)
	}
}

var machine = resources.MustParse("cpus:8;mem:8192;disk:10000;ports:[31000-32000]")

// crowd is an allocator with agents and frameworks, each framework in a role
// of its own, ten of them below the same one.
func crowd(agents, frameworks int) *Allocator {
	a := New(Options{})
	for i := range frameworks {
		role := ids.Role(fmt.Sprintf("team%d/role%d", i/10, i))
		a.add(ids.FrameworkID(fmt.Sprintf("f%03d", i)), Capabilities{}, role)
	}
	for i := range agents {
		a.SetAgent(ids.AgentID(fmt.Sprintf("a%05d", i)), machine)
	}
	return a
}

// BenchmarkAllocateAll is the start of a large cluster: everything is idle, and
// everybody wants it.
func BenchmarkAllocateAll(b *testing.B) {
	var s stopwatch
	for b.Loop() {
		b.StopTimer()
		a := crowd(50_000, 50)
		b.StartTimer()
		s.start()
		if offers := a.Allocate(at(0)); len(offers) != 50_000 {
			b.Fatalf("%d offers", len(offers))
		}
		s.stop()
	}
	s.report(b)
}

// BenchmarkAllocateOne is what happens all the time: something comes back from
// one agent, and is offered again.
func BenchmarkAllocateOne(b *testing.B) {
	for _, frameworks := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("%d frameworks", frameworks), func(b *testing.B) {
			a := crowd(50_000, frameworks)
			offers := a.Allocate(at(0))
			b.ReportAllocs()
			defer timed(b)()
			for i := 0; b.Loop(); i++ {
				o := offers[i%len(offers)]
				if err := a.Recover(at(0), o.Framework, o.Agent, o.Resources, 0); err != nil {
					b.Fatal(err)
				}
				again := a.Allocate(at(0))
				if len(again) != 1 {
					b.Fatalf("%d offers", len(again))
				}
				offers[i%len(offers)] = again[0]
			}
		})
	}
}

// BenchmarkTaskCycle is a small task that ends on a full agent, and is offered
// and taken again.
func BenchmarkTaskCycle(b *testing.B) {
	a := crowd(50_000, 50)
	offers := a.Allocate(at(0))
	task := resources.MustParse("cpus:0.1;mem:32")
	b.ReportAllocs()
	defer timed(b)()
	for i := 0; b.Loop(); i++ {
		o := &offers[i%len(offers)]
		if err := a.Recover(at(0), o.Framework, o.Agent, task.Allocate(o.Role), 0); err != nil {
			b.Fatal(err)
		}
		again := a.Allocate(at(0))
		if len(again) != 1 {
			b.Fatalf("%d offers", len(again))
		}
		o.Framework, o.Role = again[0].Framework, again[0].Role
	}
}

// BenchmarkDecline is one of many frameworks that wants nothing, while all
// others do not either: the agent is offered on until nobody is left.
func BenchmarkDecline(b *testing.B) {
	a := crowd(1000, 50)
	b.ReportAllocs()
	now := time.Duration(0)
	offers := a.Allocate(at(now))
	defer timed(b)()
	for b.Loop() {
		if len(offers) == 0 {
			now = a.NextDeadline()
			offers = a.Allocate(at(now))
		}
		o := offers[len(offers)-1]
		offers = offers[:len(offers)-1]
		if err := a.Recover(at(now), o.Framework, o.Agent, o.Resources, 5*time.Second); err != nil {
			b.Fatal(err)
		}
		offers = append(offers, a.Allocate(at(now))...)
	}
}

// BenchmarkRevive is a framework that asks again, on a large cluster on which
// everything is idle because everybody has refused it.
func BenchmarkRevive(b *testing.B) {
	a := crowd(50_000, 10)
	for {
		offers := a.Allocate(at(0))
		if len(offers) == 0 {
			break
		}
		for _, o := range offers {
			if err := a.Recover(at(0), o.Framework, o.Agent, o.Resources, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	}
	var s stopwatch
	for b.Loop() {
		s.start()
		a.Revive("f003")
		offers := a.Allocate(at(0))
		s.stop()
		b.StopTimer()
		if len(offers) != 50_000 {
			b.Fatalf("%d offers", len(offers))
		}
		for _, o := range offers {
			if err := a.Recover(at(0), o.Framework, o.Agent, o.Resources, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
		a.Allocate(at(0))
		b.StartTimer()
	}
	s.report(b)
}

// BenchmarkSetAgent is one more agent that registers.
func BenchmarkSetAgent(b *testing.B) {
	a := crowd(0, 50)
	b.ReportAllocs()
	defer timed(b)()
	for i := 0; b.Loop(); i++ {
		a.SetAgent(ids.AgentID(fmt.Sprintf("a%d", i)), machine)
		a.Allocate(at(0))
	}
}
