// Package ledger is the bookkeeping of a supervisor: which containers there are,
// how far each has come, when a deadline to kill falls due, who waits for an
// answer, and which ends nobody has collected. It is a pure state machine with
// one door, [Ledger.Step]; the supervisor process carries its outputs out, and
// the fake supervisor of package containertest is this same machine with pretended
// processes.
//
// A container's life:
//
//	Launch ─▶ Starting ─Forked─▶ Running ─MainEnded─▶ Ending ─Vacant─▶ Exited ─Collect─▶ (forgotten)
//	             │                  │                   ▲                                   ▲
//	         ForkFailed            Kill ──▶ Killing ────┘ MainEnded                         │
//	             ▼                                                                          │
//	           Failed ──────────────────────────Collect─────────────────────────────────────┘
//
// The invariants: every Launch and every other request is answered exactly once;
// an id is forked at most once between a Launch and its Collect; Publish comes
// once for each container that was forked, after Vacant.
package ledger

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/core"
)

// MaxContainers is how many containers a ledger holds, live and uncollected
// together, before it refuses launches.
const MaxContainers = 1 << 16

// Ledger is the state. The zero value is not usable: see New.
type Ledger struct {
	most     int // containers
	entries  map[container.ID]*entry
	order    []*entry // by launch; forgotten entries are nil and squeezed out in time
	holes    int
	exits    []*entry // by end, uncollected; forgotten ones as in order
	exitGaps int
	live     int
	due      deadlines
	stopping bool
	out      []Output
}

// entry is what is known of one container.
type entry struct {
	id       container.ID
	state    container.State
	started  container.Started
	exit     container.Exit
	failure  *container.LaunchError
	waiting  []Ticket // launches to be answered once it has started
	limits   []Limit  // to be enforced once it has started
	memory   *container.OutOfMemory
	asked    bool // by a Kill, to end
	doomed   bool // by a Kill or Stop: it has to end at killAt
	killAt   time.Duration
	dueIndex int // in Ledger.due, -1 when not there
	order    int // in Ledger.order
	exitPos  int // in Ledger.exits
}

// New makes a ledger that holds up to limit containers; 0 is MaxContainers.
func New(limit int) *Ledger {
	if limit == 0 {
		limit = MaxContainers
	}
	return &Ledger{most: limit, entries: map[container.ID]*entry{}}
}

// Step applies one input. The outputs are valid until the next call, and are to be
// carried out in their order: a Record has to be on disk before what follows it is
// done.
func (l *Ledger) Step(now core.Time, in Input) []Output {
	l.out = emptied(l.out)
	switch in := in.(type) {
	case Launch:
		l.launch(in)
	case Forked:
		l.forked(now, in)
	case ForkFailed:
		l.forkFailed(in)
	case MainEnded:
		l.mainEnded(now, in)
	case Vacant:
		l.vacant(in)
	case Kill:
		l.kill(now, in)
	case List:
		l.emit(Answer{Ticket: in.Ticket, List: l.Snapshot()})
	case Watch:
		l.emit(Replay{Ticket: in.Ticket, Exits: l.Uncollected()})
	case Collect:
		l.collect(in)
	case Limit:
		l.limit(in)
	case Measure:
		l.measure(in)
	case Served:
		l.emit(Answer{Ticket: in.Ticket, Err: in.Err, Statistics: in.Statistics})
	case OutOfMemory:
		l.outOfMemory(now, in)
	case Stop:
		l.stop(now, in)
	case Tick:
	default:
		panic(fmt.Sprintf("ledger: input of unknown type %T", in))
	}
	l.fireDeadlines(now)
	return l.out
}

// emptied is a slice to be filled again, unless it has become large.
func emptied(out []Output) []Output {
	const usual = 4096
	if cap(out) > usual {
		return nil
	}
	clear(out)
	return out[:0]
}

