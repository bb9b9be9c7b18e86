package supervisor_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/protocol"
	"github.com/meseta/meseta/internal/container/supervisor"
)

// What comes over the socket cannot hurt.

// dial connects without a Client, and without a Hello.
func (h *host) dial() *net.UnixConn {
	h.t.Helper()
	dir, err := os.Open(h.dir) // its name may be longer than the address of a socket
	if err != nil {
		h.t.Fatal(err)
	}
	defer dir.Close()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d/socket", dir.Fd()), Net: "unix"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

func (h *host) answers() {
	h.t.Helper()
	if _, err := h.List(h.ctx); err != nil {
		h.t.Errorf("the supervisor does not answer others any more: %v", err)
	}
}

func TestMalformedRequestsEndTheirConnectionOnly(t *testing.T) {
	h := start(t)
	hello := protocol.AppendHello(nil, 1, protocol.Hello{Version: 1})
	for name, data := range map[string][]byte{
		"no hello":        protocol.AppendList(nil, 1),
		"too long":        slices.Concat(hello, []byte{0xff, 0xff, 0xff, 0xff, 2, 2}),
		"empty frame":     slices.Concat(hello, []byte{0, 0, 0, 0}),
		"no request":      slices.Concat(hello, []byte{1, 0, 0, 0, 2}),
		"cut field":       slices.Concat(hello, protocol.AppendFrame(nil, protocol.KindLaunch, 2, func(b []byte) []byte { return append(b, 1, 200) })),
		"http":            []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"malformed hello": protocol.AppendFrame(nil, protocol.KindHello, 1, func(b []byte) []byte { return append(b, 1, 200) }),
	} {
		c := h.dial()
		c.Write(data)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open", name)
		}
	}
	h.answers()
}

func TestARequestOfTheFutureIsRefusedInWords(t *testing.T) {
	h := start(t)
	c := h.dial()
	c.Write(protocol.AppendHello(nil, 1, protocol.Hello{Version: 99}))
	c.Write(protocol.AppendFrame(nil, 50, 2, nil))
	frames := protocol.NewReader(c)
	for request := uint64(1); request <= 2; request++ {
		frame, err := frames.Read()
		if err != nil {
			t.Fatal(err)
		}
		a, err := protocol.DecodeAnswer(frame.Body)
		if err != nil || frame.Request != request {
			t.Fatalf("answer to %d, %v; expected %d", frame.Request, err, request)
		}
		if request == 1 && (a.Hello == nil || a.Hello.Version != protocol.Version) {
			t.Errorf("to hello: %+v", a)
		}
		if request == 2 && !errors.Is(a.Err, container.ErrUnsupported) {
			t.Errorf("to the unknown: %v, expected ErrUnsupported", a.Err)
		}
	}
}

func TestAnInvalidSpecThatAClientDidNotCheckIsRefused(t *testing.T) {
	h := start(t)
	c := h.dial()
	c.Write(protocol.AppendHello(nil, 1, protocol.Hello{Version: 1}))
	c.Write(protocol.AppendLaunch(nil, 2, &container.Spec{ID: "../../x", Argv: []string{"true"}, Dir: "/"}))
	frames := protocol.NewReader(c)
	frames.Read()
	frame, err := frames.Read()
	if err != nil {
		t.Fatal(err)
	}
	if a, err := protocol.DecodeAnswer(frame.Body); err != nil || !errors.Is(a.Err, container.ErrInvalid) {
		t.Errorf("got %+v, %v; expected ErrInvalid", a, err)
	}
}

func TestAClientThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	h := start(t)
	c := h.dial()
	c.Write(protocol.AppendHello(nil, 1, protocol.Hello{Version: 1}))
	requests := []byte{}
	for i := range uint64(1000) {
		requests = protocol.AppendList(requests, i+2)
	}
	h.launch(h.shell("a", "exec sleep "+mark()))
	c.SetDeadline(time.Now().Add(500 * time.Millisecond))
	for { // until the supervisor has stopped reading
		if _, err := c.Write(requests); err != nil {
			break
		}
	}
	h.answers()
	if err := h.Kill(h.ctx, "a", 0); err != nil {
		t.Fatal(err)
	}
	h.wait("a")
}

func TestConnectionsThatSayNothingEndWithTheSupervisor(t *testing.T) {
	h := start(t)
	for range 10 {
		h.dial()
	}
	h.answers()
	h.stop()
}

func TestASupervisorOfVersion1IsNotAskedForWhatItWouldPassOver(t *testing.T) {
	dir, err := os.MkdirTemp("", "v1") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	listener, err := net.Listen("unix", dir+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer func() { <-done }()
	defer listener.Close()
	go func() {
		defer close(done)
		old, err := listener.Accept()
		if err != nil {
			return
		}
		defer old.Close()
		protocol.NewReader(old).Read() // its Hello: an answer before that is not heard
		old.Write(protocol.AppendAnswer(nil, 1, &protocol.Answer{Hello: &protocol.ServerHello{Version: 1}}))
		io.Copy(io.Discard, old)
	}()
	c, err := supervisor.Connect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, ask := range map[string]func(*container.Spec){
		"program":      func(s *container.Spec) { s.Program = "/bin/busybox" },
		"capabilities": func(s *container.Spec) { s.Capabilities = new(container.RootCapabilities) },
		"binds": func(s *container.Spec) {
			s.Namespaces, s.Binds = container.NamespaceMount, []container.Bind{{Source: "/", Target: "/mnt"}}
		},
	} {
		spec := container.Spec{ID: "a", Argv: []string{"ls"}, Dir: "/"}
		ask(&spec)
		if _, err := c.Launch(t.Context(), spec); !errors.Is(err, container.ErrUnsupported) {
			t.Errorf("%s: got %v, expected ErrUnsupported", name, err)
		}
	}
}
