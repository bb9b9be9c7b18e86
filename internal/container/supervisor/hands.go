package supervisor

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/spawn"
	"github.com/meseta/meseta/internal/container/track"
)

// hand starts one container after the other. A hand can hang in an exec from a
// file system that does not answer, which is why there are several more than
// processors.
func (s *server) hand(spawner *spawn.Spawner) {
	for {
		spec, ok := s.forks.take()
		if !ok {
			return
		}
		s.fork(spawner, &spec)
	}
}

func (s *server) fork(spawner *spawn.Spawner, spec *container.Spec) {
	c := s.command(spec)
	tracked, leave, err := s.enlist(spec, c)
	if err != nil {
		s.tell(ledger.ForkFailed{Err: launchError(spec, err)})
		return
	}
	before, pid, err := s.startEnlisted(spawner, spec, c, tracked)
	leave()
	if err != nil {
		s.mains.born(spawner, "", 0)
		s.mains.abandon(spec.ID)
		s.ender.askDestroy(spec.ID) // the child that failed may not be gone yet
		s.tell(ledger.ForkFailed{Err: launchError(spec, err)})
		return
	}
	// Not reaped before born: its start can be read, and Forked comes before MainEnded.
	process, _ := track.IdentifyBorn(pid, before)
	s.tell(ledger.Forked{ID: spec.ID, Started: container.Started{PID: pid, StartTime: process.StartTime, At: time.Now().Round(0)}})
	if c.Identify {
		s.trimmer.add(spec, spawner.Outputs())
	}
	s.mains.born(spawner, spec.ID, pid)
}

// startEnlisted starts the main process, after the init of its pid namespace if it
// is to have one, and tells a moment before which it was not born.
func (s *server) startEnlisted(spawner *spawn.Spawner, spec *container.Spec, c *spawn.Command, tracked []string) (before track.Tick, pid int, err error) {
	if spec.Namespaces&container.NamespacePID != 0 {
		fd, err := s.startInit(spawner, spec.ID, c, tracked)
		if err != nil {
			return 0, 0, err
		}
		defer syscall.Close(fd)
		c.PIDNamespace = fd
	}
	before = track.Now()
	pid, err = spawner.Start(c)
	return before, pid, err
}

// enlist has the child that c starts born in its set, and limited. tracked are the
// cgroups that it joins for the first of these.
func (s *server) enlist(spec *container.Spec, c *spawn.Command) (tracked []string, leave func(), err error) {
	leave, err = s.sets.Enlist(string(spec.ID), c)
	if err != nil {
		return nil, nil, err
	}
	tracked = slices.Clip(c.JoinCgroups)
	procs, err := s.limiter.Enlist(string(spec.ID), spec.Limits)
	if err != nil {
		leave()
		s.ender.askDestroy(spec.ID)
		return nil, nil, err
	}
	for _, path := range procs {
		if !slices.Contains(c.JoinCgroups, path) {
			c.JoinCgroups = append(c.JoinCgroups, path)
		}
	}
	return tracked, leave, nil
}

// command translates what the agent wants into what spawn does.
func (s *server) command(spec *container.Spec) *spawn.Command {
	c := &spawn.Command{
		Argv:       spec.Argv,
		Env:        environment(spec),
		Dir:        spec.Dir,
		Stdout:     spec.Stdout,
		Stderr:     spec.Stderr,
		Identify:   spec.OutputCap != 0,
		NoNewPrivs: spec.NoNewPrivs,
		ResetOOM:   s.oomProtected,
	}
	c.Programs = programs(program(spec), c.Env)
	if u := spec.User; u != nil && (os.Geteuid() == 0 || int(u.UID) != os.Geteuid()) {
		c.User = &spawn.User{UID: u.UID, GID: u.GID, Groups: u.Groups}
	}
	s.isolate(spec, c)
	return c
}

// environment is the container's, with its id in front, where it is found first.
func environment(spec *container.Spec) []string {
	env := make([]string, 1, len(spec.Env)+1)
	env[0] = container.EnvID + "=" + string(spec.ID)
	for _, kv := range spec.Env {
		if !strings.HasPrefix(kv, container.EnvID+"=") {
			env = append(env, kv)
		}
	}
	return env
}

// program is what the container wants executed.
func program(spec *container.Spec) string {
	if spec.Program != "" {
		return spec.Program
	}
	return spec.Argv[0]
}

// programs lists the files that a name may mean, as execvp would try them.
func programs(name string, env []string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	path := "/bin:/usr/bin" // what the C library takes without a PATH
	for _, kv := range env {
		if p, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = p
			break
		}
	}
	var files []string
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		files = append(files, dir+"/"+name)
	}
	return files
}

var stages = map[spawn.Step]container.Stage{
	spawn.StepFork:       container.StageFork,
	spawn.StepCgroup:     container.StageTrack,
	spawn.StepSignals:    container.StageFork,
	spawn.StepOOM:        container.StageFork,
	spawn.StepNamespaces: container.StageNamespaces,
	spawn.StepUser:       container.StageUser,
	spawn.StepDir:        container.StageDir,
	spawn.StepStdin:      container.StageStdout,
	spawn.StepStdout:     container.StageStdout,
	spawn.StepStderr:     container.StageStderr,
	spawn.StepPrivileges: container.StageUser,
	spawn.StepExec:       container.StageExec,
}

// launchError says which stage of a launch failed and with what.
func launchError(spec *container.Spec, err error) *container.LaunchError {
	e := &container.LaunchError{ID: spec.ID, Stage: container.StageTrack, Errno: syscall.EIO}
	if failed, ok := errors.AsType[*spawn.Error](err); ok {
		e.Stage, e.What = stages[failed.Step], failed.What
	} else if failed, ok := errors.AsType[*os.PathError](err); ok {
		e.What = failed.Path
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		e.Errno = errno
	}
	if e.Stage == container.StageExec {
		e.What = program(spec) // what was asked for, not the last place that was tried
	}
	return e
}
