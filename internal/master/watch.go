package master

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/operator"
	"github.com/meseta/meseta/internal/wire"
)

const (
	// maxWatchers are the operators' streams that are held at the same time.
	maxWatchers = 1000

	// maxNews are the changes that wait for one of them to be encoded. What is encoded waits in the stream's own
	// queue.
	maxNews = 20_000
)

// watcher is an operator at the other end of a stream. The loop puts changes in and goes on; they are encoded
// here, beside it.
type watcher struct {
	*wire.Stream
	codec wire.Codec
	news  inbox[cluster.Change]
}

// serveWatch is the operator API's SUBSCRIBE. A stream that ends, ends for good: who missed something begins
// anew, with everything there is.
func (m *Master) serveWatch(w http.ResponseWriter, r *http.Request, accept wire.Codec) {
	if n := m.watching.Add(1); n > maxWatchers {
		m.watching.Add(-1)
		wire.Answerf(w, http.StatusServiceUnavailable, "%d streams of events are open, which is as many as the master holds", n-1)
		return
	}
	stream, err := wire.Hold(w, r, wire.HoldOptions{Codec: accept, OnEnd: func(error) { m.watching.Add(-1) }})
	if err != nil {
		m.watching.Add(-1)
		m.log.Debug("subscription of an operator refused", "error", err)
		return
	}
	watch := &watcher{Stream: stream, codec: accept, news: newInbox[cluster.Change]()}
	if !m.attendants.hire(func() { m.attend(watch) }) {
		stream.Close(errStopping)
	}
}

// attend tells a watcher all there is and then all that changes, until its stream or the master ends.
func (m *Master) attend(w *watcher) {
	view, err := m.loop.view(m.lifetime, w)
	if err != nil {
		w.Close(err)
		return
	}
	defer m.loop.deliverPatiently(m.lifetime, delivery{watch: w})
	w.send(operator.Subscribed(&view, heartbeatInterval))
	view = cluster.View{} // it may be large, and the stream may last
	w.Heartbeat(m.pulses[w.codec], heartbeatInterval, heartbeatInterval)
	for {
		select {
		case <-w.news.signal:
			for _, change := range w.news.take() {
				w.send(operator.EventOf(change))
			}
		case <-w.Done():
			return
		case <-m.stopping:
			w.Close(context.Cause(m.lifetime))
			return
		}
	}
}

// tell puts a change into the watcher's queue. One that does not keep up loses its stream.
func (w *watcher) tell(change cluster.Change) {
	if w.Err() != nil {
		return
	}
	if n := w.news.put(change); n > maxNews {
		w.Close(fmt.Errorf("%w: %d changes wait for it", wire.ErrSlowConsumer, n))
	}
}

func (w *watcher) send(event proto.Message) {
	record, err := w.codec.Marshal(event)
	if err != nil {
		w.Close(err)
		return
	}
	if w.Send(record) != nil {
		return // the stream has ended, and attend sees that
	}
}
