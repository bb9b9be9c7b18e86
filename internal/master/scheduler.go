package master

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/google/uuid"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/wire"
)

// serveScheduler is the v1 scheduler API: POST /api/v1/scheduler.
func (m *Master) serveScheduler(w http.ResponseWriter, r *http.Request) {
	call := new(schedulerpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, m.config.MaxCallBytes)
	if !ok {
		return
	}
	if problem := clusterpb.CallProblem(call); problem != "" {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate scheduler::Call: "+problem)
		return
	}
	if call.GetType() == schedulerpb.Call_SUBSCRIBE {
		m.serveSubscribe(w, r, call, accept)
		return
	}
	body, err := clusterpb.CallFrom(call)
	if err != nil {
		wire.Answer(w, http.StatusNotImplemented, err.Error())
		return
	}
	answer := make(chan cluster.Answer, 1)
	err = m.loop.deliver(r.Context(), delivery{
		in: cluster.SchedulerCall{
			Framework: ids.FrameworkID(call.GetFrameworkId().GetValue()),
			Stream:    cluster.StreamID(r.Header.Get(wire.StreamIDHeader)),
			Call:      body,
		},
		answer: answer,
	})
	if err != nil {
		unavailable(w, err)
		return
	}
	select {
	case a := <-answer:
		if a.Code == cluster.Accepted {
			wire.Accepted(w)
		} else {
			wire.Answer(w, int(a.Code), a.Text)
		}
	case <-m.stopping:
		unavailable(w, errStopping)
	}
}

// unavailable answers a call that could not be put to the core.
func unavailable(w http.ResponseWriter, err error) {
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", "1")
	}
	wire.Answer(w, http.StatusServiceUnavailable, "Try again: "+err.Error())
}

func (m *Master) serveSubscribe(w http.ResponseWriter, r *http.Request, call *schedulerpb.Call, accept wire.Codec) {
	if r.Header.Get(wire.StreamIDHeader) != "" {
		wire.Answer(w, http.StatusBadRequest, "Subscribe calls should not include the 'Mesos-Stream-Id' header")
		return
	}
	id := cluster.StreamID(uuid.NewString())
	in := clusterpb.SubscribeFrom(id, call.Subscribe)
	info := in.Framework
	info.ID = cmp.Or(info.ID, "yet-unnamed")
	if err := registry.Check(change(cluster.AdmitFramework{Info: info})); err != nil {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate scheduler::Call: 'subscribe.framework_info': "+err.Error())
		return
	}
	known := make(chan struct{}) // closed when the core has been told of the stream, or never will be
	defer close(known)
	stream, err := wire.Hold(w, r, wire.HoldOptions{Codec: accept, StreamID: string(id), OnEnd: func(error) {
		m.attendants.hire(func() {
			<-known
			m.loop.deliverPatiently(m.lifetime, delivery{in: cluster.StreamClosed{Stream: id}})
		})
	}})
	if err != nil {
		m.log.Debug("subscription refused", "error", err)
		return
	}
	if err := m.loop.deliver(m.lifetime, delivery{in: in, stream: &subscriber{Stream: stream, codec: accept}}); err != nil {
		stream.Close(err)
	}
}
