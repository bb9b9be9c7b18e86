package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/wire"
)

// patience is how long an answer or event may take.
const patience = 15 * time.Second

// session plays the recorded calls of one part against a server.
type session struct {
	address string
	names   *names
	streams []*stream       // opened, oldest first
	open    []offer         // came and were not answered yet
	byHand  map[string]bool // recorded uuids that the recording acknowledges itself
	agent   string          // the id of the cluster's agent, once an offer has named it
}

// offer is an offer of ours.
type offer struct {
	id   string
	cpus float64
}

// stream is an event stream that we hold open.
type stream struct {
	conn      net.Conn
	id        string // of the answer
	framework string // ours, that it is for
	events    chan any
	early     []any       // offers that came before the recording has them
	ended     chan string // how it ended
}

// exchange sends a recorded request and compares the answer.
func (s *session) exchange(request, want *message) (differences []string, err error) {
	if err := s.bindOffers(request.body); err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(s.encode(request)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	got, err := readHead(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", request.start, err)
	}
	if te, _ := got.header("Transfer-Encoding"); te == "chunked" {
		conn.SetDeadline(time.Time{})
		s.follow(conn, in, got)
	} else {
		defer conn.Close()
		length, _ := got.header("Content-Length")
		n, _ := strconv.Atoi(length)
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, fmt.Errorf("%s: body: %w", request.start, err)
		}
		got.body = string(body)
	}
	return s.compareAnswer(want, got), nil
}

