package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/node"
)

// Why the loop does not take an input.
var (
	errBusy     = errors.New("the agent is too busy")
	errStopping = errors.New("the agent is stopping")
)

const (
	frontDoorSize = 4096            // inputs that wait
	frontDoorWait = 5 * time.Second // how long a caller waits for a place
	maxBatch      = 256             // inputs of strangers in one turn
	maxUnsynced   = 8 << 20         // bytes that wait for the disk, from which strangers wait too
	maxTurn       = 1 << 20         // bytes of records from which a turn ends
	maxBacklog    = 8 << 20         // bytes that wait for a peer, from which it gets no more messages
)

// delivery is an input on its way into the loop, with what its sender wants back.
type delivery struct {
	in     node.Input
	answer chan<- node.Answer // of an executor's call
	stream *subscriber        // of ExecutorSubscribes
	link   *masterLink        // of LinkOpened
}

// loop owns the core and carries out what it decides.
type loop struct {
	// immutable after newLoop
	a     *agent
	core  *node.Node
	log   *slog.Logger
	start time.Time
	front chan delivery
	back  backDoor
	shows chan func(*node.Node)

	journal  journal.Log
	launcher *launcher

	allEnded chan string // gets the reason when AllEnded comes
	givenUp  chan string // gets the reason when GiveUp comes

	// owned by run
	link    *masterLink
	streams map[node.StreamID]*subscriber
	records [][]byte     // of this turn
	bytes   int          // of these records
	sync    bool         // some of them have to be durable
	issued  node.Ticket  // of the last Persist of this turn
	tickets []ticketPair // appends that are not durable yet
	writes  []ticketPair // those among them that are not known to be written, and need no more
	broken  bool         // the journal takes no more
}

// ticketPair says which of the core's tickets an append of the journal makes durable.
type ticketPair struct {
	journal journal.Ticket
	core    node.Ticket
}

func newLoop(a *agent, n *node.Node, log *slog.Logger) *loop {
	return &loop{
		a: a, core: n, log: log, start: time.Now(),
		front:    make(chan delivery, frontDoorSize),
		back:     backDoor{queue: newQueue[node.Input]()},
		shows:    make(chan func(*node.Node)),
		allEnded: make(chan string, 1),
		givenUp:  make(chan string, 1),
		streams:  make(map[node.StreamID]*subscriber),
	}
}

// backDoor is where completions come in. Of how far the journal has come only the latest counts.
type backDoor struct {
	queue[node.Input]
	durable atomic.Uint64 // journal.Ticket
	written atomic.Uint64 // likewise
}

// persisted is the journal's hook.
func (b *backDoor) persisted(upTo journal.Ticket) {
	b.durable.Store(uint64(upTo))
	b.ring()
}

// wrote is the journal's hook.
func (b *backDoor) wrote(upTo journal.Ticket) {
	b.written.Store(uint64(upTo))
	b.ring()
}

