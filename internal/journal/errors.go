package journal

import (
	"errors"
	"fmt"
)

// Errors of Append and Snapshot.
var (
	// ErrBacklog: more is waiting for the disk than Options.MaxPending allows. Nothing was taken.
	ErrBacklog = errors.New("the journal is behind")

	// ErrTooLarge: one append is larger than Options.MaxPending. Nothing was taken.
	ErrTooLarge = errors.New("too large for the journal")

	// ErrClosed: the journal was closed or its Run has ended in good order.
	ErrClosed = errors.New("the journal is closed")

	// ErrFailed: a write or sync failed, and the journal with it, for good. Wraps the cause.
	ErrFailed = errors.New("the journal has failed")

	// ErrSnapshotRunning: an earlier snapshot is still being written.
	ErrSnapshotRunning = errors.New("a snapshot is being written already")
)

// Errors of Open.
var (
	// ErrInUse: another process has the journal open.
	ErrInUse = errors.New("in use by another process")

	// ErrVersion: written by a later version of this program.
	ErrVersion = errors.New("written in a layout that this version does not know")
)

// CorruptError says that something which was durable cannot be read any more. Nothing is changed on
// disk when Open returns it.
type CorruptError struct {
	File   string // name within the journal's directory
	Offset int64  // where the first unreadable byte sequence begins
	Reason string // what was found there
	Sound  int    // records in sound order before it, snapshot included
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("damaged at byte %d of %s: %s; %d records before it are sound", e.Offset, e.File, e.Reason, e.Sound)
}
