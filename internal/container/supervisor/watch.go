package supervisor

import (
	"context"
	"sync"

	"github.com/meseta/meseta/internal/container"
)

// watch is one reader of exits. What it holds is bounded by what the supervisor
// keeps uncollected.
type watch struct {
	arrived chan struct{} // a token when there may be more

	mu    sync.Mutex
	exits []container.Exit // guarded by mu
}

func newWatch() *watch { return &watch{arrived: make(chan struct{}, 1)} }

func (w *watch) push(exit container.Exit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exits = append(w.exits, exit)
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// begin puts what ended before in front. Another watch on the same connection may
// have had some of it pushed here already.
func (w *watch) begin(before []container.Exit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := make(map[container.ID]struct{}, len(before))
	for _, exit := range before {
		seen[exit.ID] = struct{}{}
	}
	all := before
	for _, exit := range w.exits {
		if _, ok := seen[exit.ID]; !ok {
			all = append(all, exit)
		}
	}
	w.exits = all
}

// next waits for an exit.
func (w *watch) next(ctx context.Context, c *Client) (container.Exit, error) {
	for {
		if exit, ok := w.pop(); ok {
			return exit, nil
		}
		select {
		case <-w.arrived:
		case <-ctx.Done():
			return container.Exit{}, context.Cause(ctx)
		case <-c.done:
			if exit, ok := w.pop(); ok {
				return exit, nil
			}
			return container.Exit{}, c.err
		}
	}
}

func (w *watch) pop() (exit container.Exit, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.exits) == 0 {
		return exit, false
	}
	exit = w.exits[0]
	if w.exits = w.exits[1:]; len(w.exits) == 0 {
		w.exits = nil
	}
	return exit, true
}
