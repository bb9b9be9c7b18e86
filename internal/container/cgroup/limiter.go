package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
)

// Limiter keeps the limits of one supervisor's containers. Its methods may be
// called from several goroutines at once.
type Limiter struct {
	tracked string // where containers are tracked, if in version 2
	alarm   *alarm // nil where the kernel ends containers as a whole

	mu      sync.Mutex
	seats   [controllers]seat // guarded by mu, as all below
	members map[string]*member
	left    []string // directories that could not be removed yet
}

// member is a container with limits.
type member struct {
	limits container.Limits    // in force
	dirs   [controllers]string // where it is; empty is nowhere
	killed bool                // the kernel killed something of it, which was told
}

// Open finds out where limits can be set and prepares those places. key and
// tracked are those of package track: the name of the supervisor's directories, and
// the one in which it tracks containers if that is in version 2, or nothing.
func Open(key, tracked string) *Limiter {
	return open(Mounted(), key, tracked)
}

func open(all []Hierarchy, key, tracked string) *Limiter {
	l := &Limiter{tracked: tracked, members: map[string]*member{}}
	for c := range controller(controllers) {
		s := takeSeat(all, c, key, tracked)
		l.seats[c] = s
		if s.err == nil {
			for _, id := range Children(s.key + "/" + runDir) {
				RemoveTree(id) // left by a supervisor that was killed
			}
		}
	}
	if m := &l.seats[memory]; m.err == nil && m.version == 1 {
		l.alarm = newAlarm()
	}
	return l
}

// Enlist makes a new container's cgroups with its limits, as far as there are
// places for them, and returns the files through which its first process has to
// enter them. The container is in its tracked cgroup already, or about to be.
func (l *Limiter) Enlist(id string, limits container.Limits) (procs []string, err error) {
	if limits == (container.Limits{}) {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &member{limits: limits}
	for c := range controller(controllers) {
		if l.seats[c].err != nil {
			keep(&m.limits, new(container.Limits), c)
			continue
		}
		if !c.wanted(&limits) || c == cpuacct && l.tracked != "" { // version 2 counts it too
			continue
		}
		dir, err := l.makeLocked(c, id)
		if err == nil {
			m.dirs[c] = dir
			err = apply(dir, settings(l.seats[c].version, c, new(container.Limits), &limits))
		}
		if err != nil {
			l.forgetLocked(m)
			return nil, err
		}
		if p := Door(l.seats[c].version, dir); !l.isTracked(dir) && !slices.Contains(procs, p) {
			procs = append(procs, p)
		}
	}
	if l.alarm != nil && m.dirs[memory] != "" {
		l.alarm.watch(m.dirs[memory])
	}
	l.members[id] = m
	return procs, nil
}

// makeLocked makes the cgroup of a container for one controller.
func (l *Limiter) makeLocked(c controller, id string) (string, error) {
	if err := l.giveLocked(c); err != nil {
		return "", err
	}
	dir := l.seats[c].path(id)
	if err := kernfile.Mkdir(dir); err != nil && err != syscall.EEXIST {
		return "", &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return dir, nil
}

// giveLocked gives a controller to the cgroups of containers, in version 2.
func (l *Limiter) giveLocked(c controller) error {
	s := &l.seats[c]
	if s.version == 1 || s.given {
		return nil
	}
	if err := errors.Join(give(s.key, c.String()), give(s.key+"/"+runDir, c.String())); err != nil {
		return err
	}
	s.given = true
	return nil
}

func (l *Limiter) isTracked(dir string) bool {
	return l.tracked != "" && strings.HasPrefix(dir, l.tracked+"/")
}

// apply writes all settings that can be written, and complains about the others.
func apply(dir string, list []setting) error {
	var errs []error
	for _, s := range list {
		err := kernfile.Write(dir+"/"+s.file, s.word)
		if err == nil || s.optional && err == syscall.ENOENT {
			continue
		}
		errs = append(errs, &fs.PathError{Op: "writing " + s.word + " to", Path: dir + "/" + s.file, Err: err})
	}
	return errors.Join(errs...)
}

// Limit changes the limits of a container that runs. What is refused stays as it
// was; the rest changes all the same.
func (l *Limiter) Limit(id string, want container.Limits) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members[id]
	if m == nil {
		m = &member{}
	}
	var errs []error
	for c := range controller(controllers) {
		if err := l.changeLocked(id, m, c, &want); err != nil {
			errs = append(errs, err)
			keep(&want, &m.limits, c)
		}
	}
	m.limits = want
	if m.dirs != [controllers]string{} {
		l.members[id] = m
	}
	return errors.Join(errs...)
}

func (l *Limiter) changeLocked(id string, m *member, c controller, want *container.Limits) error {
	s := &l.seats[c]
	if s.err != nil {
		keep(want, &m.limits, c)
		return nil
	}
	list := settings(s.version, c, &m.limits, want)
	if len(list) == 0 {
		return nil
	}
	if m.dirs[c] == "" {
		if err := l.joinLocked(id, m, c); err != nil {
			return err
		}
	}
	if c == memory {
		if err := fits(s.version, m.dirs[c], id, want.MemoryBytes); err != nil {
			return err
		}
	}
	return apply(m.dirs[c], list)
}

// joinLocked makes a container that runs a member of a controller's hierarchy,
// which is only simple if it is in there already.
func (l *Limiter) joinLocked(id string, m *member, c controller) error {
	dir := l.seats[c].path(id)
	if _, err := os.Stat(dir); err != nil || !l.isTracked(dir) {
		return fmt.Errorf("container %q has no limit by the %v controller, and here can only be launched with one", id, c)
	}
	if err := l.giveLocked(c); err != nil {
		return err
	}
	m.dirs[c] = dir
	return nil
}

// fits complains about a memory limit that a container cannot come under. Version 2
// would kill it.
func fits(version int, dir, id string, limit uint64) error {
	if limit == 0 {
		return nil
	}
	var s container.Statistics
	measureMemory(version, dir, &s)
	if own := s.Memory - min(s.Memory, s.MemoryFile); own > limit {
		return fmt.Errorf("container %q uses %d bytes of memory, which cannot be limited to %d", id, own, limit)
	}
	return nil
}

// keep puts the limits of one controller back to what they were.
func keep(limits, had *container.Limits, c controller) {
	switch c {
	case cpu:
		limits.CPUShares, limits.CPUQuota, limits.CPUPeriod = had.CPUShares, had.CPUQuota, had.CPUPeriod
	case memory:
		limits.MemoryBytes, limits.MemorySoftBytes, limits.NoSwap = had.MemoryBytes, had.MemorySoftBytes, had.NoSwap
	case pids:
		limits.PIDs = had.PIDs
	}
}

// Forget removes the cgroups of a container that has ended, and reports whether it
// could: the kernel counts a process in them for a moment after its death, longer in
// one hierarchy than in another. What is left then, Tidy removes.
func (l *Limiter) Forget(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.members[id]
	if m == nil {
		return true
	}
	delete(l.members, id)
	l.forgetLocked(m)
	return len(l.left) == 0
}

// Tidy removes what Forget could not, and reports whether nothing is left.
func (l *Limiter) Tidy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tidyLocked()
	return len(l.left) == 0
}

