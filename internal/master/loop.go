package master

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/wire"
)

// errBusy means that the front door stayed full for too long.
var errBusy = errors.New("the master is too busy")

const (
	frontDoorSize = 4096            // inputs that wait
	frontDoorWait = 5 * time.Second // how long a caller waits for a place
	maxBatch      = 256             // inputs that are taken in one turn
)

// delivery is an input on its way into the loop, with what its sender wants back.
type delivery struct {
	in     cluster.Input
	answer chan<- cluster.Answer // of a SchedulerCall or an OperatorCall
	stream *subscriber           // of a Subscribe
	link   agentConn             // of an AgentSubscribe
	view   chan<- cluster.View   // instead of an input
	watch  *watcher              // with a view, or without one to watch no more

	detached detached.Input         // instead of an input; for the framework of detached tasks
	reply    chan<- detached.Answer // of a detached.Run or detached.Kill
}

// subscriber is a scheduler at the other end of a stream.
type subscriber struct {
	*wire.Stream
	codec wire.Codec
	begun bool // SUBSCRIBED was sent, and the heartbeats were started
}

// agentConn is what the loop knows of an [agentLink].
type agentConn interface {
	send(cluster.Command)
	Finish(error)
	Close(error)
}

// loop owns the core and carries out what it decides.
type loop struct {
	m     *Master
	core  *cluster.Cluster
	start time.Time
	log   *slog.Logger

	front chan delivery
	back  inbox[delivery] // its door for what the loop itself asked for: bounded by that

	// owned by run
	streams  map[cluster.StreamID]*subscriber
	links    map[cluster.LinkID]agentConn
	watchers map[*watcher]struct{}
	detached *detachedTasks
	held     map[cluster.Ticket][]heldAnswer
}

// heldAnswer is one that waits until what it says is durable.
type heldAnswer struct {
	cluster.Answer
	to chan<- cluster.Answer
}

func newLoop(m *Master, c *cluster.Cluster, log *slog.Logger) *loop {
	return &loop{
		m: m, core: c, start: time.Now(), log: log,
		front:    make(chan delivery, frontDoorSize),
		back:     newInbox[delivery](),
		streams:  make(map[cluster.StreamID]*subscriber),
		links:    make(map[cluster.LinkID]agentConn),
		watchers: make(map[*watcher]struct{}),
		detached: newDetachedTasks(m),
		held:     make(map[cluster.Ticket][]heldAnswer),
	}
}

// deliver puts an input in through the front door. It fails when the door stays full or ctx ends.
func (l *loop) deliver(ctx context.Context, d delivery) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
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

// deliverPatiently puts an input in through the front door and waits for its place as long as it
// takes: whoever reads a link stops reading meanwhile.
func (l *loop) deliverPatiently(ctx context.Context, d delivery) error {
	select {
	case l.front <- d:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is the loop, from what the registry remembered until ctx ends.
func (l *loop) run(ctx context.Context, first cluster.Recovered, tasks detached.Recovered) {
	l.apply(delivery{in: first})
	l.step(delivery{detached: tasks})
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.untilDeadline())
		select {
		case d := <-l.front:
			l.turn(d)
		case <-l.back.signal:
			for _, d := range l.back.take() {
				l.step(d)
			}
		case <-timer.C:
			l.step(delivery{in: cluster.Tick{}})
		case <-ctx.Done():
			l.closeAll(context.Cause(ctx))
			return
		}
	}
}

// turn takes what waits at the front door, but not so much that the other events starve.
func (l *loop) turn(d delivery) {
	for n := 1; ; n++ {
		l.step(d)
		if n == maxBatch {
			return
		}
		select {
		case d = <-l.front:
		default:
			return
		}
	}
}

func (l *loop) untilDeadline() time.Duration {
	next := min(l.core.NextDeadline(), l.detached.core.NextDeadline())
	if next == core.Never {
		return time.Hour
	}
	return max(0, next-time.Since(l.start))
}

func (l *loop) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(l.start), Wall: now}
}

// step lets something happen, and then what it means to the detached tasks.
func (l *loop) step(d delivery) {
	l.apply(d)
	l.stepDetached()
}

