package stage

import (
	"errors"
	"fmt"
	"net/http"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/sim/agentwire"
	"github.com/meseta/meseta/internal/wire"
)

// subscriber is an executor at the other end of a stream. The core grants a stream before the answer can
// begin: what comes before that waits.
type subscriber struct {
	executor ids.ExecutorID
	codec    wire.Codec
	stream   *wire.Stream
	waiting  [][]byte
	ended    error
}

func (s *subscriber) send(record []byte) {
	switch {
	case s.ended != nil:
	case s.stream == nil:
		s.waiting = append(s.waiting, record)
	default:
		_ = s.stream.Send(record) // if it cannot, it has ended
	}
}

func (s *subscriber) attach(stream *wire.Stream) {
	s.stream = stream
	for _, record := range s.waiting {
		_ = stream.Send(record)
	}
	if s.ended != nil {
		stream.Finish(s.ended)
	}
}

func (s *subscriber) finish() {
	s.ended = errFinished
	if s.stream != nil {
		s.stream.Finish(errFinished)
	}
}

func (s *subscriber) close(cause error) {
	s.ended = cause
	if s.stream != nil {
		s.stream.Close(cause)
	}
}

func (a *Agent) routes() http.Handler {
	r := wire.NewRouter("slave(1)")
	r.Handle("/api/v1/executor", a.serveExecutor)
	return r
}

var errAgentDown = errors.New("the agent is down")

// serveExecutor is the v1 executor API. Whoever calls is a real driver, whose calls need no validation.
func (a *Agent) serveExecutor(w http.ResponseWriter, r *http.Request) {
	call := new(executorpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, maxCall)
	if !ok {
		return
	}
	if call.GetType() == executorpb.Call_SUBSCRIBE {
		a.subscribe(w, r, call, accept)
		return
	}
	answer, err := a.ask(r, call, func(request node.RequestID) node.Input { return agentwire.CallInput(request, call) })
	switch {
	case err != nil:
		wire.Answer(w, http.StatusServiceUnavailable, err.Error())
	case answer.Status == http.StatusAccepted:
		wire.Accepted(w)
	default:
		wire.Answer(w, answer.Status, answer.Text)
	}
}

// ask puts a call to the core and waits for its answer.
func (a *Agent) ask(r *http.Request, call *executorpb.Call, input func(node.RequestID) node.Input) (node.Answer, error) {
	answer := make(chan node.Answer, 1)
	var stopped chan struct{}
	a.w.Visit(callTime+turnOf(r.RemoteAddr), func() {
		if !a.up {
			return
		}
		a.hearExecutor(call)
		stopped = a.stopped
		a.requests++
		a.answers[a.requests] = answer
		a.step(input(a.requests))
	})
	if stopped == nil {
		return node.Answer{}, errAgentDown
	}
	select {
	case got := <-answer:
		return got, nil
	case <-stopped:
		return node.Answer{}, errAgentDown
	case <-r.Context().Done():
		return node.Answer{}, r.Context().Err()
	}
}

func (a *Agent) hearExecutor(call *executorpb.Call) {
	if call.GetType() == executorpb.Call_HEARTBEAT {
		return
	}
	a.w.Logf(call.GetExecutorId().GetValue()+"@"+a.config.Name, "%s", describeExecutorCall(call))
	if a.config.Taps.ExecutorCalls != nil {
		a.config.Taps.ExecutorCalls(call)
	}
}

func (a *Agent) subscribe(w http.ResponseWriter, r *http.Request, call *executorpb.Call, accept wire.Codec) {
	s := &subscriber{executor: ids.ExecutorID(call.ExecutorId.GetValue()), codec: accept}
	var id node.StreamID
	var run int
	answer, err := a.ask(r, call, func(request node.RequestID) node.Input {
		id, run = node.StreamID(request), a.runs
		a.streams[id] = s
		return agentwire.SubscribeInput(request, id, call)
	})
	gone := func() {
		if a.runs == run && a.up {
			delete(a.streams, id)
			a.step(node.StreamClosed{Stream: id})
		}
	}
	if err != nil || answer.Status != http.StatusOK {
		a.w.Visit(0, gone)
		if err != nil {
			answer = node.Answer{Status: http.StatusServiceUnavailable, Text: err.Error()}
		}
		wire.Answer(w, answer.Status, answer.Text)
		return
	}
	stream, err := wire.Hold(w, r, wire.HoldOptions{Codec: accept, OnEnd: func(error) { a.w.Visit(0, gone) }})
	if err != nil {
		a.w.Visit(0, gone)
		return
	}
	a.w.Visit(0, func() { s.attach(stream) })
}

func (a *Agent) toExecutor(out node.ToExecutor) {
	s := a.streams[out.Stream]
	if s == nil {
		return
	}
	event := a.encoder.Event(out.Event)
	record, err := s.codec.Marshal(event)
	if err != nil {
		panic(fmt.Sprintf("stage: event: %v", err))
	}
	say := func() {
		a.w.Logf(a.config.Name, "→ %s: %s", s.executor, describeExecutorEvent(event))
		if a.config.Taps.ExecutorHears != nil {
			a.config.Taps.ExecutorHears(s.executor, event)
		}
		s.send(record)
	}
	if ack := event.GetAcknowledged(); ack != nil {
		task := ack.TaskId.GetValue()
		switch on := fate(a.config.Taps.Receipt, ids.TaskID(task)); {
		case on.Lost:
			a.w.Logf(a.config.Name, "an acknowledgement for task %s is lost on its way to %s", task, s.executor)
			return
		case on.Late > 0:
			a.after(on.Late, say)
			return
		}
	}
	say()
}
