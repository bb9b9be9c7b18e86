package stage

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/wire"
)

// maxCall bounds the body of a call.
const maxCall = 64 << 20

// Why streams end.
var (
	errDead     = errors.New("the process is dead")
	errFinished = errors.New("finished by the server")
)

// stream is a scheduler at the other end of a subscription.
type stream struct {
	*wire.Stream
	id        cluster.StreamID
	codec     wire.Codec
	framework ids.FrameworkID // empty until SUBSCRIBED
}

func (c *Cluster) routes() http.Handler {
	r := wire.NewRouter("master")
	r.Handle("/api/v1/scheduler", c.serveScheduler)
	return r
}

// serveScheduler is the v1 scheduler API.
func (c *Cluster) serveScheduler(w http.ResponseWriter, r *http.Request) {
	call := new(schedulerpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, maxCall)
	if !ok {
		return
	}
	if problem := clusterpb.CallProblem(call); problem != "" {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate scheduler::Call: "+problem)
		return
	}
	if call.GetType() == schedulerpb.Call_SUBSCRIBE {
		c.subscribe(w, r, call, accept)
		return
	}
	seen := proto.CloneOf(call) // before its tasks are taken over
	body, err := clusterpb.CallFrom(call)
	if err != nil {
		wire.Answer(w, http.StatusNotImplemented, err.Error())
		return
	}
	answer := cluster.Answer{Code: http.StatusServiceUnavailable, Text: "no master leads"}
	c.World.Visit(callTime+turnOf(r.RemoteAddr), func() {
		if c.master != nil {
			answer = c.master.call(cluster.StreamID(r.Header.Get(wire.StreamIDHeader)), seen, body)
		}
	})
	if answer.Code == cluster.Accepted {
		wire.Accepted(w)
		return
	}
	wire.Answer(w, int(answer.Code), answer.Text)
}

// call puts a call to the core.
func (m *master) call(id cluster.StreamID, call *schedulerpb.Call, body cluster.Call) (answer cluster.Answer) {
	framework := ids.FrameworkID(call.GetFrameworkId().GetValue())
	in := cluster.SchedulerCall{Framework: framework, Stream: id, Call: body}
	if call.GetType() == schedulerpb.Call_ACKNOWLEDGE {
		task := call.Acknowledge.TaskId.GetValue()
		switch on := fate(m.c.Taps.Acknowledgement, ids.TaskID(task)); {
		case on.Lost:
			m.w.Logf("master", "an acknowledgement for task %s is lost", task)
			return cluster.Answer{Code: cluster.Accepted}
		case on.Late > 0:
			m.w.Logf("master", "an acknowledgement for task %s takes %v", task, on.Late)
			m.w.after(on.Late, func() { m.put(in, call) })
			return cluster.Answer{Code: cluster.Accepted}
		}
	}
	return m.put(in, call)
}

func (m *master) put(in cluster.SchedulerCall, call *schedulerpb.Call) (answer cluster.Answer) {
	m.w.Logf(string(in.Framework), "%s", describeCall(call))
	if m.c.Taps.SchedulerCalls != nil {
		m.c.Taps.SchedulerCalls(in.Framework, call)
	}
	m.step(in, func(a cluster.Answer) { answer = a })
	if answer.Code != cluster.Accepted {
		m.w.Logf("master", "refuses %s: %s", call.GetType(), answer.Text)
	}
	return answer
}

// subscribe holds a stream.
func (c *Cluster) subscribe(w http.ResponseWriter, r *http.Request, call *schedulerpb.Call, accept wire.Codec) {
	var m *master
	var id cluster.StreamID
	c.World.Visit(callTime+turnOf(r.RemoteAddr), func() {
		if m = c.master; m != nil {
			m.nextStream++
			id = cluster.StreamID(fmt.Sprintf("%s-stream-%d", m.leader.MasterID, m.nextStream))
		}
	})
	if m == nil {
		wire.Answer(w, http.StatusServiceUnavailable, "no master leads")
		return
	}
	known := make(chan struct{}) // closed when the core has been told of the stream
	defer close(known)
	held, err := wire.Hold(w, r, wire.HoldOptions{Codec: accept, StreamID: string(id), OnEnd: func(error) {
		<-known
		c.World.Visit(0, func() { m.streamClosed(id) })
	}})
	if err != nil {
		return
	}
	c.World.Visit(0, func() {
		if m.dead {
			held.Close(errDead)
			return
		}
		m.streams[id] = &stream{Stream: held, id: id, codec: accept}
		m.step(clusterpb.SubscribeFrom(id, call.Subscribe), nil)
	})
}

func (m *master) streamClosed(id cluster.StreamID) {
	if s := m.streams[id]; s != nil && s.framework != "" && !m.dead {
		m.w.Logf(string(s.framework), "is disconnected")
	}
	delete(m.streams, id)
	m.step(cluster.StreamClosed{Stream: id}, nil)
}

func (m *master) send(out cluster.Send) {
	s := m.streams[out.Stream]
	if s == nil {
		return
	}
	event := clusterpb.EventTo(out.Event, &m.greeting)
	if subscribed := event.GetSubscribed(); subscribed != nil {
		s.framework = ids.FrameworkID(subscribed.FrameworkId.GetValue())
	}
	m.sendTo(s, event)
	if event.GetType() == schedulerpb.Event_SUBSCRIBED {
		beat, err := s.codec.Marshal(&schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()})
		if err != nil {
			panic(fmt.Sprintf("stage: heartbeat: %v", err))
		}
		s.Heartbeat(beat, 0, heartbeatInterval)
	}
}

func (m *master) sendTo(s *stream, event *schedulerpb.Event) {
	record, err := s.codec.Marshal(event)
	if err != nil {
		panic(fmt.Sprintf("stage: event: %v", err))
	}
	m.w.Logf("master", "→ %s: %s", s.name(), describeEvent(event))
	if s.Send(record) == nil && m.c.Taps.SchedulerHears != nil {
		m.c.Taps.SchedulerHears(s.framework, event)
	}
}

func (s *stream) name() string {
	if s.framework == "" {
		return "a scheduler"
	}
	return string(s.framework)
}

// Fail ends every subscription with an ERROR event.
func (c *Cluster) Fail(message string) {
	c.World.Do(func() {
		m := c.master
		if m == nil {
			return
		}
		for _, id := range slices.Sorted(maps.Keys(m.streams)) {
			s := m.streams[id]
			m.sendTo(s, &schedulerpb.Event{Type: schedulerpb.Event_ERROR.Enum(), Error: &schedulerpb.Event_Error{Message: &message}})
			s.Finish(errFinished)
		}
	})
}

// Disconnect breaks every connection of a scheduler, and for a while takes no new one.
func (c *Cluster) Disconnect(name string, d time.Duration) {
	c.World.Do(func() {
		c.World.Logf(name, "loses its connections for %v", d)
		c.World.Net.Shut(name)
		c.World.after(d, func() { c.World.Net.Open(name) })
	})
}
