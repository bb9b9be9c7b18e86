// Package container is the vocabulary of what runs on an agent: what a
// container is made from ([Spec]), what is known once it runs ([Started]), how
// it ended ([Exit]), and the one interface through which an agent starts,
// watches and stops containers ([Supervisor]). It holds words and rules about
// words; it starts nothing itself.
//
// A container here is a process and everything that ever descended from it: the
// tracked set. Three sentences hold for every implementation of [Supervisor],
// and package containertest checks them:
//
//   - An id runs at most once. A repeated Launch gives the first answer again.
//   - An id that was launched ends in exactly one Exit, published only when
//     nothing of its set runs any more, and repeated to every new reader until it
//     is collected.
//   - A Launch that failed with a [LaunchError] ran nothing of the caller's, and
//     has no Exit: the error was its answer, and List repeats it until collected.
//
// The rooms below this one:
//
//	containertest/  what every Supervisor must do, and a fake that does it
//	ledger/         the bookkeeping of a supervisor, as a pure state machine
//	cgroup/         limits and figures of what containers use, wherever the kernel keeps them
//	kernfile/       reading and writing the kernel's small files
//	spawn/          fork and exec close to what the kernel allows
//	track/          which processes belong to a container, and ending them all
//	supervisor/     the process that is parent of all containers, and its client
//
// Start reading at [Supervisor], then [Spec].
package container

import (
	"context"
	"iter"
	"time"
)

// Supervisor starts containers, ends them, and remembers how they ended until
// somebody has noted it down. Its methods may be called from several goroutines
// at once.
//
// An error that is not a [LaunchError] and none of the sentinels of this package
// says that the supervisor could not be asked or did not answer. What became of
// the request is then unknown, and repeating it is safe.
type Supervisor interface {
	// Launch starts a container and returns once its program has been executed.
	// An id seen before is not started again: the first result is returned.
	Launch(ctx context.Context, spec Spec) (Started, error)

	// Kill asks every process of the container to end (SIGTERM), and after grace
	// kills what is left of the set (SIGKILL) until nothing is left. With a grace
	// of zero it kills at once. It returns when the request is taken, not when the
	// container has ended: that is told by its Exit. A second Kill may bring the
	// deadline forward, never back. Killing what has already ended does nothing;
	// killing an id that is not known is ErrUnknown.
	Kill(ctx context.Context, id ID, grace time.Duration) error

	// Limit gives a container other limits while it runs; zero ones are lifted. It
	// returns when they are in force. What cannot be given is an error that says what
	// and why, and the rest is in force all the same: above all a container cannot be
	// bounded to less memory than it uses now, nor where it was launched with no limit
	// of that kind and the kernel cannot add one to what runs. Limiting what has ended
	// does nothing; an id that is not known is ErrUnknown. A supervisor of an older
	// release answers this and Statistics with ErrUnsupported.
	Limit(ctx context.Context, id ID, limits Limits) error

	// Statistics measures containers, all live ones if no id is given. Those that are
	// not known or do not run are left out.
	Statistics(ctx context.Context, ids ...ID) ([]Statistics, error)

	// List returns all containers the supervisor remembers, in the order of their
	// launches: those that run and those whose end was not collected.
	List(ctx context.Context) ([]Info, error)

	// Exits yields the exits that were not collected, in the order in which they
	// happened, and then each new one as it happens. It ends by yielding an error
	// (the context's cause, or what broke the connection) or when the caller stops
	// ranging. Every call begins anew with everything uncollected.
	Exits(ctx context.Context) iter.Seq2[Exit, error]

	// Collect says that the ends of these containers have been noted durably: the
	// supervisor forgets them, exits and failed launches alike. Ids that are unknown
	// or still running are passed over. An id that was collected would be launched
	// again: callers never use an id twice.
	Collect(ctx context.Context, ids ...ID) error
}

// State is where a container is in its life.
type State uint8

// The states of a container. They go over the wire: never renumber.
const (
	StateUnknown  State = 0
	StateStarting State = 1 // accepted, its program not executed yet
	StateRunning  State = 2 // its main process runs
	StateKilling  State = 3 // as running, and a Kill is under way
	StateEnding   State = 4 // its main process ended, others of its set are being killed
	StateExited   State = 5 // nothing of it runs; its Exit is not collected
	StateFailed   State = 6 // never ran: Launch returned a LaunchError
)

// String returns the state's name.
func (s State) String() string {
	switch s {
	case StateStarting:
		return "starting"
	case StateRunning:
		return "running"
	case StateKilling:
		return "killing"
	case StateEnding:
		return "ending"
	case StateExited:
		return "exited"
	case StateFailed:
		return "failed"
	}
	return "unknown"
}

// Live reports whether something of the container may be running.
func (s State) Live() bool { return s >= StateStarting && s <= StateEnding }

// Info is what the supervisor remembers of one container.
type Info struct {
	ID      ID
	State   State
	Started Started      // zero while starting and when failed
	Exit    *Exit        // set in StateExited
	Failure *LaunchError // set in StateFailed
}

// Started is the identity of a container's main process. A pid alone is none:
// at full rate the kernel gives the same number again within half a minute.
type Started struct {
	PID int
	// StartTime is the process's start in clock ticks since boot, as in field 22 of
	// /proc/<pid>/stat.
	StartTime uint64
	// At is when the program was executed, by the wall clock.
	At time.Time
}

// Exit is the end of a container.
type Exit struct {
	ID     ID
	Status Status
	Reason Reason
	// At is when the main process ended, by the wall clock.
	At time.Time
	// OutOfMemory is set with ReasonMemory.
	OutOfMemory OutOfMemory
}

// Reason says who ended a container.
type Reason uint8

// The reasons. They go over the wire and to disk: never renumber.
const (
	ReasonUnknown Reason = 0
	ReasonExited  Reason = 1 // the main process ended and nobody had asked for it
	ReasonKilled  Reason = 2 // Kill was called before the main process ended
	ReasonStopped Reason = 3 // the supervisor was told to stop and ended it
	ReasonLost    Reason = 4 // the supervisor died; EndAll ended it, its status is not known
	ReasonMemory  Reason = 5 // the kernel killed one of its processes for memory, whoever asked for its end besides
)

// String returns the reason in words.
func (r Reason) String() string {
	switch r {
	case ReasonExited:
		return "exited"
	case ReasonKilled:
		return "killed"
	case ReasonStopped:
		return "supervisor stopped"
	case ReasonLost:
		return "supervisor lost"
	case ReasonMemory:
		return "out of memory"
	}
	return "unknown"
}
