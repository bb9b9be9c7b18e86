// Package line carries one subscription of a driver: the stream of events down, and the calls that belong
// to it up. A new subscription is a new Line, so that no call of the old one can end up in it.
//
// A Line decides nothing. It reports each event, what became of each call, and its own end.
package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/sdk/outcome"
	"github.com/meseta/meseta/internal/wire"
)

// Reports are the functions that a Line calls, each from one goroutine at a time. They may take a short
// while, and Send and Close may be called inside.
type Reports[Event any] struct {
	// Received reports an event that took size bytes on the wire.
	Received func(event *Event, size int)
	// Undecodable reports an event that made no sense and was skipped.
	Undecodable func(err error)
	// Answered reports what became of a call; there is one report for each Send. The error is nil if the
	// outcome is Accepted.
	Answered func(call proto.Message, what outcome.Outcome, err error)
	// Closed reports the end of the events, or that there will be none. It comes once. Refused says that the
	// server does not want the subscription and would not want it a moment later either.
	Closed func(refused bool, err error)
	// Gone reports that nothing more will be reported.
	Gone func()
	// Repeatable says whether nobody is harmed when a call is made twice. Such calls are sent together, and
	// when the connection fails all of them are Unanswered. Nil means no call.
	Repeatable func(call proto.Message) bool
}

// Line is one subscription.
type Line[Event any, P interface {
	*Event
	proto.Message
}] struct {
	// immutable
	opts    wire.ClientOptions
	reports Reports[Event]
	ctx     context.Context
	cancel  context.CancelCauseFunc

	wake chan struct{} // holds a token when the sender has something to look at

	mu     sync.Mutex
	calls  []proto.Message // to be sent
	closed bool            // no call is sent any more
}

// Open makes a line that begins by sending subscribe. Nothing is to be sent before an event has come in.
// spawn starts the one goroutine that lives as long as the line.
func Open[Event any, P interface {
	*Event
	proto.Message
}](opts wire.ClientOptions, subscribe proto.Message, reports Reports[Event], spawn func(func())) *Line[Event, P] {
	ctx, cancel := context.WithCancelCause(context.Background())
	l := &Line[Event, P]{
		opts:    opts,
		reports: reports,
		ctx:     ctx,
		cancel:  cancel,
		wake:    make(chan struct{}, 1),
	}
	spawn(func() { l.run(subscribe) })
	return l
}

// Send sends a call after those before it, some time soon.
func (l *Line[Event, P]) Send(call proto.Message) {
	l.mu.Lock()
	l.calls = append(l.calls, call)
	l.mu.Unlock()
	l.signal()
}

// Close ends the line. Calls that wait are not sent, and the one in flight is not waited for.
func (l *Line[Event, P]) Close(cause error) {
	l.cancel(cause)
	l.hold()
}

// hold keeps calls that wait from being sent. The one in flight goes on: a server that ends the stream
// because of a call may be about to answer it.
func (l *Line[Event, P]) hold() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.signal()
}

// held says whether calls are kept from being sent.
func (l *Line[Event, P]) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *Line[Event, P]) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run lives as long as the line.
func (l *Line[Event, P]) run(subscribe proto.Message) {
	defer l.reports.Gone()
	defer l.cancel(errHeld)

	client, err := wire.NewClient(l.opts)
	if err != nil {
		l.reports.Closed(true, err)
		return
	}
	defer client.Close()
	stream, err := client.Subscribe(l.ctx, subscribe)
	if err != nil {
		l.reports.Closed(refused(err), err)
		return
	}
	var sender sync.WaitGroup
	sender.Go(func() { l.send(client) })
	err = l.read(stream)
	stream.Close()
	l.hold()
	l.reports.Closed(false, err)
	sender.Wait()
}

// read reports events until there are no more.
func (l *Line[Event, P]) read(stream *wire.EventStream) error {
	for {
		record, err := stream.Receive()
		if err != nil {
			if cause := context.Cause(l.ctx); cause != nil {
				return cause
			}
			if errors.Is(err, io.EOF) {
				err = errors.New("the server ended the stream")
			}
			return err
		}
		event := P(new(Event))
		if err := l.opts.Codec.Unmarshal(record, event); err != nil {
			l.reports.Undecodable(fmt.Errorf("event of %d bytes: %w", len(record), err))
			continue
		}
		l.reports.Received((*Event)(event), len(record))
	}
}

// send sends calls in their order until the line is closed, and then says of the rest that it was not sent.
func (l *Line[Event, P]) send(client *wire.Client) {
	for {
		l.mu.Lock()
		calls, closed := l.calls, l.closed
		l.calls = nil
		l.mu.Unlock()

		for n := 0; len(calls) > 0; calls = calls[n:] {
			n = l.together(calls)
			l.sendTogether(client, calls[:n])
		}
		if closed {
			return
		}
		<-l.wake
	}
}

// together is how many of the next calls may be sent together.
func (l *Line[Event, P]) together(calls []proto.Message) int {
	if l.reports.Repeatable == nil {
		return 1
	}
	n := slices.IndexFunc(calls, func(call proto.Message) bool { return !l.reports.Repeatable(call) })
	if n < 0 {
		return len(calls)
	}
	return max(n, 1)
}

// sendTogether sends a few calls and reports what became of them.
func (l *Line[Event, P]) sendTogether(client *wire.Client, calls []proto.Message) {
	if l.held() {
		for _, call := range calls {
			l.reports.Answered(call, outcome.Unsent, errHeld)
		}
		return
	}
	for i, err := range client.CallTogether(l.ctx, calls...) {
		l.reports.Answered(calls[i], l.outcomeOf(calls[i], err), err)
	}
}

// errHeld explains a call that was not sent.
var errHeld = errors.New("not sent: its subscription has ended")

// outcomeOf is what the result of a call means.
func (l *Line[Event, P]) outcomeOf(call proto.Message, err error) outcome.Outcome {
	if err == nil {
		return outcome.Accepted
	}
	if status, ok := errors.AsType[*wire.StatusError](err); ok {
		switch {
		case status.Code == http.StatusServiceUnavailable, status.Code == http.StatusTooManyRequests:
			return outcome.Busy
		case status.Code == http.StatusForbidden:
			// The server takes us for disconnected. The subscription has to be made anew.
			return outcome.Unanswered
		case status.Code >= 400 && status.Code < 500, status.Code == http.StatusNotImplemented:
			return outcome.Refused
		}
		// Redirects, broken proxies, broken servers.
		return outcome.Unanswered
	}
	if errors.Is(err, wire.ErrNoAnswer) {
		return outcome.Unanswered
	}
	if _, err := l.opts.Codec.Marshal(call); err != nil {
		return outcome.Invalid
	}
	return outcome.Unanswered // no connection, so the subscription will not last either
}

// refused says whether a server that did not take a subscription would do so later.
func refused(err error) bool {
	status, ok := errors.AsType[*wire.StatusError](err)
	if !ok {
		return false
	}
	switch status.Code {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status.Code >= 400 && status.Code < 500 || status.Code == http.StatusNotImplemented
}
