package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

// serveExecutor is the executor API: POST /api/v1/executor.
func (a *agent) serveExecutor(w http.ResponseWriter, r *http.Request) {
	bearer, ok := a.tokens.bearer(w, r)
	if !ok {
		return
	}
	call := new(executorpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, a.config.MaxCallBytes)
	if !ok {
		return
	}
	if problem := a.tokens.speaksFor(bearer, call); problem != "" {
		wire.Answer(w, http.StatusForbidden, problem)
		return
	}
	if problem := callProblem(call); problem != "" {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate Executor::Call: "+problem)
		return
	}
	if call.GetType() == executorpb.Call_SUBSCRIBE {
		a.serveSubscribe(w, r, call, accept)
		return
	}
	in, err := a.callInput(call)
	if err != nil {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate Executor::Call: "+err.Error())
		return
	}
	if in == nil {
		wire.Answerf(w, http.StatusNotImplemented, "Call type %s is not implemented", call.GetType())
		return
	}
	answer, err := a.ask(r.Context(), delivery{in: in})
	if err != nil {
		unavailable(w, err)
		return
	}
	if answer.Status == http.StatusAccepted {
		wire.Accepted(w)
		return
	}
	wire.Answer(w, answer.Status, answer.Text)
}

// ask delivers an input and waits for its Answer.
func (a *agent) ask(ctx context.Context, d delivery) (node.Answer, error) {
	answer := make(chan node.Answer, 1)
	d.answer = answer
	if err := a.loop.deliver(ctx, d); err != nil {
		return node.Answer{}, err
	}
	select {
	case got := <-answer:
		return got, nil
	case <-ctx.Done():
		return node.Answer{}, context.Cause(ctx)
	case <-a.stopped:
		return node.Answer{}, errStopping
	}
}

func unavailable(w http.ResponseWriter, err error) {
	if errors.Is(err, errBusy) || errors.Is(err, errStopping) {
		wire.Answer(w, http.StatusServiceUnavailable, "Not taken: "+err.Error())
	} // otherwise the caller is gone
}

// callProblem says what is wrong with a call, before anything is known about its sender.
func callProblem(call *executorpb.Call) string {
	if call.Type == nil {
		return "Expecting 'type' to be present"
	}
	missing := func(name string) string { return "Expecting '" + name + "' to be present" }
	switch call.GetType() {
	case executorpb.Call_SUBSCRIBE:
		if call.Subscribe == nil {
			return missing("subscribe")
		}
		for _, u := range call.Subscribe.UnacknowledgedUpdates {
			if problem := statusProblem(call, u.Status); problem != "" {
				return problem
			}
		}
	case executorpb.Call_UPDATE:
		if call.Update == nil {
			return missing("update")
		}
		return statusProblem(call, call.Update.Status)
	case executorpb.Call_MESSAGE:
		if call.Message == nil {
			return missing("message")
		}
	}
	return ""
}

// statusProblem says what is wrong with an executor's status.
func statusProblem(call *executorpb.Call, s *mesos.TaskStatus) string {
	executor, framework := call.ExecutorId.GetValue(), call.FrameworkId.GetValue()
	switch {
	case s.Uuid == nil:
		return "Expecting 'uuid' to be present"
	case uuidOf(s.Uuid) == (node.UUID{}):
		return "Not a valid UUID"
	case s.ExecutorId != nil && s.ExecutorId.GetValue() != executor:
		return fmt.Sprintf("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s", executor, s.ExecutorId.GetValue())
	case s.GetSource() != mesos.TaskStatus_SOURCE_EXECUTOR:
		return fmt.Sprintf("Received Call from executor %s of framework %s with invalid source, expecting 'SOURCE_EXECUTOR'", executor, framework)
	case mesos.TaskState_name[int32(s.GetState())] == "":
		return fmt.Sprintf("Received the unknown state %d from executor %s of framework %s", s.GetState(), executor, framework)
	case s.GetState() == mesos.TaskState_TASK_STAGING:
		return fmt.Sprintf("Received TASK_STAGING from executor %s of framework %s which is not allowed", executor, framework)
	}
	return checkStatusProblem(s.CheckStatus)
}

