package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/supervisor"
)

// keeper is a container.Supervisor that outlives supervisors. Each supervisor has a numbered directory of
// its own; the newest takes new work, older ones keep what they started. When one dies, the keeper ends
// what it left behind, tells of those ends as of others, starts the next, and removes the directory once
// all of its ends are collected.
type keeper struct {
	root  string   // holds the directories
	flags []string // for new supervisors
	log   *slog.Logger
	exits queue[container.Exit]
	wait  sync.WaitGroup

	mu   sync.Mutex
	all  []*generation // oldest first; the last one takes new work
	home map[container.ID]*generation
}

// generation is one supervisor, or what is left of it.
type generation struct {
	number int
	dir    string
	client *supervisor.Client              // guarded by keeper.mu; nil once it is dead
	left   map[container.ID]container.Exit // guarded by keeper.mu; of a dead one: the ends that were not collected
}

// openKeeper finds the supervisors of a former run, and ends what dead ones left. There may be no living one
// afterwards: see ensureLiving.
func openKeeper(ctx context.Context, root string, flags []string, log *slog.Logger) (*keeper, error) {
	k := &keeper{root: root, flags: flags, log: log, exits: newQueue[container.Exit](), home: make(map[container.ID]*generation)}
	numbers, err := generationsIn(root)
	if err != nil {
		return nil, fmt.Errorf("supervisors: %w", err)
	}
	for _, number := range numbers {
		if err := k.reopen(ctx, number); err != nil {
			k.Close()
			return nil, err
		}
	}
	return k, nil
}

func generationsIn(root string) ([]int, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func (k *keeper) dir(number int) string { return filepath.Join(k.root, strconv.Itoa(number)) }

// reopen connects to a supervisor, or ends what it left.
func (k *keeper) reopen(ctx context.Context, number int) error {
	g := &generation{number: number, dir: k.dir(number)}
	k.all = append(k.all, g)
	client, err := k.connect(ctx, g.dir)
	if errors.Is(err, container.ErrUnavailable) {
		return k.bury(ctx, g)
	}
	if err != nil {
		return err
	}
	g.client = client
	infos, err := client.List(ctx)
	if err != nil {
		return fmt.Errorf("supervisor in %s: %w", g.dir, err)
	}
	for _, info := range infos {
		k.home[info.ID] = g
	}
	return nil
}

// connect reaches the supervisor of a directory, however long that takes. ErrUnavailable means that it is dead. One
// that cannot be reached for another reason, such as a want of descriptors, may live, and what it holds must not
// be ended.
func (k *keeper) connect(ctx context.Context, dir string) (*supervisor.Client, error) {
	for said := false; ; {
		client, err := supervisor.Connect(ctx, dir)
		dead := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
		switch {
		case dead || !errors.Is(err, container.ErrUnavailable):
			return client, err
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !said:
			k.log.Warn("the supervisor is not reached yet", "error", err)
			said = true
		}
		pause(ctx, askAgain)
	}
}

// bury ends everything of a dead supervisor and tells how it ended.
func (k *keeper) bury(ctx context.Context, g *generation) error {
	exits, err := supervisor.EndAll(ctx, g.dir)
	if err != nil {
		return fmt.Errorf("ending what a dead supervisor left: %w", err)
	}
	k.mu.Lock()
	g.client = nil
	g.left = make(map[container.ID]container.Exit, len(exits))
	for _, exit := range exits {
		g.left[exit.ID] = exit
		k.home[exit.ID] = g
	}
	k.mu.Unlock()
	k.exits.put(exits...)
	return k.removeIfEmpty(g)
}

// removeIfEmpty removes the directory of a dead supervisor all of whose ends are collected.
func (k *keeper) removeIfEmpty(g *generation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g.client != nil || g.left == nil || len(g.left) > 0 {
		return nil
	}
	k.all = slices.DeleteFunc(k.all, func(other *generation) bool { return other == g })
	if err := supervisor.Remove(g.dir); err != nil {
		return err
	}
	return os.RemoveAll(g.dir)
}

// ensureLiving starts a supervisor unless the newest one lives.
func (k *keeper) ensureLiving(ctx context.Context) error {
	k.mu.Lock()
	next := 1
	if n := len(k.all); n > 0 {
		if k.all[n-1].client != nil {
			k.mu.Unlock()
			return nil
		}
		next = k.all[n-1].number + 1
	}
	k.mu.Unlock()
	g := &generation{number: next, dir: k.dir(next)}
	client, err := supervisor.Start(ctx, g.dir, k.flags...)
	if err != nil {
		return err
	}
	g.client = client
	k.mu.Lock()
	k.all = append(k.all, g)
	k.mu.Unlock()
	k.log.Info("supervisor started", "pid", client.Process().PID, "tracking", client.Tracking())
	return nil
}

// abilities are what the newest supervisor can do for containers.
func (k *keeper) abilities() []container.Ability {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.all); n > 0 && k.all[n-1].client != nil {
		return k.all[n-1].client.Abilities()
	}
	return nil
}

