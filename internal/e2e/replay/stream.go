package replay

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/wire"
)

// stream is an event stream that we hold open.
type stream struct {
	conn      net.Conn
	server    string // that it was opened at, as recorded
	id        string // of the answer
	framework string // ours, that a scheduler's is for
	events    chan any
	early     []any       // offers that came before the recording has them
	ended     chan string // how it ended
}

// follow reads a stream's events until it ends.
func follow(conn net.Conn, in *bufio.Reader, head *message, server string) *stream {
	st := &stream{conn: conn, server: server, events: make(chan any, 1000), ended: make(chan string, 1)}
	st.id, _ = head.header("Mesos-Stream-Id")
	go func() {
		defer close(st.events)
		records := wire.NewRecordReader(httputil.NewChunkedReader(in), 1<<24)
		for {
			record, err := records.Next()
			if err == io.EOF {
				st.ended <- "zero chunk"
				return
			}
			if err != nil {
				st.ended <- err.Error()
				return
			}
			var event any
			if err := json.Unmarshal(record, &event); err != nil {
				st.ended <- fmt.Sprintf("record %q: %v", record, err)
				return
			}
			if id, ok := dig(event, "subscribed", "framework_id", "value").(string); ok {
				st.framework = id
			}
			st.events <- event
		}
	}()
	return st
}

// newest is the stream that was opened last at a server.
func (s *session) newest(server string) *stream { return s.nth(server, 1) }

// nth is the n-th youngest stream of a server.
func (s *session) nth(server string, n int) *stream {
	for i := len(s.streams) - 1; i >= 0; i-- {
		if s.streams[i].server == server {
			if n--; n == 0 {
				return s.streams[i]
			}
		}
	}
	panic(fmt.Sprintf("replay: the recording has fewer streams of %s", server))
}

// streamOf is the stream that a recorded event or fate is about: the newest, unless the recording says
// otherwise, of the server that sends such events.
func (s *session) streamOf(it item, event any) *stream {
	caption := strings.ToLower(it.caption)
	server := s.streams[len(s.streams)-1].server
	switch kind(event) {
	case "LAUNCH", "KILL", "SHUTDOWN", "ACKNOWLEDGED":
		server = agentHost
	case "OFFERS", "RESCIND", "UPDATE", "FAILURE", "ERROR":
		server = masterHost
	case "MESSAGE":
		server = agentHost
		if dig(event, "message", "agent_id") != nil {
			server = masterHost
		}
	}
	if strings.Contains(caption, "old connection") || strings.Contains(caption, "first connection") {
		return s.nth(server, 2)
	}
	return s.newest(server)
}

// expect waits for an event of the recorded one's type and compares it. Heartbeats and offers come when
// they come and are passed over, unless they are what was recorded.
func (s *session) expect(it item) ([]string, error) {
	var want any
	if err := json.Unmarshal([]byte(it.event), &want); err != nil {
		return nil, fmt.Errorf("recorded event: %w", err)
	}
	st := s.streamOf(it, want)
	if kind(want) == "OFFERS" && len(st.early) > 0 {
		got := st.early[0]
		st.early = st.early[1:]
		return s.compareEvents(want, got), nil
	}
	for deadline := time.After(patience); ; {
		select {
		case got, ok := <-st.events:
			if !ok {
				return nil, fmt.Errorf("the stream ended (%s) before %s", <-st.ended, kind(want))
			}
			s.noteOffers(got)
			if kind(got) == kind(want) {
				return s.compareEvents(want, got), s.acknowledgeLike(st, want, got)
			}
			switch kind(got) {
			case "HEARTBEAT", "RESCIND":
			case "OFFERS":
				st.early = append(st.early, got)
			default:
				return []string{fmt.Sprintf("recorded %s, got %s", text(want), text(got))}, nil
			}
		case <-deadline:
			return nil, fmt.Errorf("no %s within %s", kind(want), patience)
		}
	}
}

// acknowledgeLike acknowledges an update as the recorded framework did, unless that is shown.
func (s *session) acknowledgeLike(st *stream, want, got any) error {
	recorded, _ := dig(want, "update", "status", "uuid").(string)
	if recorded == "" || s.byHand[recorded] {
		return nil
	}
	return s.acknowledge(st, dig(got, "update", "status"))
}

// compareEvents gives what differs in two events and is not meant to.
func (s *session) compareEvents(want, got any) []string {
	label := kind(want)
	for _, member := range []string{"update", "task_updated"} {
		if status := dig(want, member, "status"); status != nil {
			label = fmt.Sprint(label, " ", dig(status, "task_id", "value"), " ", dig(status, "state"))
		}
	}
	return unintended(s.names.compare(label, want, got))
}

// shareFate gives how a stream fares differently from what is recorded.
func (s *session) shareFate(it item) []string {
	wait := patience
	if it.fate == stillOpen {
		wait = 100 * time.Millisecond // nothing should happen
	}
	got := stillOpen
	select {
	case got = <-s.streamOf(it, nil).ended:
	case <-time.After(wait):
	}
	if got == it.fate {
		return nil
	}
	return unintended([]string{fmt.Sprintf("%s, got %s: %s", it.fate, got, it.caption)})
}

func kind(event any) string {
	m, _ := event.(map[string]any)
	k, _ := m["type"].(string)
	return k
}
