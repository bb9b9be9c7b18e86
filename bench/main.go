// Command bench shows what Meseta claims about speed, beside what the machine itself can do at the same
// moment: floors and goals in one table, of one run.
//
// A floor is the cheapest program that does an inevitable part of the work (floor.go: fork, exec and wait for
// /bin/true; make a record durable). A measurement is the same part of the work done by a whole cluster of real processes: a master,
// an agent with its supervisor, and this program as the scheduler, by our own driver (cluster.go, tasks.go). Time
// on a shared machine means little, so everything is also counted in CPU time, and claims are ratios.
//
//	go run ./bench            # or: make bench
//
// README.md has the figures, what they mean, and what is missed and why.
//
// Start reading at measure.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container/supervisor"
)

// plan says what to measure, and for how long.
type plan struct {
	binary string // meseta
	dir    string // for the cluster's data, on a real disk

	rounds int
	floor  time.Duration // of each floor
	warmUp int           // tasks before everything else; their syncs are counted
	tasks  int           // of the throughput
	flying int           // how many of them at most at the same time
	paced  int           // tasks one after the other, for the latencies
	rest   time.Duration // before each of those

	isolation string // of the agent
}

func main() {
	if supervisor.Wanted(os.Args) { // isolated launches are made by a supervisor that is this program
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	if part, ok := children[os.Getenv(childVariable)]; ok {
		part()
		return
	}
	var p plan
	var s sizes
	flag.StringVar(&p.binary, "binary", "", "measure this meseta `binary` instead of building one")
	flag.StringVar(&p.dir, "dir", ".", "`directory` on a real disk, in which a temporary one is made")
	flag.IntVar(&p.rounds, "rounds", 3, "how often to measure everything; the table shows medians")
	flag.DurationVar(&p.floor, "floor", 3*time.Second, "how long to start programs for each floor")
	flag.IntVar(&p.warmUp, "warmup", 1000, "tasks to warm up; fsyncs are counted meanwhile")
	flag.IntVar(&p.tasks, "tasks", 8000, "tasks of the throughput")
	flag.IntVar(&p.flying, "flying", 64, "how many of them may be under way at the same time")
	flag.IntVar(&p.paced, "paced", 400, "tasks one after the other, for the latencies")
	flag.DurationVar(&p.rest, "rest", 5*time.Millisecond, "pause before each of those")
	flag.StringVar(&p.isolation, "isolation", "posix/cpu,posix/mem", "what containers are held to; the floors are held to nothing")
	weighing := flag.Bool("size", false, "tell how small and quiet the daemons are, instead of how fast")
	flag.DurationVar(&s.idle, "idle", time.Minute, "with -size: how long to watch a cluster that does nothing")
	flag.IntVar(&s.starts, "starts", 5, "with -size: how often to start everything")
	flag.IntVar(&s.subscriptions, "subscriptions", 2000, "with -size: streams that are held")
	flag.IntVar(&s.agents, "agents", 50_000, "with -size: agents in the master's core")
	flag.IntVar(&s.tasksEach, "tasks-each", 10, "with -size: live tasks of each")
	flag.IntVar(&s.calls, "calls", 20_000, "with -size: calls, three times")
	flag.IntVar(&s.executors, "executors", 200, "with -size: tasks with an executor of their own")
	flag.IntVar(&s.isolated, "isolated", 1000, "with -size: isolated launches, three times")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	measureAll := func(p plan) error { return speeds(ctx, p) }
	if *weighing {
		measureAll = func(p plan) error {
			s.plan = p
			return weigh(ctx, os.Stdout, s)
		}
	}
	if err := run(ctx, p, measureAll); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run prepares what is measured, and measures it.
func run(ctx context.Context, p plan, measureAll func(plan) error) error {
	dir, cleanUp, err := workDir(p.dir)
	if err != nil {
		return err
	}
	defer cleanUp()
	p.dir = dir
	if p.binary == "" {
		if p.binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	describeMachine(os.Stdout, dir)
	return measureAll(p)
}

// speeds measures floors and goals in rounds, and prints the table.
func speeds(ctx context.Context, p plan) error {
	var rounds []round
	for n := range p.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d:", n+1, p.rounds)
		r, err := measure(ctx, p)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
	}
	report(os.Stdout, p, rounds)
	return nil
}

// round is everything measured once.
type round struct {
	one, four floor
	sync      []time.Duration
	rate      throughput
	paced     latencies
}

// measure measures floors and goals in turn, so that they meet the same weather.
func measure(ctx context.Context, p plan) (r round, err error) {
	if r.one, err = measureFloor(ctx, 1, p.floor); err != nil {
		return r, err
	}
	if r.four, err = measureFloor(ctx, 4, p.floor); err != nil {
		return r, err
	}
	if r.sync, err = measureSync(ctx, p.dir, p.rest); err != nil {
		return r, err
	}
	c, err := startCluster(ctx, p)
	if err != nil {
		return r, err
	}
	defer c.stop()
	pids := c.pids()
	fmt.Fprintf(os.Stderr, " master %d, agent %d, supervisor %d\n", pids[0], pids[1], pids[2]) // for a profiler
	if r.rate, err = measureThroughput(ctx, c, p); err != nil {
		return r, err
	}
	r.paced, err = measureLatencies(ctx, c, p)
	return r, err
}
