package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long an answer or event may take. Recorded are much shorter times; but the machine that
// runs these tests may have much else to do, so tests ask only that nothing comes too early.
const patience = 30 * time.Second

// The servers of the recording.
const (
	masterHost = "127.0.0.1:15050"
	agentHost  = "127.0.0.1:15051"
)

// session plays the recorded calls of one part against our servers.
type session struct {
	servers map[string]string // addresses of ours by the recorded ones
	names   *names
	streams []*stream       // opened, oldest first
	open    []offer         // came and were not answered yet
	byHand  map[string]bool // recorded uuids that the recording or the test acknowledges itself
	agent   string          // the id of the cluster's agent, once an offer has named it

	subscription *message // the last request that opened a stream
}

func newSession(master, agent string) *session {
	return &session{servers: map[string]string{masterHost: master, agentHost: agent},
		names: &names{ours: map[string]string{}}, byHand: map[string]bool{}}
}

// exchange sends a recorded request and compares the answer.
func (s *session) exchange(request, want *message) (differences []string, err error) {
	if err := s.bindOffers(request.body); err != nil {
		return nil, err
	}
	server, _ := request.header("Host")
	conn, err := net.Dial("tcp", s.servers[server])
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
		s.streams = append(s.streams, follow(conn, in, got, server))
		s.subscription = request
	} else {
		defer conn.Close()
		if err := got.readBody(in); err != nil {
			return nil, fmt.Errorf("%s: %w", request.start, err)
		}
	}
	return unintended(s.compareAnswer(want, got)), nil
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
			value = s.servers[value]
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

// readBody reads a body that has a length.
func (m *message) readBody(in *bufio.Reader) error {
	length, _ := m.header("Content-Length")
	n, _ := strconv.Atoi(length)
	body := make([]byte, n)
	if _, err := io.ReadFull(in, body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	m.body = string(body)
	return nil
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

// close closes what is still open.
func (s *session) close() {
	for _, st := range s.streams {
		st.conn.Close()
	}
}

// call sends a scheduler's call that the recording does not show.
func (s *session) call(st *stream, body string) error {
	differences, err := s.exchange(&message{start: "POST /api/v1/scheduler HTTP/1.1", body: body, headers: []string{
		"Host: " + masterHost, "Content-Type: application/json", "Accept: application/json", "Mesos-Stream-Id: " + st.id, "Content-Length: 0"}},
		&message{start: "HTTP/1.1 202 Accepted", headers: []string{"Date: x", "Content-Length: 0"}})
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("%s: %s", body, differences[0])
	}
	return err
}

// acknowledge confirms an update on the recorded framework's behalf.
func (s *session) acknowledge(st *stream, status any) error {
	body, err := json.Marshal(map[string]any{"type": "ACKNOWLEDGE", "framework_id": map[string]any{"value": st.framework},
		"acknowledge": map[string]any{"agent_id": dig(status, "agent_id"), "task_id": dig(status, "task_id"), "uuid": dig(status, "uuid")}})
	if err != nil {
		return err
	}
	return s.call(st, string(body))
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