// checkStatusProblem says what is wrong with what an executor says of a check.
func checkStatusProblem(c *mesos.CheckStatusInfo) string {
	if c == nil {
		return ""
	}
	for _, kind := range []struct {
		name  mesos.CheckInfo_Type
		there bool
		part  string
	}{
		{mesos.CheckInfo_COMMAND, c.Command != nil, "command"},
		{mesos.CheckInfo_HTTP, c.Http != nil, "http"},
		{mesos.CheckInfo_TCP, c.Tcp != nil, "tcp"},
	} {
		if c.GetType() == kind.name {
			if kind.there {
				return ""
			}
			return fmt.Sprintf("Expecting 'check_status.%s' to be present, as the type is %s", kind.part, kind.name)
		}
	}
	return "Expecting 'check_status.type' to be COMMAND, HTTP or TCP"
}

// callInput gives a valid call that is answered at once as the core understands it; nil if it is none.
func (a *agent) callInput(call *executorpb.Call) (node.Input, error) {
	request := node.RequestID(a.nextRequest.Add(1))
	framework, executor := ids.FrameworkID(call.FrameworkId.GetValue()), ids.ExecutorID(call.ExecutorId.GetValue())
	switch call.GetType() {
	case executorpb.Call_UPDATE:
		u, err := statusFrom(call.Update.Status)
		return node.ExecutorUpdates{Request: request, Framework: framework, Executor: executor, Update: u}, err
	case executorpb.Call_MESSAGE:
		return node.ExecutorSends{Request: request, Framework: framework, Executor: executor, Data: call.Message.Data}, nil
	case executorpb.Call_HEARTBEAT:
		return node.ExecutorBeats{Request: request, Framework: framework, Executor: executor}, nil
	}
	return nil, nil
}

// serveSubscribe asks the core for a stream, and holds it when it is granted.
func (a *agent) serveSubscribe(w http.ResponseWriter, r *http.Request, call *executorpb.Call, accept wire.Codec) {
	if accept == 0 {
		wire.NotAcceptable(w)
		return
	}
	in := node.ExecutorSubscribes{
		Request:   node.RequestID(a.nextRequest.Add(1)),
		Stream:    node.StreamID(a.nextStream.Add(1)),
		Framework: ids.FrameworkID(call.FrameworkId.GetValue()),
		Executor:  ids.ExecutorID(call.ExecutorId.GetValue()),
	}
	for _, t := range call.Subscribe.UnacknowledgedTasks {
		in.Tasks = append(in.Tasks, ids.TaskID(t.TaskId.GetValue()))
	}
	for _, u := range call.Subscribe.UnacknowledgedUpdates {
		update, err := statusFrom(u.Status)
		if err != nil {
			wire.Answer(w, http.StatusBadRequest, "Failed to validate Executor::Call: "+err.Error())
			return
		}
		in.Updates = append(in.Updates, update)
	}
	s := &subscriber{codec: accept}
	answer, err := a.ask(r.Context(), delivery{in: in, stream: s})
	switch {
	case err != nil:
		a.dropStream(in.Stream, s, err)
		unavailable(w, err)
	case answer.Status != http.StatusOK:
		a.dropStream(in.Stream, s, errors.New(answer.Text))
		wire.Answer(w, answer.Status, answer.Text)
	default:
		a.hold(w, r, in.Stream, s)
	}
}

// dropStream gives back a stream that does not come about.
func (a *agent) dropStream(id node.StreamID, s *subscriber, cause error) {
	s.close(cause)
	a.loop.back.put(node.StreamClosed{Stream: id})
}

// hold begins the stream and tells the core when it ends.
func (a *agent) hold(w http.ResponseWriter, r *http.Request, id node.StreamID, s *subscriber) {
	stream, err := wire.Hold(w, r, wire.HoldOptions{Codec: s.codec})
	if err != nil {
		a.dropStream(id, s, err)
		return
	}
	if err := s.attach(stream); err != nil {
		stream.Close(err)
	}
	a.watch.Go(func() {
		<-stream.Done()
		s.close(stream.Err())
		a.loop.back.put(node.StreamClosed{Stream: id})
	})
}
