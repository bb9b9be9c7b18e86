package agent

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/retention"
	"github.com/meseta/meseta/internal/tree"
)

// maxRemovals is how many sandboxes the janitor remembers between two looks at the disk.
const maxRemovals = 10_000

// janitor removes the sandboxes of what has ended, of this agent and of those that lived in the work directory
// before, when they are old enough or the disk is too full (package retention has the rule). How long ago a
// sandbox was left is read from the disk, so that it survives the agent: the directory is touched when its
// container ends, and its outputs were not written later.
type janitor struct {
	policy retention.Policy
	every  time.Duration
	root   *os.Root      // of all sandboxes
	above  *sync.RWMutex // held by whoever makes a sandbox, exclusively by whoever removes what is empty above one
	used   func() (float64, error)
	inUse  func(context.Context) (map[ids.ContainerID]bool, error)
	now    chan struct{} // asks for a sweep
	log    *slog.Logger

	queue  *retention.Queue
	failed map[string]bool // could not be removed, and that was said
}

func (a *agent) newJanitor() *janitor {
	return &janitor{
		policy: retention.Policy{Delay: a.config.GCDelay, Headroom: *a.config.GCDiskHeadroom},
		every:  a.config.DiskWatchInterval,
		root:   a.files.root,
		above:  &a.loop.launcher.making,
		used:   func() (float64, error) { return diskUsed(a.config.WorkDir) },
		inUse:  a.loop.sandboxesInUse,
		now:    make(chan struct{}, 1),
		log:    a.log,
		queue:  retention.NewQueue(maxRemovals),
		failed: make(map[string]bool),
	}
}

// run sweeps at intervals until ctx ends, the first time at once: the disk may be full.
func (j *janitor) run(ctx context.Context) {
	yieldToOthers()
	tick := time.NewTicker(j.every)
	defer tick.Stop()
	for {
		j.sweep(ctx)
		select {
		case <-tick.C:
		case <-j.now:
		case <-ctx.Done():
			return
		}
	}
}

// sweep removes what is too old, the oldest first, and looks again after each how full the disk is.
func (j *janitor) sweep(ctx context.Context) {
	removed := 0
	for ctx.Err() == nil {
		used, err := j.used()
		if err != nil {
			j.log.Warn("the disk cannot be measured, no sandbox is removed", "error", err)
			break
		}
		now, allowed := time.Now(), j.policy.Allowed(used)
		if j.queue.WantsLook(now, allowed) {
			j.look(ctx, now)
		}
		next, ok := j.queue.Next(now, allowed)
		if !ok {
			break
		}
		if j.remove(ctx, next.Name) {
			removed++
		}
	}
	if removed > 0 {
		j.log.Info("old sandboxes were removed", "sandboxes", removed)
	}
}

// clockSlack covers that time stamps of files lag a little behind the clock.
const clockSlack = time.Second

// look offers the queue every sandbox that nobody uses.
func (j *janitor) look(ctx context.Context, now time.Time) {
	used, err := j.inUse(ctx)
	if err != nil {
		return // the agent stops
	}
	j.queue.Look(now.Add(-clockSlack))
	for run := range j.runs() {
		if ctx.Err() != nil {
			break
		}
		if !used[ids.ContainerID(path.Base(run))] && !j.failed[run] {
			if left, ok := j.left(run); ok {
				j.queue.Offer(retention.Item{Name: run, Ended: left})
			}
		}
	}
	j.queue.Looked()
}

// runs are all sandboxes: AGENT/frameworks/FRAMEWORK/executors/EXECUTOR/runs/CONTAINER.
func (j *janitor) runs() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, agent := range j.dirs(".") {
			for _, framework := range j.dirs(path.Join(agent, "frameworks")) {
				for _, executor := range j.dirs(path.Join(framework, "executors")) {
					for _, run := range j.dirs(path.Join(executor, "runs")) {
						if !yield(run) {
							return
						}
					}
				}
			}
		}
	}
}

func (j *janitor) dirs(name string) (dirs []string) {
	entries, err := fs.ReadDir(j.root.FS(), name)
	if err != nil {
		return nil // gone, or no directory
	}
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, path.Join(name, e.Name()))
		}
	}
	return dirs
}

// left is when a sandbox was last touched by its task or by us.
func (j *janitor) left(run string) (last time.Time, ok bool) {
	for _, name := range []string{run, path.Join(run, "stdout"), path.Join(run, "stderr")} {
		if info, err := j.root.Lstat(name); err == nil {
			ok = true
			if info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
	}
	return last, ok
}

// remove removes a sandbox, unless somebody uses it after all.
func (j *janitor) remove(ctx context.Context, run string) bool {
	used, err := j.inUse(ctx)
	if err != nil || used[ids.ContainerID(path.Base(run))] {
		return false
	}
	if err := tree.Remove(ctx, j.root, run); err != nil {
		if ctx.Err() == nil && !j.failed[run] && len(j.failed) < maxRemovals {
			j.failed[run] = true
			j.log.Warn("a sandbox cannot be removed and is left", "sandbox", run, "error", err)
		}
		return false
	}
	j.removeAbove(run)
	return true
}

// removeAbove removes the link to a run that is gone, and every directory above that is empty now.
func (j *janitor) removeAbove(run string) {
	j.above.Lock()
	defer j.above.Unlock()
	runs := path.Dir(run)
	if to, err := j.root.Readlink(path.Join(runs, "latest")); err == nil && to == path.Base(run) {
		_ = j.root.Remove(path.Join(runs, "latest"))
	}
	for dir := runs; dir != "." && j.root.Remove(dir) == nil; dir = path.Dir(dir) {
	}
}

// sandboxesInUse asks the core, and then the launcher, to which it leaves them: so that none is missed in between.
func (l *loop) sandboxesInUse(ctx context.Context) (map[ids.ContainerID]bool, error) {
	used := make(map[ids.ContainerID]bool)
	err := l.show(ctx, func(n *node.Node) {
		for c := range n.InUse() {
			used[c] = true
		}
	})
	l.launcher.mu.Lock()
	defer l.launcher.mu.Unlock()
	for c := range l.launcher.leaving {
		used[c] = true
	}
	return used, err
}

// touch notes when a sandbox was left. Until that is on the disk it is in use.
func (l *launcher) touch(s node.Sandbox) {
	if s.Container == "" {
		return
	}
	l.mu.Lock()
	l.leaving[s.Container] = struct{}{}
	l.mu.Unlock()
	l.queue.put(func() {
		now := time.Now()
		_ = os.Chtimes(s.Path(l.workDir), now, now) // it may never have been made
		l.mu.Lock()
		delete(l.leaving, s.Container)
		l.mu.Unlock()
	})
}

// diskUsed is the part of a disk that is used, from 0 to 1: of its blocks or of its inodes, whichever is more.
func diskUsed(dir string) (float64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	part := func(total, free uint64) float64 { return float64(total-free) / float64(cmp.Or(total, 1)) }
	return max(part(s.Blocks, s.Bfree), part(s.Files, s.Ffree)), nil
}

// yieldToOthers gives the calling goroutine, for the rest of its life, a thread of its own that works and reads
// only when nobody else wants to.
func yieldToOthers() {
	runtime.LockOSThread()
	const idle, oneProcess = 3 << 13, 1 // ioprio_set(2)
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19)
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, oneProcess, 0, idle)
}

// sandboxName is a sandbox below the root of all of them.
func sandboxName(s node.Sandbox) string { return strings.TrimPrefix(s.Path("/"), "/"+sandboxRoot+"/") }
