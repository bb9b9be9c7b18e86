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

	// User is whom to become; nil is to stay.
	User *User

	// NoNewPrivs sets the flag of that name.
	NoNewPrivs bool

	// ResetOOM puts the child's oom_score_adj back to 0, before the program runs.
	ResetOOM bool

	// CloneFlags are the CLONE_NEW… namespaces to create. With CLONE_NEWPID the
	// mount namespace must be new too and gets a /proc that fits.
	CloneFlags uintptr

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

// Start starts a process and returns its pid once its program has been executed.
// An error is an *Error. When the failing step was not StepFork there was a child
// all the same: its pid is returned beside the error and must be reaped.
func (s *Spawner) Start(c *Command) (pid int, err error) {
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
	first, end := s.script.bounds()
	s.args = cloneArgs{
		flags:      uint64(syscall.CLONE_VM | syscall.CLONE_VFORK | syscall.CLONE_PARENT_SETTID | c.CloneFlags),
		parentTID:  uint64(uintptr(unsafe.Pointer(&s.child))),
		exitSignal: uint64(syscall.SIGCHLD),
	}
	// No handler of this process may run in the child, and the thread must stay the
	// same from blocking its signals to unblocking them.
	runtime.LockOSThread()
	mask := blockSignals()
	var ret uintptr
	if c.Cgroup > 0 {
		s.args.flags |= cloneIntoCgroup
		s.args.cgroup = uint64(c.Cgroup)
		ret = cloneAndRun(sysClone3, uintptr(unsafe.Pointer(&s.args)), unsafe.Sizeof(s.args), 0, 0, 0, first, end)
	} else {
		ret = cloneAndRun(syscall.SYS_CLONE, uintptr(s.args.flags|s.args.exitSignal), 0, uintptr(s.args.parentTID), 0, 0, first, end)
	}
	restoreSignals(mask)
	runtime.UnlockOSThread()
	runtime.KeepAlive(s)
	if errno := errnoOf(ret); errno != 0 {
		return 0, &Error{Step: StepFork, Errno: errno}
	}
	return int(ret), s.script.failure()
}

// cloneAndRun makes the clone system call nr; the child performs the ops from
// first to end and never returns, the parent gets the call's raw result.
func cloneAndRun(nr, a0, a1, a2, a3, a4, first, end uintptr) (ret uintptr)

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

// blockSignals blocks every signal of this thread and returns what was blocked.
func blockSignals() (old uint64) {
	all := ^uint64(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask, uintptr(unsafe.Pointer(&all)),
		uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(all), 0, 0)
	return old
}

func restoreSignals(mask uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetMask, uintptr(unsafe.Pointer(&mask)),
		0, unsafe.Sizeof(mask), 0, 0)
}

const sigSetMask = 2 // SIG_SETMASK

func errnoOf(ret uintptr) syscall.Errno {
	if ret > ^uintptr(4095) {
		return syscall.Errno(-ret)
	}
	return 0
}
