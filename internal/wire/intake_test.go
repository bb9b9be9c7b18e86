package wire

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// limited serves calls with small limits.
func limited(t *testing.T, connections int, bytes int64) string {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(nil, slog.New(slog.DiscardHandler))
	s.Config.ConnState = (&visitors{most: connections}).changed
	s.Config.Handler = &intake{most: bytes, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := DecodeCall(w, r, new(schedulerpb.Call), 1<<20); ok {
			Accepted(w)
		}
	})}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const callHead = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"

func TestBodiesTogetherAreBounded(t *testing.T) {
	address := limited(t, 100, 1000)
	small := fmt.Sprintf(callHead, 2, "{}")
	held := dialRaw(t, address)
	held.send(fmt.Sprintf(callHead, 990, "{"+strings.Repeat(" ", 899))) // 900 of 990 bytes
	expectStatus := func(request, status string) {
		t.Helper()
		c := dialRaw(t, address)
		c.send(request)
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 "+status) {
			t.Errorf("answered %q, want %s", head, status)
		}
	}
	for !refusedWith(t, address, fmt.Sprintf(callHead, 200, "{}"+strings.Repeat(" ", 198)), "503") {
	}
	expectStatus(small, "202")
	held.send("}" + strings.Repeat(" ", 89))
	if head := held.head(); !strings.HasPrefix(head, "HTTP/1.1 202") {
		t.Errorf("the call that was there first is answered %q", head)
	}
	for refusedWith(t, address, fmt.Sprintf(callHead, 900, "{}"+strings.Repeat(" ", 898)), "503") { // until the handler has returned
	}
}

// refusedWith sends a call and reports whether it is answered with that status.
func refusedWith(t *testing.T, address, request, status string) bool {
	t.Helper()
	c := dialRaw(t, address)
	defer c.Conn.Close()
	c.send(request)
	head := c.head()
	if strings.HasPrefix(head, "HTTP/1.1 503") && !strings.Contains(head, "Retry-After: 1") {
		t.Errorf("503 without Retry-After: %q", head)
	}
	return strings.HasPrefix(head, "HTTP/1.1 "+status)
}

func TestConnectionsAreBounded(t *testing.T) {
	address := limited(t, 2, 1000)
	for range 2 {
		dialRaw(t, address).expectAnswer(t, fmt.Sprintf(callHead, 2, "{}"))
	}
	third := dialRaw(t, address)
	answer, err := http.ReadResponse(third.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusServiceUnavailable || string(text) != "Try again: there are too many connections here" {
		t.Errorf("one too many is answered %s %q", answer.Status, text)
	}
}

// expectAnswer sends a call that is taken, and stays.
func (c rawConn) expectAnswer(t *testing.T, request string) {
	t.Helper()
	c.send(request)
	if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 202") {
		t.Errorf("answered %q, want 202", head)
	}
}
