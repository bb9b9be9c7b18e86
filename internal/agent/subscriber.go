package agent

import (
	"errors"
	"sync"
	"time"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
)

// executorHeartbeat is as rare as in Mesos: executors exist that know no such event.
const executorHeartbeat = 30 * time.Minute

// errReplaced is why a stream ends that the core ended.
var errReplaced = errors.New("the executor has a newer subscription, or is gone")

// subscriber is an executor at the other end of a stream. The core decides about a subscription before the
// answer can begin, and sends the first events with the decision: what comes before attach waits.
type subscriber struct {
	codec wire.Codec

	mu      sync.Mutex
	stream  *wire.Stream
	waiting [][]byte
	ended   error
}

// send encodes an event and queues it.
func (s *subscriber) send(event *executorpb.Event) {
	record, err := s.codec.Marshal(event)
	if err != nil {
		s.close(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
	case s.stream == nil:
		s.waiting = append(s.waiting, record)
	default:
		_ = s.stream.Send(record) // a stream that cannot take it has ended, and whoever holds it tells
	}
}

// over reports whether the stream has ended, or will never begin.
func (s *subscriber) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended != nil
}

// queued is the number of bytes that wait for the executor.
func (s *subscriber) queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == nil {
		return 0
	}
	return s.stream.Queued()
}

// attach begins the stream with what waits.
func (s *subscriber) attach(stream *wire.Stream) error {
	beat, err := s.codec.Marshal(heartbeat())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = stream
	for _, record := range s.waiting {
		_ = stream.Send(record)
	}
	s.waiting = nil
	if s.ended != nil {
		stream.Finish(s.ended)
		return nil
	}
	stream.Heartbeat(beat, executorHeartbeat, executorHeartbeat)
	return nil
}

// finish ends the stream behind what was sent.
func (s *subscriber) finish() {
	s.end(errReplaced, (*wire.Stream).Finish)
}

// close ends the stream at once.
func (s *subscriber) close(cause error) {
	s.end(cause, func(stream *wire.Stream, cause error) { stream.Close(cause) })
}

func (s *subscriber) end(cause error, how func(*wire.Stream, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	s.ended = cause
	if s.stream != nil {
		how(s.stream, cause)
	}
}
