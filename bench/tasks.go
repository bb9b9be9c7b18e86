package main

import (
	"context"
	"time"
)

// throughput is what a busy cluster does.
type throughput struct {
	perSecond float64
	perAccept float64 // tasks
	syncs     float64 // per task; negative if nobody could count
	cpu       costs   // per task
}

// latencies are those of single tasks in a cluster that does nothing else.
type latencies struct {
	running, finished []time.Duration
	syncs             float64
}

// measureThroughput runs command tasks as fast as they go, a few at the same time.
func measureThroughput(ctx context.Context, c *cluster, p plan) (t throughput, err error) {
	b, err := connect(c, p.flying)
	if err != nil {
		return t, err
	}
	defer b.stop()
	warmUp := func() error { return b.runTasks(ctx, p.warmUp) }
	if t.syncs, err = syncsPerTask(c, p.warmUp, warmUp); err != nil {
		return t, err
	}
	meter, err := newMeter(c)
	if err != nil {
		return t, err
	}
	begin, accepts := time.Now(), b.accepts
	if err := b.runTasks(ctx, p.tasks); err != nil {
		return t, err
	}
	t.perSecond = float64(p.tasks) / time.Since(begin).Seconds()
	t.perAccept = float64(p.tasks) / float64(b.accepts-accepts)
	t.cpu, err = meter.perTask(p.tasks)
	return t, err
}

// measureLatencies runs one task after the other.
func measureLatencies(ctx context.Context, c *cluster, p plan) (l latencies, err error) {
	b, err := connect(c, 1)
	if err != nil {
		return l, err
	}
	defer b.stop()
	oneByOne := func(n int) error {
		for range n {
			time.Sleep(p.rest)
			if err := b.runTasks(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	}
	some := p.paced/10 + 1
	if l.syncs, err = syncsPerTask(c, some, func() error { return oneByOne(some) }); err != nil {
		return l, err
	}
	b.running, b.finished = nil, nil
	err = oneByOne(p.paced)
	l.running, l.finished = b.running, b.finished
	return l, err
}