// NextDeadline is when the ledger wants a Tick, or core.Never.
func (l *Ledger) NextDeadline() time.Duration {
	if len(l.due) == 0 {
		return core.Never
	}
	return l.due[0].killAt
}

// Live is the number of containers of which something may run.
func (l *Ledger) Live() int { return l.live }

// Len is the number of containers remembered.
func (l *Ledger) Len() int { return len(l.entries) }

// Snapshot lists all containers in the order of their launches.
func (l *Ledger) Snapshot() []container.Info {
	infos := make([]container.Info, 0, len(l.entries))
	for _, e := range l.order {
		if e != nil {
			infos = append(infos, e.info())
		}
	}
	return infos
}

func (e *entry) info() container.Info {
	info := container.Info{ID: e.id, State: e.state, Started: e.started, Failure: e.failure}
	if e.state == container.StateExited {
		info.Exit = new(e.exit)
	}
	return info
}

func (l *Ledger) emit(o Output) { l.out = append(l.out, o) }

func (l *Ledger) launch(in Launch) {
	if e, ok := l.entries[in.Spec.ID]; ok {
		l.launchAgain(e, in.Ticket)
		return
	}
	refuse := func(err error) { l.emit(Answer{Ticket: in.Ticket, Err: err}) }
	if err := in.Spec.Validate(); err != nil {
		refuse(err)
		return
	}
	if l.stopping {
		refuse(container.ErrStopping)
		return
	}
	if len(l.entries) >= l.most {
		refuse(fmt.Errorf("%w: it holds %d containers, %d of them ended and not collected",
			container.ErrFull, len(l.entries), len(l.entries)-l.live))
		return
	}
	e := &entry{id: in.Spec.ID, state: container.StateStarting, waiting: []Ticket{in.Ticket}, dueIndex: -1, order: len(l.order)}
	l.entries[e.id] = e
	l.order = append(l.order, e)
	l.live++
	l.emit(Record{Kind: RecordLaunch, ID: e.id})
	l.emit(Fork{Spec: in.Spec})
}

// launchAgain answers a repeated launch as the first was answered, or will be.
func (l *Ledger) launchAgain(e *entry, t Ticket) {
	switch {
	case e.state == container.StateStarting:
		e.waiting = append(e.waiting, t)
	case e.failure != nil:
		l.emit(Answer{Ticket: t, Err: e.failure})
	default:
		l.emit(Answer{Ticket: t, Started: e.started})
	}
}

func (l *Ledger) forked(now core.Time, in Forked) {
	e := l.entries[in.ID]
	if e == nil || e.state != container.StateStarting {
		return
	}
	e.started = in.Started
	e.state = container.StateRunning
	l.emit(Record{Kind: RecordStarted, ID: e.id, Started: e.started})
	l.answerWaiting(e, Answer{Started: e.started})
	for _, in := range e.limits {
		l.emit(Enforce(in))
	}
	e.limits = nil
	if e.doomed {
		l.beginKilling(now, e)
	}
}

func (l *Ledger) forkFailed(in ForkFailed) {
	e := l.entries[in.Err.ID]
	if e == nil || e.state != container.StateStarting {
		return
	}
	e.state, e.failure = container.StateFailed, in.Err
	l.live--
	l.emit(Record{Kind: RecordFailed, ID: e.id})
	l.answerWaiting(e, Answer{Err: e.failure})
	for _, in := range e.limits {
		l.emit(Answer{Ticket: in.Ticket})
	}
	e.limits = nil
	l.stoppedIfEmpty()
}

func (l *Ledger) answerWaiting(e *entry, a Answer) {
	for _, t := range e.waiting {
		a.Ticket = t
		l.emit(a)
	}
	e.waiting = nil
}

