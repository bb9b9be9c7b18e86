package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/node"
)

// A disk that is full is survived like this:
//
//   - With little room left the core is told, and takes no more work. What runs goes on, and how it ends is kept:
//     the journal has its segment reserved, and a reserve behind it.
//   - A journal that could not be written all the same, or not even opened, has failed for good, and the core
//     says nothing that it cannot keep. The agent still shows its master and everybody else what runs.
//   - When there is room, which the janitor sees to, the agent begins anew within its process, as it does after
//     a restart: it reads its journal and finds out from the supervisors what has ended meanwhile.
const (
	fullBelow   = 16 << 20 // bytes that are free, or …
	fewInodes   = 64       // … inodes
	enoughRoom  = 2 * fullBelow
	roomEvery   = 2 * time.Second
	reserveSize = 4 << 20
)

// errRoomAgain ends an agent whose disk was too full for its journal, to begin anew.
var errRoomAgain = errors.New("the disk has room again")

// roomWatch looks how much room there is.
type roomWatch struct {
	room      func() (room, error)
	stuck     func() bool // the journal has failed because the disk was full
	low       func() bool // the journal has given up its reserve since this was asked last
	replenish func() error
	report    func(...node.Input)
	sweep     chan<- struct{} // the janitor's
	again     chan<- struct{} // gets a token when an agent that is stuck should begin anew
}

// room is what is free of a disk.
type room struct {
	dir    string
	bytes  uint64
	inodes uint64
}

func roomIn(dir string) (room, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return room{}, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	r := room{dir: dir, bytes: s.Bavail * uint64(s.Bsize), inodes: s.Ffree}
	if s.Files == 0 { // a file system that does not count them
		r.inodes = fewInodes
	}
	return r, nil
}

// full says what there is too little of; empty if there is enough.
func (r room) full(bytes uint64) string {
	switch {
	case r.bytes < bytes:
		return fmt.Sprintf("%.1f MiB are free in %s, expected at least %d", float64(r.bytes)/(1<<20), r.dir, bytes>>20)
	case r.inodes < fewInodes:
		return fmt.Sprintf("%d inodes are free in %s, expected at least %d", r.inodes, r.dir, fewInodes)
	}
	return ""
}

func (a *agent) newRoomWatch(j *journal.Journal, janitor *janitor) *roomWatch {
	return &roomWatch{
		room:  func() (room, error) { return roomIn(a.config.WorkDir) },
		stuck: a.stuck.Load, low: func() bool { return a.low.Swap(false) }, replenish: j.Replenish,
		report: a.loop.back.put, sweep: janitor.now, again: a.again,
	}
}

// run looks until ctx ends.
func (w *roomWatch) run(ctx context.Context) {
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for full := false; ; {
		full = w.look(full)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look tells whom it concerns. A disk that was full has to have a little more room before it is not.
func (w *roomWatch) look(was bool) (is bool) {
	was = w.low() || was
	r, err := w.room()
	if err != nil {
		return was
	}
	need := uint64(fullBelow)
	if was || w.stuck() {
		need = enoughRoom
	}
	if why := r.full(need); why != "" {
		w.report(node.DiskRoom{WhyNot: why})
		signal(w.sweep)
		return true
	}
	switch {
	case w.stuck():
		signal(w.again)
		return true
	case !was:
		return false
	case w.replenish() != nil:
		return true
	}
	w.report(node.DiskRoom{})
	return false
}

// signal leaves a token.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// journalFailed tells the core, and remembers if room on the disk is all that is missing.
func (a *agent) journalFailed(err error) {
	if journal.IsFull(err) {
		a.stuck.Store(true)
	}
	a.loop.back.put(node.PersistFailed{Cause: err.Error()})
}

// trouble says why the agent takes no work that it could take; empty if it does.
func (a *agent) trouble(ctx context.Context) (why string) {
	if err := a.loop.show(ctx, func(n *node.Node) { why = n.Trouble() }); err != nil {
		return "The agent is stopping"
	}
	return why
}