func (l *Limiter) forgetLocked(m *member) {
	for _, dir := range m.dirs {
		if dir != "" && !l.isTracked(dir) && !slices.Contains(l.left, dir) {
			l.left = append(l.left, dir)
		}
	}
	l.tidyLocked()
}

func (l *Limiter) tidyLocked() { l.left = slices.DeleteFunc(l.left, RemoveTree) }

// Close removes what Open has made, if nothing is left in it. It may be called
// again, to remove what was left then.
func (l *Limiter) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alarm != nil {
		l.alarm.close()
	}
	l.tidyLocked()
	for _, s := range l.seats {
		if s.err == nil && !l.isTracked(s.path("x")) {
			RemoveTree(s.key)
		}
	}
}

// Abilities tells what can be limited here, and where or why not.
func (l *Limiter) Abilities() []container.Ability {
	l.mu.Lock()
	defer l.mu.Unlock()
	return []container.Ability{
		l.abilityLocked(container.FeatureCPUShares, cpu, "cpu.shares", "cpu.weight"),
		l.abilityLocked(container.FeatureCPUQuota, cpu, "cpu.cfs_quota_us", "cpu.max"),
		l.abilityLocked(container.FeatureMemory, memory, "memory.limit_in_bytes", "memory.max"),
		l.abilityLocked(container.FeaturePIDs, pids, "pids.max", "pids.max"),
	}
}

func (l *Limiter) abilityLocked(f container.Feature, c controller, file1, file2 string) container.Ability {
	s := &l.seats[c]
	if s.err != nil {
		return container.Ability{Feature: f, How: strings.ReplaceAll(s.err.Error(), "\n", "; ")}
	}
	file := file1
	if s.version == 2 {
		file = file2
	}
	if !s.has(file) {
		return container.Ability{Feature: f, How: "this kernel has no " + file}
	}
	return container.Ability{Feature: f, Works: true, How: fmt.Sprintf("cgroup v%d %s", s.version, s.key)}
}