func (l *Ledger) mainEnded(now core.Time, in MainEnded) {
	e := l.entries[in.ID]
	if e == nil || e.state != container.StateRunning && e.state != container.StateKilling {
		return
	}
	e.state = container.StateEnding
	if in.OutOfMemory != nil {
		e.memory = in.OutOfMemory
	}
	e.exit = container.Exit{ID: e.id, Status: in.Status, Reason: l.reason(e), At: now.Wall}
	if e.memory != nil {
		e.exit.OutOfMemory = *e.memory
	}
	l.unschedule(e)
	if in.Vacant {
		l.exited(e)
	} else {
		l.emit(Destroy{ID: e.id})
	}
}

func (l *Ledger) reason(e *entry) container.Reason {
	switch {
	case e.memory != nil:
		return container.ReasonMemory
	case e.asked:
		return container.ReasonKilled
	case l.stopping:
		return container.ReasonStopped
	}
	return container.ReasonExited
}

func (l *Ledger) vacant(in Vacant) {
	if e := l.entries[in.ID]; e != nil && e.state == container.StateEnding {
		l.exited(e)
	}
}

func (l *Ledger) exited(e *entry) {
	e.state = container.StateExited
	e.exitPos = len(l.exits)
	l.exits = append(l.exits, e)
	l.live--
	l.emit(Record{Kind: RecordExit, ID: e.id, Exit: e.exit})
	l.emit(Publish{Exit: e.exit})
	l.stoppedIfEmpty()
}

func (l *Ledger) kill(now core.Time, in Kill) {
	e := l.entries[in.ID]
	if e == nil {
		l.emit(Answer{Ticket: in.Ticket, Err: fmt.Errorf("%w %q", container.ErrUnknown, in.ID)})
		return
	}
	l.emit(Answer{Ticket: in.Ticket})
	if e.state.Live() && e.state != container.StateEnding {
		e.asked = true
		l.doom(now, e, in.Grace)
	}
}

// outOfMemory ends the rest of a container at once: the kernel has chosen one of its
// processes, and what is left rarely knows how to go on without it.
func (l *Ledger) outOfMemory(now core.Time, in OutOfMemory) {
	e := l.entries[in.ID]
	if e == nil || e.state != container.StateRunning && e.state != container.StateKilling {
		return
	}
	e.memory = new(in.Memory)
	l.doom(now, e, 0)
}

func (l *Ledger) limit(in Limit) {
	e := l.entries[in.ID]
	if e == nil {
		l.emit(Answer{Ticket: in.Ticket, Err: fmt.Errorf("%w %q", container.ErrUnknown, in.ID)})
		return
	}
	if err := in.Limits.Validate(); err != nil {
		l.emit(Answer{Ticket: in.Ticket, Err: err})
		return
	}
	switch e.state {
	case container.StateStarting:
		e.limits = append(e.limits, in)
	case container.StateRunning, container.StateKilling:
		l.emit(Enforce(in))
	default:
		l.emit(Answer{Ticket: in.Ticket})
	}
}

func (l *Ledger) measure(in Measure) {
	ids := in.IDs
	if len(ids) == 0 {
		for _, e := range l.order {
			if e != nil {
				ids = append(ids, e.id)
			}
		}
	}
	measurable := func(id container.ID) bool {
		e := l.entries[id]
		return e != nil && e.state.Live() && e.state != container.StateStarting
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id container.ID) bool { return !measurable(id) })
	if len(ids) == 0 {
		l.emit(Answer{Ticket: in.Ticket})
		return
	}
	l.emit(Survey{Ticket: in.Ticket, IDs: ids})
}

// doom has a container end after grace at the latest. One that is still starting
// is left alone until it runs: only then there is a whole set to signal.
func (l *Ledger) doom(now core.Time, e *entry, grace time.Duration) {
	at := now.Mono + min(max(grace, 0), container.MaxGrace)
	if e.doomed && e.killAt <= at {
		return
	}
	e.doomed, e.killAt = true, at
	switch e.state {
	case container.StateRunning:
		l.beginKilling(now, e)
	case container.StateKilling:
		l.schedule(e)
	}
}