// run watches the supervisors until ctx ends. What they started goes on.
func (k *keeper) run(ctx context.Context) {
	k.mu.Lock()
	for _, g := range k.all {
		if g.client != nil {
			k.wait.Go(func() { k.watch(ctx, g, g.client) })
		}
	}
	k.mu.Unlock()
	<-ctx.Done()
	k.wait.Wait()
}

// watch passes on the exits of a supervisor as long as it lives, and sees to what it leaves.
func (k *keeper) watch(ctx context.Context, g *generation, client *supervisor.Client) {
	for ctx.Err() == nil {
		for exit, err := range client.Exits(ctx) {
			if err != nil {
				break
			}
			k.exits.put(exit)
		}
		if ctx.Err() != nil {
			return
		}
		client.Close()
		next, err := k.connect(ctx, g.dir) // perhaps only the connection has ended
		if ctx.Err() != nil {
			if err == nil {
				next.Close()
			}
			return
		}
		if err != nil {
			k.succeed(ctx, g)
			return
		}
		k.mu.Lock()
		g.client, client = next, next
		k.mu.Unlock()
	}
}

// succeed ends what a dead supervisor left and starts the next one.
func (k *keeper) succeed(ctx context.Context, g *generation) {
	k.log.Error("the supervisor died: its containers are ended", "dir", g.dir)
	for ctx.Err() == nil {
		err := k.bury(ctx, g)
		if err == nil {
			err = k.ensureLiving(ctx)
		}
		if err == nil {
			break
		}
		k.log.Error("no supervisor yet", "error", err)
		pause(ctx, time.Second)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.all); n > 0 && k.all[n-1].number > g.number && k.all[n-1].client != nil && ctx.Err() == nil {
		next := k.all[n-1]
		k.wait.Go(func() { k.watch(ctx, next, next.client) })
	}
}

// errNoSupervisor means that one is on its way.
var errNoSupervisor = fmt.Errorf("%w: none lives at the moment", container.ErrUnavailable)

// place finds the supervisor that has a container; for an unknown one that is nil, nil.
func (k *keeper) place(id container.ID) (*supervisor.Client, *generation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.home[id]
	if g == nil {
		return nil, nil
	}
	return g.client, g
}

// Launch is container.Supervisor's. A container that a dead supervisor had started is errLost.
func (k *keeper) Launch(ctx context.Context, spec container.Spec) (container.Started, error) {
	client, err := k.claim(spec.ID)
	if err != nil {
		return container.Started{}, err
	}
	return client.Launch(ctx, spec)
}

// claim finds the supervisor for a launch. One that was claimed from a supervisor which died without
// having started it is claimed anew.
func (k *keeper) claim(id container.ID) (*supervisor.Client, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.home[id]
	if g != nil && g.client != nil {
		return g.client, nil
	}
	if g != nil {
		if _, started := g.left[id]; started {
			return nil, errLost
		}
	}
	if n := len(k.all); n == 0 || k.all[n-1].client == nil || g != nil && g.left == nil {
		return nil, errNoSupervisor // none yet, or it is not known yet what the dead one had started
	}
	g = k.all[len(k.all)-1]
	k.home[id] = g
	return g.client, nil
}