// encode gives a recorded request as bytes for our server.
func (s *session) encode(m *message) []byte {
	body := []byte(s.names.translate(m.body))
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil && len(body) > 160 { // laid out for reading
		body = compact.Bytes()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\r\n", s.names.translate(m.start))
	for _, h := range m.headers {
		name, value, _ := strings.Cut(h, ": ")
		switch name {
		case "Host":
			value = s.address
		case "Content-Length":
			value = strconv.Itoa(len(body))
		default:
			value = s.names.translate(value)
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

func readHead(in *bufio.Reader) (*message, error) {
	var m message
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case m.start == "":
			m.start = line
		case line == "":
			return &m, nil
		default:
			m.headers = append(m.headers, line)
		}
	}
}

// compareAnswer compares status, headers and body.
func (s *session) compareAnswer(want, got *message) (differences []string) {
	if want.start != got.start {
		differences = append(differences, fmt.Sprintf("recorded %q, got %q with body %q", want.start, got.start, got.body))
	}
	if w, g := headerNames(want), headerNames(got); w != g {
		differences = append(differences, fmt.Sprintf("recorded headers %s, got %s", w, g))
	}
	if id, ok := want.header("Mesos-Stream-Id"); ok {
		ours, _ := got.header("Mesos-Stream-Id")
		s.names.ours[id] = ours
	}
	w, _ := want.header("Content-Type")
	if g, _ := got.header("Content-Type"); w != g {
		differences = append(differences, fmt.Sprintf("recorded Content-Type %q, got %q", w, g))
	}
	if strings.HasPrefix(w, "text/plain") || w == "" {
		if body := s.names.translate(want.body); body != got.body {
			differences = append(differences, fmt.Sprintf("recorded body %q, got %q", body, got.body))
		}
	}
	return differences
}

func headerNames(m *message) string {
	var names []string
	for _, h := range m.headers {
		name, _, _ := strings.Cut(h, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// follow reads a stream's events until it ends.
func (s *session) follow(conn net.Conn, in *bufio.Reader, head *message) {
	st := &stream{conn: conn, events: make(chan any, 1000), ended: make(chan string, 1)}
	st.id, _ = head.header("Mesos-Stream-Id")
	s.streams = append(s.streams, st)
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
}

// close closes what is still open.
func (s *session) close() {
	for _, st := range s.streams {
		st.conn.Close()
	}
}

// offerID finds the recorded offers in a request.
var offerID = regexp.MustCompile(`[0-9a-f-]{36}-O\d+`)

// bindOffers finds offers of ours for those that a request names and the recording never showed: the
// largest that is open.
func (s *session) bindOffers(body string) error {
	for _, recorded := range offerID.FindAllString(body, -1) {
		if s.names.ours[recorded] == "" {
			if len(s.open) == 0 {
				if err := s.awaitOffers(s.streams[len(s.streams)-1]); err != nil {
					return err
				}
			}
			s.names.ours[recorded] = slices.MaxFunc(s.open, func(a, b offer) int { return cmp.Compare(a.cpus, b.cpus) }).id
		}
		s.open = slices.DeleteFunc(s.open, func(o offer) bool { return o.id == s.names.ours[recorded] })
	}
	return nil
}

func (s *session) awaitOffers(st *stream) error {
	for deadline := time.After(patience); len(s.open) == 0; {
		select {
		case e, ok := <-st.events:
			if !ok {
				return fmt.Errorf("the stream ended (%s) before offers came", <-st.ended)
			}
			s.noteOffers(e)
		case <-deadline:
			return fmt.Errorf("no offers within %s", patience)
		}
	}
	return nil
}

// noteOffers keeps the offers of an event for later.
func (s *session) noteOffers(event any) {
	if kind(event) != "OFFERS" {
		return
	}
	for _, o := range dig(event, "offers", "offers").([]any) {
		one := offer{id: dig(o, "id", "value").(string)}
		s.agent, _ = dig(o, "agent_id", "value").(string)
		for _, r := range dig(o, "resources").([]any) {
			if dig(r, "name") == "cpus" {
				one.cpus, _ = dig(r, "scalar", "value").(float64)
			}
		}
		s.open = append(s.open, one)
	}
}

// dig follows a path of members; nil where it ends.
func dig(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// acknowledge confirms an update on the recorded framework's behalf.
func (s *session) acknowledge(st *stream, framework string, status any) error {
	body, err := json.Marshal(map[string]any{"type": "ACKNOWLEDGE", "framework_id": map[string]any{"value": framework},
		"acknowledge": map[string]any{"agent_id": dig(status, "agent_id"), "task_id": dig(status, "task_id"), "uuid": dig(status, "uuid")}})
	if err != nil {
		return err
	}
	return s.call(st, string(body))
}

// call sends a call that the recording does not show.
func (s *session) call(st *stream, body string) error {
	differences, err := s.exchange(&message{start: "POST /api/v1/scheduler HTTP/1.1", body: body, headers: []string{
		"Host: x", "Content-Type: application/json", "Accept: application/json", "Mesos-Stream-Id: " + st.id, "Content-Length: 0"}},
		&message{start: "HTTP/1.1 202 Accepted", headers: []string{"Date: x", "Content-Length: 0"}})
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("%s: %s", body, differences[0])
	}
	return err
}

// expect waits for an event of the recorded one's type and compares it. Heartbeats and offers come when
// they come and are passed over, unless they are what was recorded.
func (s *session) expect(st *stream, recorded string) ([]string, error) {
	var want any
	if err := json.Unmarshal([]byte(recorded), &want); err != nil {
		return nil, fmt.Errorf("recorded event: %w", err)
	}
	if kind(want) == "OFFERS" && len(st.early) > 0 {
		got := st.early[0]
		st.early = st.early[1:]
		return s.names.compare("", want, got), nil
	}
	deadline := time.After(patience)
	for {
		select {
		case got, ok := <-st.events:
			if !ok {
				return nil, fmt.Errorf("the stream ended (%s) before %s", <-st.ended, kind(want))
			}
			if kind(got) != kind(want) {
				if k := kind(got); k != "HEARTBEAT" && k != "OFFERS" && k != "RESCIND" {
					return []string{fmt.Sprintf("recorded %s, got %s", text(want), text(got))}, nil
				}
				if kind(got) == "OFFERS" {
					st.early = append(st.early, got)
				}
				s.noteOffers(got)
				continue
			}
			if kind(want) == "OFFERS" {
				s.noteOffers(got)
				return s.names.compare("", want, got), nil
			}
			differences := s.names.compare("", want, got)
			if dig(want, "update", "status", "state") == "TASK_STARTING" {
				differences = withoutPID(differences)
			}
			recorded, _ := dig(want, "update", "status", "uuid").(string)
			if recorded != "" && !s.byHand[recorded] {
				if err := s.acknowledge(st, st.framework, dig(got, "update", "status")); err != nil {
					return differences, err
				}
			}
			return differences, nil
		case <-deadline:
			return nil, fmt.Errorf("no %s within %s", kind(want), patience)
		}
	}
}

// withoutPID passes over a missing executor_pid: ours is that of the command itself, which is not there
// before it is started (docs/differences.md).
func withoutPID(differences []string) []string {
	return slices.DeleteFunc(differences, func(d string) bool { return strings.HasSuffix(d, "executor_pid is missing") })
}

func kind(event any) string {
	m, _ := event.(map[string]any)
	k, _ := m["type"].(string)
	return k
}
