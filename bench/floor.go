package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The floors: the inevitable parts of running a command task, done by a bare loop.

// floor is what starting /bin/true and waiting for it costs this machine.
type floor struct {
	perSecond float64
	cpu       time.Duration // per program: the program's and ours
	took      []time.Duration
}

// program is what a loop starts.
type program struct {
	path    string
	environ []string
}

// measureFloor starts /bin/true and waits for it in a bare loop, by a number of workers.
func measureFloor(ctx context.Context, workers int, span time.Duration) (floor, error) {
	return measureStarts(ctx, workers, span, program{path: "/bin/true"})
}

// measureStarts does the same with any program.
func measureStarts(ctx context.Context, workers int, span time.Duration, p program) (floor, error) {
	var mu sync.Mutex
	var f floor
	var failed error
	var wg sync.WaitGroup
	begin, cpu := time.Now(), ownCPU()
	for range workers {
		wg.Go(func() {
			took, err := forkAndExec(ctx, begin.Add(span), p)
			mu.Lock()
			defer mu.Unlock()
			f.took = append(f.took, took...)
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	n := float64(len(f.took))
	f.perSecond = n / time.Since(begin).Seconds()
	f.cpu = time.Duration(float64(ownCPU()-cpu) / n)
	return f, failed
}

// forkAndExec does it again and again until the moment given, and tells how long each took.
func forkAndExec(ctx context.Context, until time.Time, p program) (took []time.Duration, err error) {
	attr := &syscall.ProcAttr{Env: append([]string{}, p.environ...)}
	for begin := time.Now(); begin.Before(until); {
		pid, err := syscall.ForkExec(p.path, []string{p.path}, attr)
		if err != nil {
			return took, err
		}
		if err := wait(pid); err != nil {
			return took, err
		}
		end := time.Now()
		took = append(took, end.Sub(begin))
		begin = end
		if ctx.Err() != nil {
			return took, context.Cause(ctx)
		}
	}
	return took, nil
}

func wait(pid int) error {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return err
		}
	}
}

// measureSync makes small records durable, one after the other, as the agent's journal does it for a task that is
// alone: in a file whose space was reserved before.
func measureSync(ctx context.Context, dir string, rest time.Duration) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	record := make([]byte, 400)
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 1<<20); err != nil {
		return nil, fmt.Errorf("fallocate: %w", err)
	}
	for range 200 {
		time.Sleep(rest)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		begin := time.Now()
		if _, err := f.Write(record); err != nil {
			return nil, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}
