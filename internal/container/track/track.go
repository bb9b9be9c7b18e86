// Package track knows which processes belong to a container, and ends them all.
//
// A process group or a session cannot tell: a daemon leaves both with two forks
// and a setsid. What no process can leave by accident is a cgroup, and what few
// leave is their environment. So a set of processes is tracked from birth in one
// of three ways, the first that works on this machine ([Open] tries them with a
// real process):
//
//   - a cgroup v2 directory for each container, the child cloned into it;
//   - a directory in some writable cgroup v1 hierarchy, which the child enters
//     before it executes anything;
//   - without either, MESETA_CONTAINER=<id> and MESETA_SUPERVISOR=<key> in the
//     environment, read from /proc. Here a process that cleared its environment, or
//     one of a setuid program, may escape.
//
// Ending a set means killing everything found in it and looking again, until
// nothing is found ([Sets.Destroy]). Signals to processes that this process does
// not itself hold unreaped go through a pidfd, taken first and checked for
// membership afterwards, so that a pid used again is never hit.
//
// The package keeps no table and starts no goroutine. Start reading at [Sets].
package track

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/kernfile"
	"github.com/meseta/meseta/internal/container/spawn"
)

// Sets are the process sets of one supervisor, by container id. Methods may be
// called from several goroutines at once.
type Sets interface {
	// Place says where the sets are, for a later process to find them with Reopen.
	Place() Place

	// Enlist makes the set id and lets the child that c starts be born in it. leave
	// must be called when the child was started, or was not.
	Enlist(id string, c *spawn.Command) (leave func(), err error)

	// Vacant is asked after the main process of the set was reaped. It reports
	// whether nothing else is left, and if so forgets the set. It is quick; if it says
	// no, Destroy finds out.
	Vacant(id string) bool

	// Signal sends a signal to every process it finds in the set, once, and returns
	// their pids.
	Signal(id string, sig syscall.Signal) []int

	// Measure counts the processes of the set and sums up what they use, except for
	// what was measured already.
	Measure(id string, done cgroup.Measured, s *container.Statistics)

	// Destroy kills every process it finds in the sets and returns those sets in
	// which it found none, which it forgets. Call it until all are returned.
	Destroy(ids []string) (vacant []string)

	// IDs lists the sets of which something is known, as far as the way of tracking
	// can tell without being given the ids.
	IDs() []string

	// Close removes what Open and Adopt made, if nothing is left in it.
	Close() error
}

// Kind is a way of tracking. It goes to disk: never renumber.
type Kind uint8

// The ways of tracking.
const (
	KindNone     Kind = 0
	KindCgroupV2 Kind = 1
	KindCgroupV1 Kind = 2
	KindEnviron  Kind = 3
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindCgroupV2:
		return "cgroup v2"
	case KindCgroupV1:
		return "cgroup v1"
	case KindEnviron:
		return "environment"
	}
	return "none"
}

// Place is where sets are tracked.
type Place struct {
	Kind Kind
	Path string // the directory that holds the cgroups; with KindEnviron the supervisor's key
}

// Config says how to track.
type Config struct {
	// Key sets this supervisor apart from others on the machine: a name for a
	// directory, always the same for the same supervisor.
	Key string

	// Only restricts Open to one kind; KindNone takes the first that works.
	Only Kind

	// Still calls look while no child of this process is waited for, and lets it ask
	// whether a child is the main process of a container. Nil is for a process that
	// waits for none meanwhile and has no such children.
	Still func(look func(known func(pid int) bool))
}

// Open chooses a way of tracking and prepares it. It starts a process to try each
// and waits for it, so it belongs before whatever else waits for children.
func Open(c Config) (Sets, error) {
	var tried []error
	if c.Only == KindNone || c.Only == KindCgroupV2 || c.Only == KindCgroupV1 {
		for _, dir := range candidates(cgroup.Mounted(), c.Only) {
			sets, err := openCgroup(dir.kind, filepath.Join(dir.path, "meseta", c.Key))
			if err == nil {
				return sets, nil
			}
			tried = append(tried, err)
		}
	}
	if c.Only == KindNone || c.Only == KindEnviron {
		still := c.Still
		if still == nil {
			still = func(look func(func(int) bool)) { look(func(int) bool { return false }) }
		}
		return newEnviron(c.Key, still), nil
	}
	return nil, fmt.Errorf("no usable %v: %w", c.Only, errors.Join(tried...))
}

// Reopen finds the sets of a supervisor that is gone, to destroy them.
func Reopen(p Place) (Sets, error) {
	switch p.Kind {
	case KindCgroupV2, KindCgroupV1:
		return &cgroups{kind: p.Kind, dir: p.Path}, nil
	case KindEnviron:
		return newEnviron(p.Path, nil), nil
	}
	return nil, fmt.Errorf("sets tracked by kind %d, expected 1 to 3", p.Kind)
}

// Adopt moves this process out of whatever cgroup it was started in and beside
// the sets, so that ending its parent's service does not end it too.
func Adopt(s Sets) error {
	c, ok := s.(*cgroups)
	if !ok {
		return nil
	}
	dir := filepath.Join(c.dir, selfDir)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	c.adopted = true
	return kernfile.Write(filepath.Join(dir, "cgroup.procs"), "0")
}