// beginKilling is the door into Killing.
func (l *Ledger) beginKilling(now core.Time, e *entry) {
	e.state = container.StateKilling
	if e.killAt > now.Mono {
		l.emit(Terminate{ID: e.id})
	}
	l.schedule(e)
}

func (l *Ledger) fireDeadlines(now core.Time) {
	for len(l.due) > 0 && l.due[0].killAt <= now.Mono {
		e := l.due[0]
		l.unschedule(e)
		l.emit(Destroy{ID: e.id})
	}
}

func (l *Ledger) collect(in Collect) {
	for _, id := range in.IDs {
		e := l.entries[id]
		if e == nil || e.state.Live() {
			continue
		}
		delete(l.entries, id)
		l.order[e.order] = nil
		l.holes++
		if e.state == container.StateExited {
			l.exits[e.exitPos] = nil
			l.exitGaps++
			l.emit(Record{Kind: RecordForget, ID: id})
		}
	}
	l.squeeze()
	l.emit(Answer{Ticket: in.Ticket})
}

// squeeze drops the holes when they are most of a list. When nothing is left at all,
// the room that a busy time needed goes too: a map does not give any back.
func (l *Ledger) squeeze() {
	if len(l.entries) == 0 && cap(l.order) > 1024 {
		l.entries = map[container.ID]*entry{}
		l.order, l.exits, l.due = nil, nil, nil
		l.holes, l.exitGaps = 0, 0
	}
	if l.holes > 64 && l.holes > len(l.order)/2 {
		l.order = squeezed(l.order)
		for i, e := range l.order {
			e.order = i
		}
		l.holes = 0
	}
	if l.exitGaps > 64 && l.exitGaps > len(l.exits)/2 {
		l.exits = squeezed(l.exits)
		for i, e := range l.exits {
			e.exitPos = i
		}
		l.exitGaps = 0
	}
}

func squeezed(list []*entry) []*entry {
	return slices.Clone(slices.DeleteFunc(list, func(e *entry) bool { return e == nil }))
}

// Uncollected lists the exits that were published and not collected, in their order.
func (l *Ledger) Uncollected() []container.Exit {
	var exits []container.Exit
	for _, e := range l.exits {
		if e != nil {
			exits = append(exits, e.exit)
		}
	}
	return exits
}

func (l *Ledger) stop(now core.Time, in Stop) {
	if l.stopping {
		return
	}
	l.stopping = true
	for _, e := range l.order {
		if e != nil && e.state.Live() && e.state != container.StateEnding {
			l.doom(now, e, in.Grace)
		}
	}
	l.stoppedIfEmpty()
}

func (l *Ledger) stoppedIfEmpty() {
	if l.stopping && l.live == 0 {
		l.emit(Stopped{})
	}
}

func (l *Ledger) schedule(e *entry) {
	if e.dueIndex >= 0 {
		heap.Fix(&l.due, e.dueIndex)
	} else {
		heap.Push(&l.due, e)
	}
}

func (l *Ledger) unschedule(e *entry) {
	if e.dueIndex >= 0 {
		heap.Remove(&l.due, e.dueIndex)
	}
}

// deadlines is a heap of the containers that are being killed, the next due first;
// ties fall in the order of launches.
type deadlines []*entry

func (d deadlines) Len() int { return len(d) }
func (d deadlines) Less(i, j int) bool {
	if d[i].killAt != d[j].killAt {
		return d[i].killAt < d[j].killAt
	}
	return d[i].order < d[j].order
}
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].dueIndex, d[j].dueIndex = i, j
}
func (d *deadlines) Push(x any) {
	e := x.(*entry)
	e.dueIndex = len(*d)
	*d = append(*d, e)
}
func (d *deadlines) Pop() any {
	old := *d
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	e.dueIndex = -1
	return e
}
