package agent

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/tree"
)

// diskWatch measures the sandboxes of those that asked for a share of the disk, and tells the core. Sandboxes
// are measured one after the other, by one goroutine that yields to everybody else, and one that takes long to
// measure is measured the more rarely.
type diskWatch struct {
	every      time.Duration
	root       *os.Root
	containers func(context.Context) ([]node.ContainerView, error)
	report     func(...node.Input)

	mu   sync.Mutex
	seen map[ids.ContainerID]measured
}

// measured is what is known of one sandbox.
type measured struct {
	bytes int64
	next  time.Time // when it is measured again
}

// idleShare is how much longer a sandbox is left alone than its measurement took.
const idleShare = 20

func (a *agent) newDiskWatch() *diskWatch {
	return &diskWatch{
		every:      a.config.ContainerDiskWatchInterval,
		root:       a.files.root,
		containers: a.loop.containers,
		report:     a.loop.back.put,
		seen:       make(map[ids.ContainerID]measured),
	}
}

// run measures at intervals until ctx ends.
func (w *diskWatch) run(ctx context.Context) {
	yieldToOthers()
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.round(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// round measures every sandbox that it is time for.
func (w *diskWatch) round(ctx context.Context) {
	containers, err := w.containers(ctx)
	if err != nil {
		return // the agent stops
	}
	w.forgetOthers(containers)
	for _, c := range containers {
		began := time.Now()
		if c.Demand.Disk == 0 || began.Before(w.of(c.Sandbox.Container).next) {
			continue
		}
		bytes, err := tree.Usage(ctx, w.root, sandboxName(c.Sandbox))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			continue // not made yet, gone, or moved about: the next round sees
		}
		took := time.Since(began)
		w.mu.Lock()
		w.seen[c.Sandbox.Container] = measured{bytes: int64(bytes), next: began.Add(max(w.every/2, idleShare*took))}
		w.mu.Unlock()
		w.report(node.DiskUsed{Container: c.Sandbox.Container, Bytes: int64(bytes)})
	}
}

// forgetOthers drops what is known of containers that are gone.
func (w *diskWatch) forgetOthers(live []node.ContainerView) {
	w.mu.Lock()
	defer w.mu.Unlock()
	still := make(map[ids.ContainerID]measured, len(live))
	for _, c := range live {
		if m, ok := w.seen[c.Sandbox.Container]; ok {
			still[c.Sandbox.Container] = m
		}
	}
	w.seen = still
}

// of is what is known of a sandbox.
func (w *diskWatch) of(id ids.ContainerID) measured {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[id]
}

// containers asks the core what runs.
func (l *loop) containers(ctx context.Context) (views []node.ContainerView, err error) {
	err = l.show(ctx, func(n *node.Node) { views = n.Containers() })
	return views, err
}
