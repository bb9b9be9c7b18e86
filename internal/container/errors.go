package container

import (
	"errors"
	"fmt"
	"syscall"
)

// Errors of any request.
var (
	// ErrInvalid is in the chain of every complaint about a request itself:
	// repeating it unchanged is pointless. Nothing was started.
	ErrInvalid = errors.New("invalid container request")

	// ErrUnavailable says that the supervisor could not be reached or its
	// connection broke before it answered.
	ErrUnavailable = errors.New("supervisor unavailable")

	// ErrUnsupported says that the supervisor is older than its asker and does not know
	// the request.
	ErrUnsupported = errors.New("supervisor does not know this request")

	// ErrStopping says that the supervisor is ending everything and starts nothing
	// more. Nothing was started.
	ErrStopping = errors.New("supervisor is stopping")
)

// Errors of Launch.
var (
	// ErrFull says that the supervisor holds too many containers or too many
	// uncollected ends. Nothing was started; collect and try again.
	ErrFull = errors.New("supervisor is full")
)

// Errors of Kill and Limit.
var (
	// ErrUnknown says that no container of that id is remembered.
	ErrUnknown = errors.New("unknown container")
)

// Stage is the step of a launch that failed.
type Stage uint8

// The stages in the order in which they happen, except that a later build may add
// some. They go over the wire: never renumber.
const (
	StageUnknown    Stage = 0
	StageFork       Stage = 1 // the kernel gave no process: out of pids, memory, cgroups
	StageNamespaces Stage = 2 // making the container's own namespaces and mounts
	StageUser       Stage = 3 // becoming the user: not permitted
	StageDir        Stage = 4 // changing to the working directory
	StageStdout     Stage = 5 // opening stdout
	StageStderr     Stage = 6 // opening stderr
	StageExec       Stage = 7 // executing the program: not found, not executable
	StageTrack      Stage = 8 // giving the container its cgroup
)

// String says what was being done.
func (s Stage) String() string {
	switch s {
	case StageFork:
		return "cannot create a process"
	case StageNamespaces:
		return "cannot make namespaces"
	case StageUser:
		return "cannot become user"
	case StageDir:
		return "cannot enter directory"
	case StageStdout:
		return "cannot open stdout"
	case StageStderr:
		return "cannot open stderr"
	case StageExec:
		return "cannot execute"
	case StageTrack:
		return "cannot make cgroup"
	}
	return "cannot start"
}

// LaunchError says that the supervisor tried to start a container and the
// machine refused: a definite answer, as final as an exit code. It unwraps to
// the errno, so errors.Is(err, fs.ErrNotExist) asks for a missing program (with
// StageExec) or directory (with StageDir).
//
// Mesos reports a program that cannot be executed (shell: false) as TASK_FAILED
// with "Command exited with status 1", because its executor execs in a child;
// StageExec is where a caller does the same.
type LaunchError struct {
	ID    ID
	Stage Stage
	Errno syscall.Errno
	What  string // the path or user that the stage was about, for people
}

// Error returns the failure as a sentence.
func (e *LaunchError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("container %q: %v: %v", e.ID, e.Stage, e.Errno)
	}
	return fmt.Sprintf("container %q: %v %q: %v", e.ID, e.Stage, e.What, e.Errno)
}

// Unwrap returns the errno.
func (e *LaunchError) Unwrap() error { return e.Errno }
