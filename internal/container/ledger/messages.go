package ledger

import (
	"time"

	"github.com/meseta/meseta/internal/container"
)

// Ticket says whose request an answer belongs to; the ledger hands it back as it
// came.
type Ticket struct {
	Conn    uint64
	Request uint64
}

// Input is what can happen to a ledger.
type Input interface{ input() }

type (
	// Launch asks for a container.
	Launch struct {
		Ticket Ticket
		Spec   container.Spec
	}
	// Kill asks for the end of one.
	Kill struct {
		Ticket Ticket
		ID     container.ID
		Grace  time.Duration
	}
	// List asks for everything that is remembered.
	List struct{ Ticket Ticket }
	// Watch asks for the exits that were not collected.
	Watch struct{ Ticket Ticket }
	// Collect has containers that ended forgotten.
	Collect struct {
		Ticket Ticket
		IDs    []container.ID
	}

	// Limit gives one other limits.
	Limit struct {
		Ticket Ticket
		ID     container.ID
		Limits container.Limits
	}
	// Measure asks for statistics, of all that run if there are no IDs.
	Measure struct {
		Ticket Ticket
		IDs    []container.ID
	}

	// Served tells what became of an Enforce or a Survey.
	Served struct {
		Ticket     Ticket
		Err        error
		Statistics []container.Statistics
	}
	// OutOfMemory tells that the kernel killed a process of a container for memory:
	// the rest of it has to go too.
	OutOfMemory struct {
		ID     container.ID
		Memory container.OutOfMemory
	}

	// Forked tells that a Fork went well.
	Forked struct {
		ID      container.ID
		Started container.Started
	}
	// ForkFailed tells that it did not, and that nothing is left of it.
	ForkFailed struct{ Err *container.LaunchError }
	// MainEnded tells that a main process was reaped, after Forked told of it. Vacant
	// says that nothing else of its set runs either, OutOfMemory that the kernel killed
	// something of it for memory.
	MainEnded struct {
		ID          container.ID
		Status      container.Status
		Vacant      bool
		OutOfMemory *container.OutOfMemory
	}
	// Vacant tells that a Destroy is complete.
	Vacant struct{ ID container.ID }

	// Stop ends everything, after grace by force.
	Stop struct{ Grace time.Duration }
	// Tick tells that NextDeadline has passed.
	Tick struct{}
)

func (Launch) input()      {}
func (Kill) input()        {}
func (List) input()        {}
func (Watch) input()       {}
func (Collect) input()     {}
func (Limit) input()       {}
func (Measure) input()     {}
func (Served) input()      {}
func (OutOfMemory) input() {}
func (Forked) input()      {}
func (ForkFailed) input()  {}
func (MainEnded) input()   {}
func (Vacant) input()      {}
func (Stop) input()        {}
func (Tick) input()        {}

// Output is what a ledger wants done.
type Output interface{ output() }

type (
	// Record has to be in the log BEFORE any output after it is carried out.
	Record struct {
		Kind    RecordKind
		ID      container.ID
		Started container.Started // RecordStarted
		Exit    container.Exit    // RecordExit
	}
	// Fork starts a container; Forked or ForkFailed must follow.
	Fork struct{ Spec container.Spec }
	// Terminate sends SIGTERM to everything in a container's set.
	Terminate struct{ ID container.ID }
	// Destroy kills everything in a container's set, again and again until nothing is
	// left of it. Vacant must follow once the main process was reaped; a second
	// Destroy of the same set asks for nothing more.
	Destroy struct{ ID container.ID }
	// Enforce gives a container its new limits; Served must follow.
	Enforce struct {
		Ticket Ticket
		ID     container.ID
		Limits container.Limits
	}
	// Survey measures containers; Served must follow.
	Survey struct {
		Ticket Ticket
		IDs    []container.ID
	}
	// Answer answers a request: Err, or what was asked for.
	Answer struct {
		Ticket     Ticket
		Err        error
		Started    container.Started
		List       []container.Info
		Statistics []container.Statistics
	}
	// Replay answers a Watch; every Publish from now on is for its connection too.
	Replay struct {
		Ticket Ticket
		Exits  []container.Exit
	}
	// Publish tells every watcher of an exit.
	Publish struct{ Exit container.Exit }
	// Stopped tells that nothing runs any more after a Stop.
	Stopped struct{}
)

func (Record) output()    {}
func (Fork) output()      {}
func (Terminate) output() {}
func (Destroy) output()   {}
func (Enforce) output()   {}
func (Survey) output()    {}
func (Answer) output()    {}
func (Replay) output()    {}
func (Publish) output()   {}
func (Stopped) output()   {}

// RecordKind says what a Record notes. It goes to disk: never renumber.
type RecordKind uint8

// The kinds of record.
const (
	RecordLaunch  RecordKind = 1 // the container may exist from here on
	RecordStarted RecordKind = 2
	RecordExit    RecordKind = 3
	RecordForget  RecordKind = 4 // its end was collected
	RecordFailed  RecordKind = 5 // it never ran
)
