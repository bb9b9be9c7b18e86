package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/spawn"
	"github.com/meseta/meseta/internal/container/supervisor"
)

// Isolated launches: /bin/true in namespaces of its own, in cgroups with limits, in a directory of its own.
const (
	isolatedAtOnce = 4
	aimIsolated    = 0.5 // of the rate of the bare loop
)

var isolatedLimits = container.Limits{CPUShares: 100, CPUQuota: 50 * time.Millisecond, MemoryBytes: 64 << 20, PIDs: 100}

// weighIsolated launches through a supervisor, beside a loop that makes the same system calls and remembers
// nothing.
func weighIsolated(ctx context.Context, s sizes) ([]line, error) {
	if os.Geteuid() != 0 {
		return []line{{label: "isolated launches", value: "need root", floor: "", aim: aimNone}}, nil
	}
	var rate, cpu, floorRate, floorCPU []float64
	for range 3 {
		f, err := bareIsolated(s)
		if err != nil {
			return nil, fmt.Errorf("the bare loop: %w", err)
		}
		floorRate, floorCPU = append(floorRate, f.perSecond), append(floorCPU, micros(f.cpu))
		ours, err := supervisedIsolated(ctx, s)
		if err != nil {
			return nil, err
		}
		rate, cpu = append(rate, ours.perSecond), append(cpu, micros(ours.cpu))
	}
	ratio := middle(rate) / middle(floorRate)
	return []line{
		{label: fmt.Sprintf("isolated launches, %d at a time", isolatedAtOnce), value: fmt.Sprintf("%.0f /s", middle(rate)),
			floor: fmt.Sprintf("%.0f /s", middle(floorRate)), aim: fmt.Sprintf("≥ %.1f ×", aimIsolated), reached: ratio >= aimIsolated},
		{label: "  CPU time of everything for each", value: fmt.Sprintf("%.2f ms", middle(cpu)/1000), floor: fmt.Sprintf("%.2f ms", middle(floorCPU)/1000)},
	}, nil
}

// shareOut does work n times, some at the same time, each with a number and a directory of its own, and tells how fast.
func shareOut(s sizes, cpuNow func() (time.Duration, error), work func(worker int, id, dir string) error) (f floor, err error) {
	root, err := os.MkdirTemp(s.dir, "isolated-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(root)
	before, err := cpuNow()
	if err != nil {
		return f, err
	}
	begin := time.Now()
	errs := make([]error, isolatedAtOnce)
	var wg sync.WaitGroup
	for w := range isolatedAtOnce {
		wg.Go(func() {
			for n := range s.isolated / isolatedAtOnce {
				id := strconv.Itoa(w) + "-" + strconv.Itoa(n)
				dir := filepath.Join(root, id)
				if errs[w] = os.Mkdir(dir, 0o755); errs[w] != nil {
					return
				}
				if errs[w] = work(w, id, dir); errs[w] != nil {
					return
				}
				if errs[w] = os.RemoveAll(dir); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	after, err := cpuNow()
	n := s.isolated / isolatedAtOnce * isolatedAtOnce
	f.perSecond, f.cpu = float64(n)/took.Seconds(), (after-before)/time.Duration(n)
	return f, errors.Join(append(errs, err)...)
}

// bareIsolated is the loop: make the cgroups, be born into them and the namespaces, wait, remove them.
func bareIsolated(s sizes) (floor, error) {
	limiter := cgroup.Open("bench-"+strconv.Itoa(os.Getpid()), "")
	defer limiter.Close()
	spawners := make([]*spawn.Spawner, isolatedAtOnce)
	for i := range spawners {
		spawners[i] = spawn.New()
	}
	return shareOut(s, func() (time.Duration, error) { return ownCPU(), nil }, func(worker int, id, dir string) error {
		procs, err := limiter.Enlist(id, isolatedLimits)
		if err != nil {
			return err
		}
		pid, err := spawners[worker].Start(&spawn.Command{Programs: []string{"/bin/true"}, Argv: []string{"true"}, Dir: dir,
			Stdout: dir + "/stdout", Stderr: dir + "/stderr", JoinCgroups: procs,
			CloneFlags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC})
		if pid > 0 {
			err = errors.Join(err, wait(pid))
		}
		limiter.Forget(id)
		return err
	})
}

// supervisedIsolated launches through the socket of a supervisor, which is this program, and collects each exit.
func supervisedIsolated(ctx context.Context, s sizes) (f floor, err error) {
	dir, err := os.MkdirTemp("", "bench-") // a short path, for a socket
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	client, err := supervisor.Start(ctx, filepath.Join(dir, "s"))
	if err != nil {
		return f, err
	}
	pid := client.Process().PID
	defer wait(pid)
	defer syscall.Kill(pid, syscall.SIGTERM)
	defer client.Close()

	e := exits{waiting: make(map[container.ID]chan struct{})}
	listening, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { e.listen(listening, client) })
	defer wg.Wait()
	defer stop()
	cpuNow := func() (time.Duration, error) {
		u, err := cpuOf(pid)
		return ownCPU() + u.self + u.children, err
	}
	return shareOut(s, cpuNow, func(_ int, id, dir string) error {
		spec := container.Spec{ID: container.ID(id), Argv: []string{"/bin/true"}, Dir: dir, Stdout: dir + "/stdout", Stderr: dir + "/stderr",
			Namespaces: container.NamespacePID | container.NamespaceMount | container.NamespaceIPC, Limits: isolatedLimits}
		ended := e.of(spec.ID)
		if _, err := client.Launch(ctx, spec); err != nil {
			return err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return client.Collect(ctx, spec.ID)
	})
}

// exits tells those who wait for the end of a container.
type exits struct {
	mu      sync.Mutex
	waiting map[container.ID]chan struct{} // guarded by mu
}

func (e *exits) of(id container.ID) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting[id] = make(chan struct{})
	return e.waiting[id]
}

func (e *exits) listen(ctx context.Context, client *supervisor.Client) {
	for exit, err := range client.Exits(ctx) {
		if err != nil {
			return
		}
		e.mu.Lock()
		if ended := e.waiting[exit.ID]; ended != nil {
			close(ended)
			delete(e.waiting, exit.ID)
		}
		e.mu.Unlock()
	}
}