func (l *loop) apply(d delivery) {
	switch in := d.in.(type) {
	case nil:
		l.look(d)
		return
	case cluster.Tick:
		if l.detached.core.NextDeadline() <= l.now().Mono {
			l.detached.hear(detached.Tick{})
		}
	case cluster.Subscribe:
		l.streams[in.Stream] = d.stream
		if l.detached.isTheirs(in.Framework.ID) {
			l.carryOut(cluster.Send{Stream: in.Stream, Event: cluster.Error{Message: "Framework is run by the master itself"}})
			l.carryOut(cluster.CloseStream{Stream: in.Stream})
			return
		}
	case cluster.AgentSubscribe:
		l.links[in.Link] = d.link
	case cluster.StreamClosed:
		delete(l.streams, in.Stream)
	case cluster.LinkClosed:
		delete(l.links, in.Link)
	}
	for _, out := range l.core.Step(l.now(), d.in) {
		switch a, ok := out.(cluster.Answer); {
		case ok && a.After != 0:
			l.held[a.After] = append(l.held[a.After], heldAnswer{a, d.answer})
		case ok:
			d.answer <- a
		default:
			l.carryOut(out)
		}
	}
	if in, ok := d.in.(cluster.Persisted); ok {
		for _, a := range l.held[in.Ticket] {
			a.to <- a.Answer
		}
		delete(l.held, in.Ticket)
	}
}

// look freezes a view of the cluster for somebody, who may want to hear of all that changes from there on.
func (l *loop) look(d delivery) {
	switch {
	case d.detached != nil:
		l.detached.ask(d.detached, d.reply)
		return
	case d.view == nil:
		delete(l.watchers, d.watch)
		return
	case d.watch != nil:
		l.watchers[d.watch] = struct{}{}
	}
	v := l.core.View()
	l.addDetached(&v)
	d.view <- v
}

// carryOut does what the core wants done; nothing in it may block.
func (l *loop) carryOut(out cluster.Output) {
	switch out := out.(type) {
	case cluster.Send:
		if l.detached.has(out.Stream) {
			l.detached.event(out)
			return
		}
		l.send(out)
	case cluster.CloseStream:
		if l.detached.has(out.Stream) {
			l.detached.closed(out.Stream)
			return
		}
		if s := l.streams[out.Stream]; s != nil {
			s.Finish(errFinished)
		}
	case cluster.ToAgent:
		if k := l.links[out.Link]; k != nil {
			k.send(out.Command)
		}
	case cluster.CloseLink:
		if k := l.links[out.Link]; k != nil {
			k.Finish(errFinished)
		}
	case cluster.Persist:
		l.persist(out)
	case cluster.Publish:
		for w := range l.watchers {
			w.tell(out.Change)
		}
	case cluster.Notice:
		l.log.Log(context.Background(), slog.Level(out.Level), out.Text, out.Attrs...)
	}
}

// errFinished is why a stream or link ended that the core ended.
var errFinished = errors.New("finished by the master")

func (l *loop) send(out cluster.Send) {
	s := l.streams[out.Stream]
	if s == nil {
		return
	}
	record, err := l.m.encodeEvent(s.codec, out.Event)
	if err != nil {
		s.Close(err)
		return
	}
	if s.Send(record) != nil {
		return // the stream has ended, and its watcher tells the core
	}
	if _, ok := out.Event.(cluster.Subscribed); ok && !s.begun {
		s.begun = true
		s.Heartbeat(l.m.heartbeats[s.codec], 0, heartbeatInterval)
	}
}

// closeAll breaks off every stream and link, also those that nobody will take in any more.
func (l *loop) closeAll(cause error) {
	for _, s := range l.streams {
		s.Close(cause)
	}
	for _, k := range l.links {
		k.Close(cause)
	}
	for {
		select {
		case d := <-l.front:
			if d.stream != nil {
				d.stream.Close(cause)
			}
			if d.link != nil {
				d.link.Close(cause)
			}
		default:
			return
		}
	}
}

// view asks the loop for a frozen view of the cluster, and for all changes from there on if w is not nil.
func (l *loop) view(ctx context.Context, w *watcher) (cluster.View, error) {
	c := make(chan cluster.View, 1)
	if err := l.deliver(ctx, delivery{view: c, watch: w}); err != nil {
		return cluster.View{}, err
	}
	select {
	case v := <-c:
		return v, nil
	case <-ctx.Done():
		return cluster.View{}, context.Cause(ctx)
	}
}
