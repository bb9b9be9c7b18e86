package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/wire"
)

// TestConnections holds our master to what the recording says of connections, most of it in prose.
func TestConnections(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	st := s.subscribe(t, "08009066-222e-4b7e-8f5f-262018015a2a", 0, demo)
	sec := s.section(t, "Scheduler API: error answers", "Connection behaviour")
	s.play(t, sec, nil)

	t.Run("Connection: close", func(t *testing.T) {
		sec.says(t, "After `Connection: close` the server closed the connection; its answer had no Connection header: True.")
		c := s.dial(t, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		c.answer(t)
		c.ends(t)
	})
	t.Run("pipelining", func(t *testing.T) {
		sec.says(t, "Two pipelined `GET /health` requests on one connection were answered with 2 responses, in order, and the connection stayed open.")
		c := s.dial(t, strings.Repeat("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2))
		for range 2 {
			if got := c.answer(t); got.start != "HTTP/1.1 200 OK" {
				t.Errorf("got %s", got.start)
			}
		}
		c.stays(t)
	})
	t.Run("HTTP 1.0", func(t *testing.T) {
		sec.says(t, "HTTP/1.0 request: answered `HTTP/1.1 200 OK`, connection then closed.")
		c := s.dial(t, "GET /health HTTP/1.0\r\n\r\n")
		c.same(t, "HTTP/1.0", "HTTP/1.1 200 OK", c.answer(t).start)
		c.ends(t)
	})
	t.Run("not HTTP", func(t *testing.T) {
		sec.says(t, "Bytes that are not HTTP: answered `connection closed without an answer`.")
		c := s.dial(t, "\x00\x01\x02 nonsense\r\n\r\n")
		first, _, _ := strings.Cut(c.ends(t), "\r\n")
		c.same(t, "not HTTP", "", first)
	})
	t.Run("what is small is not compressed", func(t *testing.T) {
		sec.says(t, "With `Accept-Encoding: gzip`, GET_VERSION answers with headers `[('Date', ")
		const body = `{"type":"GET_VERSION"}`
		c := s.dial(t, fmt.Sprintf("POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Accept: application/json\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		if got := headerNames(c.answer(t)); got != "Content-Length, Content-Type, Date" {
			t.Errorf("headers are %s", got)
		}
	})

	const inJSON = `{"type":"SUBSCRI`
	for _, test := range []struct{ says, accept, contentType, first string }{
		{"SUBSCRIBE with JSON body and no Accept header: HTTP/1.1 200 OK, Content-Type `application/json`",
			"", "application/json", inJSON},
		{"SUBSCRIBE with JSON body and Accept `application/x-protobuf`: HTTP/1.1 200 OK, Content-Type `application/x-protobuf`, " +
			"first record 190 bytes, starts with bytes `08 01 12 b9 01 0a 2b 0a 29 30 38 30 30 39 30 36`",
			"application/x-protobuf", "application/x-protobuf", "\x08\x01\x12?\x01\x0a\x2b\x0a\x29" + st.framework[:7]},
		{"SUBSCRIBE with JSON body and Accept `*/*`: HTTP/1.1 200 OK, Content-Type `application/json`",
			"*/*", "application/json", inJSON},
		{"SUBSCRIBE with JSON body and Accept `application/json;q=0.5, application/x-protobuf`: HTTP/1.1 200 OK, Content-Type `application/json`",
			"application/json;q=0.5, application/x-protobuf", "application/json", inJSON},
	} {
		t.Run("Accept: "+strings.ReplaceAll(test.accept, "/", "_"), func(t *testing.T) {
			sec.says(t, test.says)
			head, record := s.firstRecord(t, test.accept)
			if contentType, _ := head.header("Content-Type"); head.start != "HTTP/1.1 200 OK" || contentType != test.contentType {
				t.Errorf("got %s, %s", head.start, contentType)
			}
			for i := range test.first {
				if test.first[i] != '?' && record[i] != test.first[i] { // a question mark stands for a length
					t.Fatalf("the first record begins with % x, expected % x", record[:len(test.first)], test.first)
				}
			}
		})
	}
}

// says stops a test that holds us to a sentence which the recording does not have.
func (s section) says(t *testing.T, sentence string) {
	t.Helper()
	if !strings.Contains(s.text, sentence) {
		t.Fatalf("%q does not say: %s", s.title, sentence)
	}
}

// connection is a connection to the master on which everything was sent.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func (s *session) dial(t *testing.T, text string) *connection {
	t.Helper()
	conn, err := net.Dial("tcp", s.servers[masterHost])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return &connection{conn, bufio.NewReader(conn)}
}

// answer is the next answer, which has a length.
func (c *connection) answer(t *testing.T) *message {
	t.Helper()
	m, err := readHead(c.in)
	if err == nil {
		err = m.readBody(c.in)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ends waits for the end of the connection and gives what came before.
func (c *connection) ends(t *testing.T) string {
	t.Helper()
	rest, err := io.ReadAll(c.in)
	if err != nil {
		t.Fatalf("%v, expected the end of the connection", err)
	}
	return string(rest)
}

// stays sees that nothing more happens.
func (c *connection) stays(t *testing.T) {
	t.Helper()
	c.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if b, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %q, %v; expected nothing", b, err)
	}
}

// same reports a difference that is not meant.
func (c *connection) same(t *testing.T, label, recorded, got string) {
	t.Helper()
	if recorded == got {
		return
	}
	for _, d := range unintended([]string{fmt.Sprintf("%s: recorded %q, got %q", label, recorded, got)}) {
		t.Error(d)
	}
}

// firstRecord subscribes in JSON and gives the first record of the answer.
func (s *session) firstRecord(t *testing.T, accept string) (*message, []byte) {
	t.Helper()
	const body = `{"type":"SUBSCRIBE","subscribe":{"framework_info":{` + demo + `}}}`
	if accept != "" {
		accept = "Accept: " + accept + "\r\n"
	}
	c := s.dial(t, fmt.Sprintf("POST /api/v1/scheduler HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s"+
		"Content-Length: %d\r\n\r\n%s", accept, len(body), body))
	head, err := readHead(c.in)
	if err != nil {
		t.Fatal(err)
	}
	record, err := wire.NewRecordReader(httputil.NewChunkedReader(c.in), 1<<20).Next()
	if err != nil {
		t.Fatal(err)
	}
	return head, bytes.Clone(record)
}
