package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/meseta/meseta/internal/sdk/outcome"
)

// The messages of a connection that carries HTTP.
type (
	// request is a call on its way up.
	request struct {
		number uint64
		stream string // Mesos-Stream-Id
		call   any
	}

	// response answers a request. With status 200 it opens a stream.
	response struct {
		number uint64
		status int
		text   string
		stream string
	}

	// record is an event of a stream.
	record struct{ event any }
)

// line is one subscription of a driver, as package line of the SDK makes it: a connection that events come
// down on, and beside it another for the calls, one at a time.
type line struct {
	p       *process
	name    string
	target  func() (*process, func(*conn))
	reports lineReports

	events, calls *conn
	stream        string
	ended         bool // closed was reported
	closing       bool // by our own wish
	number        uint64
	waiting       []any
	inFlight      any
	dialling      bool
}

// lineReports are what a line tells its driver, never from inside one of its own methods.
type lineReports struct {
	received func(event any)
	answered func(call any, what outcome.Outcome, err error)
	closed   func(refused bool, err error)
}

func openLine(p *process, name string, target func() (*process, func(*conn)), subscribe any, reports lineReports) *line {
	l := &line{p: p, name: name, target: target, reports: reports}
	p.w.dial(p, name, target, func(c *conn) {
		switch {
		case l.closing:
			if c != nil {
				c.close(0)
			}
		case c == nil:
			l.end(false, errors.New("nobody answers"))
		default:
			l.events = c
			c.ends[0].patient = true
			c.ends[0].receive = l.heard
			c.ends[0].closed = func(why string) { l.end(false, errors.New(why)) }
			c.send(0, request{call: subscribe})
		}
	})
	return l
}

func (l *line) heard(msg any) {
	switch msg := msg.(type) {
	case record:
		l.reports.received(msg.event)
	case response:
		if msg.status == 200 {
			l.stream = msg.stream
			return
		}
		l.events.close(0)
		l.end(msg.status >= 400 && msg.status < 500, fmt.Errorf("status %d: %s", msg.status, msg.text))
	}
}

// end is the end of the subscription. Calls that wait are not sent; the one in flight may yet be answered.
func (l *line) end(refused bool, err error) {
	if l.ended {
		return
	}
	l.ended = true
	l.reports.closed(refused, err)
	l.pump()
}

// close gives the subscription up.
func (l *line) close(cause error) {
	if l.closing {
		return
	}
	l.closing = true
	if l.events != nil {
		l.events.close(0)
	}
	if l.calls != nil {
		l.calls.close(0)
	}
	l.p.soon(func() {
		l.end(false, cause)
		if call := l.inFlight; call != nil {
			l.inFlight = nil
			l.reports.answered(call, outcome.Unanswered, cause)
		}
	})
}

// send sends a call after those before it.
func (l *line) send(call any) {
	l.waiting = append(l.waiting, call)
	l.p.soon(l.pump)
}

// pump sends the next call, if it is its turn.
func (l *line) pump() {
	for l.inFlight == nil && len(l.waiting) > 0 && (l.ended || l.closing) {
		call := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.reports.answered(call, outcome.Unsent, errEnded)
	}
	if l.inFlight != nil || len(l.waiting) == 0 || l.dialling {
		return
	}
	if l.calls == nil || !l.calls.ends[0].open {
		l.dialling = true
		l.p.w.dial(l.p, l.name+" calls", l.target, l.connected)
		return
	}
	l.inFlight = l.waiting[0]
	l.waiting = l.waiting[1:]
	l.number++
	l.calls.send(0, request{number: l.number, stream: l.stream, call: l.inFlight})
	if l.p.w.faults.repeats(l.inFlight) {
		l.p.w.count(FaultRepeatedCall)
		l.calls.send(0, request{stream: l.stream, call: l.inFlight})
	}
}

var errEnded = errors.New("the subscription has ended")

// connected is the outcome of dialling for calls.
func (l *line) connected(c *conn) {
	l.dialling = false
	if c == nil {
		if len(l.waiting) > 0 && !l.ended && !l.closing {
			call := l.waiting[0]
			l.waiting = l.waiting[1:]
			l.reports.answered(call, outcome.Unanswered, errors.New("nobody answers"))
		}
		l.pump()
		return
	}
	if l.closing {
		c.close(0)
		l.pump()
		return
	}
	l.calls = c
	c.ends[0].patient = true
	c.ends[0].receive = func(msg any) { l.answered(msg.(response)) }
	c.ends[0].closed = func(why string) { l.unanswered(errors.New(why)) }
	l.pump()
}

func (l *line) answered(r response) {
	if r.number != l.number || l.inFlight == nil {
		return // of a repetition
	}
	call := l.inFlight
	l.inFlight = nil
	what := outcome.Accepted
	switch {
	case r.status == 503:
		what = outcome.Busy
	case r.status == 403:
		what = outcome.Unanswered
	case r.status >= 400:
		what = outcome.Refused
	}
	var err error
	if what != outcome.Accepted {
		err = fmt.Errorf("status %d: %s", r.status, r.text)
	}
	l.reports.answered(call, what, err)
	l.p.after(time.Microsecond, l.pump)
}

func (l *line) unanswered(err error) {
	call := l.inFlight
	l.inFlight = nil
	if call != nil {
		l.reports.answered(call, outcome.Unanswered, err)
	}
	l.pump()
}
