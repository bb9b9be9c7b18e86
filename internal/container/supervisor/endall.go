package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/track"
)

// EndAll ends what a dead supervisor left running: every process of every set that
// its log tells of, and itself, in case it only seemed dead. It returns how each
// container ended that nobody has collected, in the order of their launches: as
// the supervisor had noted, or with ReasonLost if it ran until now.
//
// It changes nothing in the directory, so it can be repeated until the caller has
// noted the ends and calls Remove. In a directory without a log there is nothing
// to end. An error means that something may still run.
func EndAll(ctx context.Context, dir string) ([]container.Exit, error) {
	left, err := loadRemains(dir)
	if left == nil {
		return nil, err
	}
	// After another boot none of it can be running, and its pids mean others.
	if left.header.BootID == bootID() {
		if err := left.end(ctx); err != nil {
			return nil, fmt.Errorf("ending what the supervisor in %s left: %w", dir, err)
		}
	}
	return left.ends(time.Now().Round(0)), nil
}

// Remove forgets what EndAll has ended, so that another supervisor can begin in
// the directory. The directory itself stays, and the messages in it.
func Remove(dir string) error {
	var errs []error
	for _, name := range []string{socketName, logName, logName + ".new"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func loadRemains(dir string) (*remains, error) {
	file, err := os.Open(filepath.Join(dir, logName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readLog(file)
}

// end kills the supervisor first, which could start more, and then its sets, until
// nothing is left or ctx ends.
func (left *remains) end(ctx context.Context) error {
	supervisor := track.Process{PID: left.header.Process.PID, StartTime: left.header.Process.StartTime}
	if err := killUntilGone(ctx, supervisor); err != nil {
		return err
	}
	sets, err := track.Reopen(track.Place{Kind: track.Kind(left.header.TrackKind), Path: left.header.TrackPlace})
	if err != nil {
		return err
	}
	for pause := time.Millisecond; ; pause = min(2*pause, lookAgainLast) {
		running := left.kill(sets)
		if running == 0 {
			tidy(sets)
			cgroup.Sweep(filepath.Base(left.header.TrackPlace))
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d containers still run: %w", running, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// kill kills what it finds once, and returns in how many containers it found
// something. A main process is killed whether or not its set shows it: it may have
// cleared its environment.
func (left *remains) kill(sets track.Sets) (running int) {
	all := map[string]bool{}
	for _, id := range sets.IDs() {
		all[id] = true
	}
	for id, main := range left.live {
		all[string(id)] = true
		p := track.Process{PID: main.PID, StartTime: main.StartTime}
		if main.PID != 0 && p.Alive() {
			p.Kill(syscall.SIGKILL)
			running++
		}
	}
	ids := slices.Collect(maps.Keys(all))
	return max(running, len(ids)-len(sets.Destroy(ids)))
}

// tidy removes the cgroups. The kernel counts a process among them for a moment
// after its death; what cannot be removed even so does no harm.
func tidy(sets track.Sets) {
	for pause := time.Millisecond; pause < time.Second; pause += pause / 2 {
		if sets.Close() == nil {
			return
		}
		time.Sleep(pause)
	}
}

// killUntilGone kills a process and waits until it runs no more. If it is our
// child, it is reaped.
func killUntilGone(ctx context.Context, p track.Process) error {
	for p.Alive() {
		p.Kill(syscall.SIGKILL)
		select {
		case <-ctx.Done():
			return fmt.Errorf("the supervisor, pid %d, does not die: %w", p.PID, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
	if now, err := track.Identify(p.PID); err == nil && now == p {
		syscall.Wait4(p.PID, nil, syscall.WNOHANG, nil)
	}
	return nil
}

// ends lists how the containers ended.
func (left *remains) ends(now time.Time) []container.Exit {
	var exits []container.Exit
	for _, id := range left.order {
		if exit, ok := left.exits[id]; ok {
			exits = append(exits, exit)
		} else if _, ok := left.live[id]; ok {
			exits = append(exits, container.Exit{ID: id, Reason: container.ReasonLost, At: now})
		}
	}
	return exits
}