// holder is the supervisor that runs a container.
func (k *keeper) holder(id container.ID) (*supervisor.Client, error) {
	client, g := k.place(id)
	switch {
	case g == nil:
		return nil, container.ErrUnknown
	case client == nil:
		return nil, errLost
	}
	return client, nil
}

// Kill is container.Supervisor's.
func (k *keeper) Kill(ctx context.Context, id container.ID, grace time.Duration) error {
	client, err := k.holder(id)
	if err != nil {
		return err
	}
	return client.Kill(ctx, id, grace)
}

// Limit is container.Supervisor's.
func (k *keeper) Limit(ctx context.Context, id container.ID, limits container.Limits) error {
	client, err := k.holder(id)
	if err != nil {
		return err
	}
	return client.Limit(ctx, id, limits)
}

// Statistics is container.Supervisor's, over all supervisors that live.
func (k *keeper) Statistics(ctx context.Context, ids ...container.ID) ([]container.Statistics, error) {
	var all []container.Statistics
	for _, client := range k.living() {
		some, err := client.Statistics(ctx, ids...)
		if errors.Is(err, container.ErrUnsupported) {
			continue // it began before there were statistics
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// living are the supervisors that are not dead, in the order in which they began.
func (k *keeper) living() (living []*supervisor.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range k.all {
		if g.client != nil {
			living = append(living, g.client)
		}
	}
	return living
}

// List is container.Supervisor's, over all supervisors, dead ones included.
func (k *keeper) List(ctx context.Context) ([]container.Info, error) {
	k.mu.Lock()
	var infos []container.Info
	var living []*supervisor.Client
	for _, g := range k.all {
		for id, exit := range g.left {
			infos = append(infos, container.Info{ID: id, State: container.StateExited, Exit: &exit})
		}
		if g.client != nil {
			living = append(living, g.client)
		}
	}
	k.mu.Unlock()
	for _, client := range living {
		more, err := client.List(ctx)
		if err != nil {
			return nil, err
		}
		infos = append(infos, more...)
	}
	return infos, nil
}

// Exits is container.Supervisor's, for one reader.
func (k *keeper) Exits(ctx context.Context) iter.Seq2[container.Exit, error] {
	return func(yield func(container.Exit, error) bool) {
		for {
			for _, exit := range k.exits.takeAll() {
				if !yield(exit, nil) {
					return
				}
			}
			select {
			case <-k.exits.ready:
			case <-ctx.Done():
				yield(container.Exit{}, context.Cause(ctx))
				return
			}
		}
	}
}

// Collect is container.Supervisor's.
func (k *keeper) Collect(ctx context.Context, ids ...container.ID) error {
	byHome := make(map[*generation][]container.ID)
	k.mu.Lock()
	for _, id := range ids {
		if g := k.home[id]; g != nil {
			byHome[g] = append(byHome[g], id)
		}
	}
	k.mu.Unlock()
	var errs []error
	for g, mine := range byHome {
		errs = append(errs, k.collectFrom(ctx, g, mine))
	}
	return errors.Join(errs...)
}

func (k *keeper) collectFrom(ctx context.Context, g *generation, ids []container.ID) error {
	k.mu.Lock()
	client := g.client
	k.mu.Unlock()
	if client != nil {
		if err := client.Collect(ctx, ids...); err != nil {
			return err
		}
	}
	k.mu.Lock()
	for _, id := range ids {
		delete(g.left, id)
		delete(k.home, id)
	}
	k.mu.Unlock()
	return k.removeIfEmpty(g)
}

// Close leaves the supervisors alone.
func (k *keeper) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range k.all {
		if g.client != nil {
			g.client.Close()
		}
	}
}

// stop ends the supervisors and everything that they still hold.
func (k *keeper) stop(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, g := range k.all {
		if g.client != nil {
			if err := syscall.Kill(g.client.Process().PID, syscall.SIGTERM); err == nil {
				select {
				case <-g.client.Done():
				case <-ctx.Done():
				}
			}
			g.client.Close()
			g.client = nil
		}
		if _, err := supervisor.EndAll(ctx, g.dir); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, supervisor.Remove(g.dir), os.RemoveAll(g.dir))
	}
	k.all = nil
	if err := os.Remove(k.root); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
