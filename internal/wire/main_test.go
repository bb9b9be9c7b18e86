package wire

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for something that is certain to happen.
const patience = 10 * time.Second

// server serves handler on loopback until the test ends, and returns its
// "host:port".
func server(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(handler, slog.New(slog.DiscardHandler))
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// secureServer is server with TLS, and the configuration of its clients.
func secureServer(t testing.TB, handler http.HandlerFunc) (addr string, config *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(handler, slog.New(slog.DiscardHandler))
	s.StartTLS()
	t.Cleanup(s.Close)
	config = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	return s.Listener.Addr().String(), config
}

// rawConn is a client that writes and reads bytes.
type rawConn struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (c rawConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func dialRaw(t testing.TB, addr string) rawConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return raw(t, conn)
}

func raw(t testing.TB, conn net.Conn) rawConn {
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return rawConn{t, conn, bufio.NewReader(conn)}
}

func (c rawConn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// expect reads len(want) bytes, which should be want.
func (c rawConn) expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.in, got)
	if string(got[:n]) != want {
		c.t.Fatalf("read %q (%v), expected %q", got[:n], err, want)
	}
}

func (c rawConn) expectEOF() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Fatalf("read %q (%v), expected the end", rest, err)
	}
}

// head reads the head of a response.
func (c rawConn) head() string {
	c.t.Helper()
	var head string
	for {
		line, err := c.in.ReadString('\n')
		head += line
		if err != nil {
			c.t.Fatalf("head %q: %v", head, err)
		}
		if line == "\r\n" {
			return head
		}
	}
}

// wait waits for something that is certain to happen.
func wait(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s did not happen within %v", what, patience)
	}
}

func subscribeCall() *schedulerpb.Call {
	return &schedulerpb.Call{
		Type: schedulerpb.Call_SUBSCRIBE.Enum(),
		Subscribe: &schedulerpb.Call_Subscribe{FrameworkInfo: &mesos.FrameworkInfo{
			User: new("root"), Name: new("demo"), Roles: []string{"*"},
		}},
	}
}

func acknowledgeCall() *schedulerpb.Call {
	return &schedulerpb.Call{
		Type:        schedulerpb.Call_ACKNOWLEDGE.Enum(),
		FrameworkId: &mesos.FrameworkID{Value: new("ee22632d-1372-4f98-acef-856e53ddfd7e-0000")},
		Acknowledge: &schedulerpb.Call_Acknowledge{
			AgentId: &mesos.AgentID{Value: new("ee22632d-1372-4f98-acef-856e53ddfd7e-S0")},
			TaskId:  &mesos.TaskID{Value: new("task-1")},
			Uuid:    []byte("0123456789abcdef"),
		},
	}
}

// client is a client that is closed when the test ends.
func client(t testing.TB, opts ClientOptions) *Client {
	t.Helper()
	if opts.Path == "" {
		opts.Path = "/api/v1/scheduler"
	}
	if opts.Codec == 0 {
		opts.Codec = JSON
	}
	c, err := NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
