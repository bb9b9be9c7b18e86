// Package spawn starts a process as cheaply as Linux allows and with all the
// preparation a container wants: a session of its own, another user, a cgroup
// from birth, namespaces, output files, default signals.
//
// It exists beside os/exec and syscall.ForkExec because those cannot do three
// things that the parent of all containers must do: set oom_score_adj between
// fork and exec; let several execs be under way at once (ForkExec holds a lock
// from before the fork until the exec is done); and keep working while one exec
// hangs on a dead file system (ForkExec's thread keeps its P, so the next garbage
// collection would stop the world for good).
//
// How it works: everything the child has to do is written down beforehand as a
// script, an array of system calls with their arguments ([op]). The child is
// cloned with CLONE_VM|CLONE_VFORK and runs a dozen instructions of assembly that
// perform the script and nothing else: no Go code, no stack, no lock ever runs in
// the child. What each call returned is left in the shared array, where the
// parent, which the kernel resumes once the child has executed its program or
// died, reads which step failed and why. No pipe is needed. While it waits, the
// parent's thread counts as being in a system call.
//
// The package waits for nothing: a child whose program could not be executed is a
// zombie like any other and belongs to whoever reaps. It imports syscall and
// nothing that imports os, so that it can see the limit on open files before
// package os raises it (nofile.go).
//
// Start reading at [Command], then Spawner.Start, then script.go.
package spawn

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Command says what to start. Nothing is inherited from this process but what is
// said here: stdin is /dev/null, no other file stays open, the signal mask is
// empty and every signal has its default disposition.
type Command struct {
	// Programs are the paths to try in turn, as execvp does with a PATH: the first
	// that can be executed is. A file that is executable but in no format the kernel
	// knows is given to /bin/sh.
	Programs []string
	Argv     []string
	Env      []string
	Dir      string

	// Stdout and Stderr are opened for appending by the child, as the user it runs
	// as; empty is /dev/null.
	Stdout, Stderr string

	// Identify has Outputs tell which files these were.
	Identify bool

	// User is whom to become; nil is to stay.
	User *User

	// NoNewPrivs sets the flag of that name.
	NoNewPrivs bool

	// ResetOOM puts the child's oom_score_adj back to 0, before the program runs.
	ResetOOM bool

	// Capabilities are what becomes of them; nil is nothing.
	Capabilities *Capabilities

	// CloneFlags are the CLONE_NEW… namespaces to create, of mounts and of IPC.
	CloneFlags uintptr

	// Init makes the child the init of a new pid namespace: instead of Programs it
	// executes this open file, which InitProgram has made. PIDNamespace has the child
	// born in such a namespace, an open /proc/<pid of its init>/ns/pid; with a mount
	// namespace it gets a /proc that fits. Zero is neither.
	Init, PIDNamespace int

	// Mounts are made in the child's mount namespace, in this order, after its /proc.
	// If one hides Dir, Dir is shown at its place again.
	Mounts []Mount

	// Cgroup is an open cgroup v2 directory to be born into; zero is none.
	// It needs Linux 5.7: see [CanCloneIntoCgroup].
	Cgroup int

	// JoinCgroups are cgroup.procs files that the child writes itself into before
	// it does anything else.
	JoinCgroups []string
}

// User is an identity to run as.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Mount shows a file or directory at another place, or an empty tmpfs if Source is
// empty.
type Mount struct {
	Source, Target string
	ReadOnly       bool
}

// Capabilities says which capabilities leave the bounding set, and which stay
// permitted to the child itself; capability n is bit n.
type Capabilities struct {
	Drop, Keep uint64
}

// Step is a part of a child's preparation.
type Step uint8

// The steps, in the order in which they happen.
const (
	StepFork Step = iota
	StepCgroup
	StepSignals
	StepOOM
	StepNamespaces
	StepUser
	StepDir
	StepStdin
	StepStdout
	StepStderr
	StepPrivileges
	StepExec
)

var stepNames = [...]string{"fork", "cgroup", "signals", "oom_score_adj", "namespaces", "user", "dir",
	"stdin", "stdout", "stderr", "no_new_privs", "exec"}

// String names the step.
func (s Step) String() string { return stepNames[s] }

// Error says which step of the preparation failed. Nothing of the caller's ran.
type Error struct {
	Step  Step
	Errno syscall.Errno
	What  string // the path that was concerned, if any
}

// Error returns the step, its object and the errno.
func (e *Error) Error() string {
	if e.What == "" {
		return "spawn: " + e.Step.String() + ": " + e.Errno.Error()
	}
	return "spawn: " + e.Step.String() + " " + e.What + ": " + e.Errno.Error()
}

// Unwrap returns the errno.
func (e *Error) Unwrap() error { return e.Errno }

// Spawner starts one process at a time and keeps its buffers between them. Start
// must not be called twice at once; several Spawners work side by side.
type Spawner struct {
	child  atomic.Int32 // written by the kernel; see Child
	call   call
	args   cloneArgs
	script script
}

// New makes a Spawner. It is never inlined, so that a Spawner is always on the
// heap, where it does not move while the kernel holds its address.
//
//go:noinline
func New() *Spawner { return new(Spawner) }

