package main

import (
	"context"
	"sync"
	"syscall"
	"time"
)

// floor is what starting /bin/true and waiting for it costs this machine.
type floor struct {
	perSecond float64
	cpu       time.Duration // per program: the program's and ours
	took      []time.Duration
}

// measureFloor starts and waits in a bare loop, by a number of workers.
func measureFloor(ctx context.Context, workers int, span time.Duration) (floor, error) {
	var mu sync.Mutex
	var f floor
	var failed error
	var wg sync.WaitGroup
	begin, cpu := time.Now(), ownCPU()
	for range workers {
		wg.Go(func() {
			took, err := forkAndExec(ctx, begin.Add(span))
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
func forkAndExec(ctx context.Context, until time.Time) (took []time.Duration, err error) {
	attr := &syscall.ProcAttr{Env: []string{}}
	for begin := time.Now(); begin.Before(until); {
		pid, err := syscall.ForkExec("/bin/true", []string{"true"}, attr)
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
