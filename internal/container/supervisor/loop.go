package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/protocol"
	"github.com/meseta/meseta/internal/container/track"
	"github.com/meseta/meseta/internal/core"
)

// server is a supervisor at work.
type server struct {
	// immutable after newServer
	log          *slog.Logger
	hello        protocol.ServerHello
	oomProtected bool
	stopGrace    time.Duration
	sets         track.Sets
	mains        *mains
	limiter      *cgroup.Limiter
	trimmer      *trimmer
	forks        *queue[container.Spec]
	chores       *queue[ledger.Output] // for the warden
	ender        *ender
	open         openConns
	events       chan event
	done         chan struct{} // closed when the loop takes no more events
	begin        time.Time

	// owned by loop
	ledger  *ledger.Ledger
	logFile *logFile
	conns   map[uint64]*conn
	unsaid  map[*conn]struct{} // connections with output to be flushed
	todo    []ledger.Output    // what waits for the log
	stopped bool
}

// event is something the loop has to know.
type event struct {
	kind    eventKind
	in      ledger.Input // happened
	conn    *conn        // the others
	request uint64       // connected, notUnderstood
}

type eventKind uint8

const (
	happened eventKind = iota
	connected
	disconnected
	notUnderstood
)

// errStopped says that the supervisor ended in order.
var errStopped = errors.New("supervisor stopped")

// post hands an event to the loop; after the loop's end it is lost.
func (s *server) post(e event) {
	select {
	case s.events <- e:
	case <-s.done:
	}
}

// tell hands the loop what became of an output.
func (s *server) tell(in ledger.Input) { s.post(event{kind: happened, in: in}) }

func (s *server) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(s.begin), Wall: now.Round(0)}
}

// atOnce is how many events the loop handles before it writes the log and lets
// their consequences out.
const atOnce = 256

// quietAfter is how long nothing has to happen for the loop to think the time quiet.
const quietAfter = 2 * time.Second

// loop owns the ledger. It takes events until everything has ended after a stop.
func (s *server) loop(ctx context.Context) {
	defer close(s.done)
	deadline, quiet := time.NewTimer(0), time.NewTimer(quietAfter)
	defer deadline.Stop()
	defer quiet.Stop()
	stop := ctx.Done()
	for !s.stopped {
		select {
		case e := <-s.events:
			s.handle(e)
			for range min(len(s.events), atOnce) {
				s.handle(<-s.events)
			}
		case <-deadline.C:
			s.step(ledger.Tick{})
		case <-quiet.C:
			debug.FreeOSMemory() // what a busy time needed, a quiet one does not
			continue
		case <-stop:
			stop = nil
			s.log.Info("stopping", "live", s.ledger.Live(), "grace", s.stopGrace)
			s.step(ledger.Stop{Grace: s.stopGrace})
		}
		s.settle()
		if next := s.ledger.NextDeadline(); next != core.Never {
			deadline.Reset(max(next-time.Since(s.begin), 0))
		} else {
			deadline.Stop()
		}
		quiet.Reset(quietAfter)
	}
}

func (s *server) handle(e event) {
	switch e.kind {
	case happened:
		s.step(e.in)
	case connected:
		s.conns[e.conn.id] = e.conn
		s.answer(e.conn, e.request, &protocol.Answer{Hello: &s.hello})
	case disconnected:
		delete(s.conns, e.conn.id)
		delete(s.unsaid, e.conn)
		e.conn.finish()
	case notUnderstood:
		<-e.conn.slots
		s.answer(e.conn, e.request, &protocol.Answer{Err: container.ErrUnsupported})
	}
}

// step lets the ledger decide. Its records go to the log, the rest waits until
// they are in it.
func (s *server) step(in ledger.Input) {
	for _, out := range s.ledger.Step(s.now(), in) {
		if r, ok := out.(ledger.Record); ok {
			s.logFile.add(r)
		} else {
			s.todo = append(s.todo, out)
		}
	}
}

// settle writes the log and carries out what waited for it. Without a log nothing
// is started: it could not be found again.
func (s *server) settle() {
	for len(s.todo) > 0 {
		err := s.logFile.flush()
		if err != nil {
			s.log.Error("cannot write the container log", "err", err)
		}
		todo := s.todo
		s.todo = nil
		for i, out := range todo {
			if f, ok := out.(ledger.Fork); ok && err != nil {
				s.step(ledger.ForkFailed{Err: launchError(&f.Spec, err)})
				continue
			}
			s.perform(out)
			todo[i] = nil
		}
		if s.todo == nil && cap(todo) <= 4*atOnce {
			s.todo = todo[:0]
		}
	}
	if s.logFile.wasteful(s.ledger.Len()) {
		if err := s.logFile.rewrite(s.ledger.Snapshot()); err != nil {
			s.log.Error("cannot rewrite the container log", "err", err)
		}
	}
	for c := range s.unsaid {
		c.flush()
	}
	clear(s.unsaid)
}

func (s *server) perform(out ledger.Output) {
	switch out := out.(type) {
	case ledger.Fork:
		s.forks.put(out.Spec)
	case ledger.Terminate:
		s.ender.askTerminate(out.ID)
	case ledger.Destroy:
		s.ender.askDestroy(out.ID)
	case ledger.Enforce, ledger.Survey:
		s.chores.put(out)
	case ledger.Answer:
		s.answerTicket(out)
	case ledger.Replay:
		s.replay(out)
	case ledger.Publish:
		for _, c := range s.conns {
			if c.watching {
				s.send(c, func(dst []byte) []byte { return protocol.AppendExited(dst, out.Exit) })
			}
		}
	case ledger.Stopped:
		s.stopped = true
	}
}

// answerTicket answers a request, a long list in several pieces.
func (s *server) answerTicket(a ledger.Answer) {
	c := s.conns[a.Ticket.Conn]
	if c == nil {
		return
	}
	<-c.slots
	s.inPieces(c, a.Ticket, max(len(a.List), len(a.Statistics)), func(first, end int) protocol.Answer {
		return protocol.Answer{Err: a.Err, Started: a.Started, Infos: piece(a.List, first, end), Statistics: piece(a.Statistics, first, end)}
	})
}

// replay answers a Watch and makes the connection a watcher.
func (s *server) replay(r ledger.Replay) {
	c := s.conns[r.Ticket.Conn]
	if c == nil {
		return
	}
	<-c.slots
	c.watching = true
	s.inPieces(c, r.Ticket, len(r.Exits), func(first, end int) protocol.Answer {
		return protocol.Answer{Exits: piece(r.Exits, first, end)}
	})
}

// inPieces sends the answer to a request that has so many items, in at least one
// piece.
func (s *server) inPieces(c *conn, t ledger.Ticket, items int, answer func(first, end int) protocol.Answer) {
	for first := 0; ; first += protocol.PieceItems {
		end := first + protocol.PieceItems
		a := answer(first, end)
		a.More = end < items
		s.answer(c, t.Request, &a)
		if !a.More {
			return
		}
	}
}

// piece is a part of a list, as far as the list goes.
func piece[T any](list []T, first, end int) []T {
	return list[min(first, len(list)):min(end, len(list))]
}

func (s *server) answer(c *conn, request uint64, a *protocol.Answer) {
	s.send(c, func(dst []byte) []byte { return protocol.AppendAnswer(dst, request, a) })
}

func (s *server) send(c *conn, appendTo func([]byte) []byte) {
	c.send(appendTo)
	s.unsaid[c] = struct{}{}
}
