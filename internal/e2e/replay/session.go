package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
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
	streams []*stream // opened, oldest first
}

// stream is an event stream that we hold open.
type stream struct {
	conn   net.Conn
	id     string // of the answer
	events chan any
	ended  chan string // how it ended
}

// exchange sends a recorded request and compares the answer.
func (s *session) exchange(request, want *message) (differences []string, err error) {
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

// compareAnswer compares status, headers with their order, and body.
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

// expect waits for an event of the recorded one's type and compares it. Heartbeats and offers come when
// they come and are passed over, unless they are what was recorded.
func (s *session) expect(st *stream, recorded string) ([]string, error) {
	var want any
	if err := json.Unmarshal([]byte(recorded), &want); err != nil {
		return nil, fmt.Errorf("recorded event: %w", err)
	}
	deadline := time.After(patience)
	for {
		select {
		case got, ok := <-st.events:
			if !ok {
				return nil, fmt.Errorf("the stream ended (%s) before %s", <-st.ended, kind(want))
			}
			if kind(got) != kind(want) {
				if k := kind(got); k != "HEARTBEAT" && k != "OFFERS" {
					return []string{fmt.Sprintf("recorded %s, got %s", text(want), text(got))}, nil
				}
				continue
			}
			return s.names.compare("", want, got), nil
		case <-deadline:
			return nil, fmt.Errorf("no %s within %s", kind(want), patience)
		}
	}
}

func kind(event any) string {
	m, _ := event.(map[string]any)
	k, _ := m["type"].(string)
	return k
}