// deliver puts an input in through the front door. It fails when the door stays full or ctx ends.
func (l *loop) deliver(ctx context.Context, d delivery) error {
	select {
	case l.front <- d:
		return nil
	default:
	}
	patience := time.NewTimer(frontDoorWait)
	defer patience.Stop()
	select {
	case l.front <- d:
		return nil
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// deliverPatiently puts an input in through the front door and waits for its place as long as it takes:
// whoever reads a link stops reading meanwhile.
func (l *loop) deliverPatiently(ctx context.Context, d delivery) error {
	select {
	case l.front <- d:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// show lets a function look at the core between two inputs. It must not change anything, and soon return.
func (l *loop) show(ctx context.Context, look func(*node.Node)) error {
	done := make(chan struct{})
	select {
	case l.shows <- func(n *node.Node) { defer close(done); look(n) }:
		<-done
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is the loop, until ctx ends.
func (l *loop) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.untilDeadline())
		select {
		case <-l.back.ready:
		case d := <-l.openFront():
			l.step(d)
			l.takeFront()
		case look := <-l.shows:
			look(l.core)
		case <-timer.C:
			l.step(delivery{in: node.Tick{}})
		case <-ctx.Done():
			l.closeAll(context.Cause(ctx))
			return
		}
		l.takeBack()
		l.endTurn()
	}
}

// openFront is the front door, or nothing while the disk is far behind.
func (l *loop) openFront() <-chan delivery {
	if l.journal.Pending() > maxUnsynced {
		return nil
	}
	return l.front
}

// takeFront takes what waits at the front door, but not so much that others starve.
func (l *loop) takeFront() {
	for n := 0; n < maxBatch && l.bytes < maxTurn; n++ {
		select {
		case d := <-l.front:
			l.step(d)
		default:
			return
		}
	}
}

func (l *loop) takeBack() {
	ins := l.back.takeAll()
	l.hearJournal()
	for _, in := range ins {
		l.step(delivery{in: in})
		if l.bytes >= maxTurn {
			l.endTurn()
		}
	}
}

// hearJournal tells the core how far the journal has come.
func (l *loop) hearJournal() {
	durable, written := journal.Ticket(l.back.durable.Load()), journal.Ticket(l.back.written.Load())
	if upTo := reach(&l.tickets, durable); upTo > 0 {
		l.step(delivery{in: node.Persisted{Ticket: upTo}})
	}
	if upTo := reach(&l.writes, max(durable, written)); upTo > 0 {
		l.step(delivery{in: node.Written{Ticket: upTo}})
	}
}

// reach takes off what the journal has reached, and translates the last of it into the core's ticket.
func reach(pairs *[]ticketPair, upTo journal.Ticket) (last node.Ticket) {
	for len(*pairs) > 0 && (*pairs)[0].journal <= upTo {
		last = (*pairs)[0].core
		*pairs = (*pairs)[1:]
	}
	return last
}

func (l *loop) untilDeadline() time.Duration {
	next := l.core.NextDeadline()
	if next == core.Never {
		return time.Hour
	}
	return max(0, next-time.Since(l.start))
}

func (l *loop) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(l.start), Wall: now}
}

// step applies one input and carries out what follows from it.
func (l *loop) step(d delivery) {
	switch in := d.in.(type) {
	case node.LinkOpened:
		l.link = d.link
	case node.ExecutorSubscribes:
		if d.stream.over() {
			return // whoever asked has left, and its StreamClosed may have overtaken it by the back door
		}
		l.streams[in.Stream] = d.stream
	}
	for _, out := range l.core.Step(l.now(), d.in) {
		if answer, ok := out.(node.Answer); ok {
			d.answer <- answer
			continue
		}
		l.carryOut(out)
	}
	switch in := d.in.(type) {
	case node.StreamClosed:
		delete(l.streams, in.Stream)
	case node.LinkClosed:
		if l.link != nil && l.link.id == in.Link {
			l.link = nil
		}
	}
}

// carryOut does what the core wants done; nothing in it may block.
func (l *loop) carryOut(out node.Output) {
	switch out := out.(type) {
	case node.Persist:
		for _, r := range out.Records {
			record := encodeRecord(r)
			l.records = append(l.records, record)
			l.bytes += len(record)
		}
		l.issued = out.Ticket
		l.sync = l.sync || out.Sync
	case node.ToMaster:
		l.toMaster(out)
	case node.CloseLink:
		if l.link != nil && l.link.id == out.Link {
			l.link.Finish(errors.New(out.Reason))
		}
	case node.ToExecutor:
		l.toExecutor(out)
	case node.CloseStream:
		if s := l.streams[out.Stream]; s != nil {
			s.finish()
		}
	case node.PrepareSandbox:
		l.launcher.prepare(out)
	case node.StartContainer:
		l.launcher.start(out)
	case node.LimitContainer:
		l.launcher.limit(out)
	case node.KillContainer:
		l.launcher.kill(out)
	case node.CollectContainer:
		l.launcher.forget(out.Container)
		l.launcher.touch(out.Sandbox)
	case node.AllEnded:
		l.allEnded <- out.Reason
	case node.GiveUp:
		select {
		case l.givenUp <- out.Reason:
		default:
		}
	case node.Notice:
		l.note(out)
	default:
		panic(fmt.Sprintf("agent: output of unknown type %T", out))
	}
}

// endTurn appends the records of the turn, and replaces the journal by a snapshot when that pays.
func (l *loop) endTurn() {
	if len(l.records) == 0 || l.broken {
		return
	}
	keep := l.journal.Write
	if l.sync {
		keep = l.journal.Append
	}
	ticket, err := keep(l.records...)
	clear(l.records)
	l.records, l.bytes = l.records[:0], 0
	if err != nil {
		l.breakDown(err)
		return
	}
	pair := ticketPair{ticket, l.issued}
	l.tickets = append(l.tickets, pair)
	if !l.sync {
		l.writes = append(l.writes, pair)
	}
	l.sync = false
	if l.journal.WantsSnapshot() {
		l.snapshot()
	}
}

// snapshot lists the state now and has it encoded later: the records refer to nothing that changes.
func (l *loop) snapshot() {
	records := l.core.Snapshot()
	if err := l.journal.Snapshot(encodeAll(records)); err != nil {
		l.log.Warn("no snapshot of the journal", "error", err)
	}
}

func encodeAll(records []node.Record) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, r := range records {
			if !yield(encodeRecord(r)) {
				return
			}
		}
	}
}

// breakDown tells the core that nothing more will be durable.
func (l *loop) breakDown(err error) {
	if l.broken {
		return
	}
	l.broken = true
	l.log.Error("the journal has failed: the agent takes no more work", "error", err)
	l.back.put(node.PersistFailed{Cause: err.Error()})
}

func (l *loop) toMaster(out node.ToMaster) {
	if l.link == nil || l.link.id != out.Link {
		return
	}
	if droppable(out.Body) && l.link.Queued() > maxBacklog {
		l.log.Debug("a message was dropped: the master reads too slowly")
		return
	}
	record, err := l.a.encodeToMaster(out)
	if err != nil {
		l.link.Close(err)
		return
	}
	if err := l.link.Send(record); err != nil {
		l.log.Debug("message to the master not sent", "error", err)
	}
}

// droppable reports whether a message may be lost: nobody has promised to deliver an executor's, and the core
// repeats an update until it is acknowledged. All that is owed at once could be more than a link holds, and a
// link that ends of it would only begin with all of it again.
func droppable(body node.AgentBody) bool {
	switch b := body.(type) {
	case node.ExecutorMessage:
		return true
	case node.Update:
		return b.Status.UUID != node.UUID{}
	}
	return false
}

func (l *loop) toExecutor(out node.ToExecutor) {
	s := l.streams[out.Stream]
	if s == nil {
		return
	}
	if _, droppable := out.Event.(node.ExecutorHears); droppable && s.queued() > maxBacklog {
		l.log.Debug("a scheduler's message was dropped: its executor reads too slowly")
		return
	}
	event, err := l.a.executorEvent(out.Event)
	if err != nil {
		l.log.Error("event for an executor cannot be encoded", "error", err)
		s.finish()
		return
	}
	s.send(event)
}

func (l *loop) closeAll(cause error) {
	for _, s := range l.streams {
		s.close(cause)
	}
	if l.link != nil {
		l.link.Finish(cause)
	}
}