// Child is the pid of the process being started, from before its first
// instruction until the next Start; zero before. A reaper on another thread that
// meets a pid it does not know asks here whose it is.
func (s *Spawner) Child() int { return int(s.child.Load()) }

// Forget makes Child zero again: the caller has noted the pid elsewhere.
func (s *Spawner) Forget() { s.child.Store(0) }

// Outputs are the files that the last child had opened as its stdout and stderr, if
// its Command was to Identify them.
func (s *Spawner) Outputs() [2]syscall.Stat_t { return s.script.outputs }

// Start starts a process and returns its pid once its program has been executed.
// An error is an *Error. If there was a child all the same, its pid is returned
// beside the error and must be reaped.
func (s *Spawner) Start(c *Command) (pid int, err error) {
	if len(c.Programs) == 0 && c.Init == 0 {
		return 0, &Error{Step: StepExec, Errno: syscall.ENOENT}
	}
	if c.PIDNamespace != 0 {
		return s.startInside(c)
	}
	return s.startHere(c)
}

// startInside starts a child in another pid namespace than this process's. The
// namespace of children is the thread's. Go makes no thread from one that is locked,
// which could not be made.
func (s *Spawner) startInside(c *Command) (pid int, err error) {
	own, err := syscall.Open("/proc/self/ns/pid", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, &Error{Step: StepNamespaces, Errno: err.(syscall.Errno), What: "/proc/self/ns/pid"}
	}
	defer syscall.Close(own)
	runtime.LockOSThread()
	if errno := setns(c.PIDNamespace); errno != 0 {
		runtime.UnlockOSThread()
		return 0, &Error{Step: StepNamespaces, Errno: errno}
	}
	pid, err = s.startHere(c)
	if errno := setns(own); errno != 0 {
		// There is no reason for it; a thread that cannot go back is of no use to others.
		return pid, &Error{Step: StepNamespaces, Errno: errno}
	}
	runtime.UnlockOSThread()
	return pid, err
}

func setns(fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall(sysSetns, uintptr(fd), syscall.CLONE_NEWPID, 0)
	return errno
}

func (s *Spawner) startHere(c *Command) (pid int, err error) {
	pid, err = s.run(c)
	if e, ok := err.(*Error); ok && e.Step == StepExec && e.Errno == syscall.ENOEXEC {
		return s.startByShell(c, e.What)
	}
	return pid, err
}

// startByShell does as execvp: a file without a known format is a shell script.
// The child that found out is one more zombie for the reaper.
func (s *Spawner) startByShell(c *Command, file string) (int, error) {
	shell := *c
	shell.Programs = []string{"/bin/sh"}
	shell.Argv = append([]string{"/bin/sh", file}, c.Argv[1:]...)
	return s.run(&shell)
}

// run clones, and the child performs the script.
func (s *Spawner) run(c *Command) (int, error) {
	s.child.Store(0)
	s.script.build(c)
	flags := syscall.CLONE_VM | syscall.CLONE_VFORK | syscall.CLONE_PARENT_SETTID | c.CloneFlags
	if c.Init != 0 {
		flags |= syscall.CLONE_NEWPID
	}
	child := uintptr(unsafe.Pointer(&s.child))
	s.call = call{all: ^uint64(0)}
	s.call.first, s.call.end = s.script.bounds()
	if c.Cgroup > 0 {
		s.args = cloneArgs{
			flags:      uint64(flags) | cloneIntoCgroup,
			parentTID:  uint64(child),
			exitSignal: uint64(syscall.SIGCHLD),
			cgroup:     uint64(c.Cgroup),
		}
		s.call.nr = sysClone3
		s.call.args = [4]uintptr{uintptr(unsafe.Pointer(&s.args)), unsafe.Sizeof(s.args)}
	} else {
		s.call.nr = syscall.SYS_CLONE
		s.call.args = [4]uintptr{flags | uintptr(syscall.SIGCHLD), 0, child}
	}
	cloneAndRun(&s.call)
	runtime.KeepAlive(s)
	if errno := errnoOf(s.call.ret); errno != 0 {
		return 0, &Error{Step: StepFork, Errno: errno}
	}
	return int(s.call.ret), s.script.failure()
}

// call is what cloneAndRun needs. The assembly knows this layout.
type call struct {
	nr         uintptr // the system call that clones
	args       [4]uintptr
	first, end uintptr // of the ops the child performs
	all, mask  uint64  // every signal; those that were blocked before
	ret        uintptr // what the parent got from the call
}

// cloneAndRun clones and returns in the parent; the child performs its ops and
// never returns. From before the clone until after it all signals are blocked: no
// handler of this process may run in the child. For the runtime all of it is one
// system call.
//
//go:noescape
func cloneAndRun(c *call)

// cloneArgs is the kernel's struct clone_args as of Linux 5.7.
type cloneArgs struct {
	flags, pidFD, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// What package syscall does not know yet.
const (
	sysClone3       = 435
	sysCloseRange   = 436
	cloneIntoCgroup = 1 << 33
)

const sigSetMask = 2 // SIG_SETMASK

func errnoOf(ret uintptr) syscall.Errno {
	if ret > ^uintptr(4095) {
		return syscall.Errno(-ret)
	}
	return 0
}
