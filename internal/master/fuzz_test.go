package master

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/internal/registry/registrytest"
	"github.com/meseta/meseta/internal/wire"
	"github.com/meseta/meseta/internal/wire/wiretest"
)

// startInMemory runs a master whose registry is in memory, for tests that ask it much.
func startInMemory(t testing.TB, log *slog.Logger) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	config := Config{WorkDir: t.TempDir(), MaxCompletedFrames: 1, Ready: func(a string) { ready <- a }}
	config.setDefaults()
	go func() { ended <- lead(ctx, config, log, listener, registrytest.NewStore("c").Join()) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the master ended: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return <-ready
}

// answersStill fails unless the master's loop gives a view of the cluster.
func answersStill(t *testing.T, address string) {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Post("http://"+address+"/api/v1", "application/json", strings.NewReader(`{"type":"GET_AGENTS"}`))
	if err != nil {
		t.Fatalf("the master does not answer any more: %v", err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("GET_AGENTS is answered %s afterwards, want 200", answer.Status)
	}
}

// FuzzHTTP sends requests of any kind to a whole master.
func FuzzHTTP(f *testing.F) {
	wiretest.Seed(f, "../e2e/replay/testdata/recorded.md")
	for _, head := range []string{
		"GET /health HTTP/1.1\r\nHost: h", "HEAD /master/version HTTP/1.0", "GET /redirect HTTP/1.1\r\nHost: h",
		"POST /master/api/v1/operator HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAccept: application/x-protobuf",
		"GET /agent-link HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: " + linkProtocol,
	} {
		f.Add(head, []byte(`{"type":"GET_STATE"}`))
	}
	log := wiretest.NewLog()
	address := startInMemory(f, slog.New(log))
	f.Fuzz(func(t *testing.T, head string, body []byte) {
		wiretest.Ask(t, address, head, body)
		log.Check(t)
		answersStill(t, address)
	})
}

// FuzzAgentLink says anything on an agent link: first as what opens it, then as what follows. It does not
// know the session's number, so that comes from outside.
func FuzzAgentLink(f *testing.F) {
	hello, err := proto.Marshal(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: &linkpb.Subscribe{Version: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hello, []byte{})
	ping, err := proto.Marshal(&linkpb.AgentMessage{Session: 1, Epoch: 1, Body: &linkpb.AgentMessage_Ping{Ping: &linkpb.Ping{}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hello, ping)
	f.Add([]byte("junk"), ping)
	log := wiretest.NewLog()
	address := startInMemory(f, slog.New(log))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		link, err := wire.DialLink(t.Context(), "http://"+address+"/agent-link", linkProtocol, nil, wire.DialOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close(nil)
		if link.Send(first) == nil && link.Send(second) == nil {
			time.AfterFunc(100*time.Millisecond, func() { link.Close(nil) })
			link.Receive()
		}
		log.Check(t)
		answersStill(t, address)
	})
}
