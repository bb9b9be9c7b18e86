package master

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/internal/wire"
)

// start runs a master in this process and returns its address and what ends it. Everything that it
// started is gone when the test is over, or TestMain complains.
func start(t *testing.T, config Config) (address string, stop func() error) {
	t.Helper()
	return startLogging(t, config, slog.DiscardHandler)
}

func startLogging(t *testing.T, config Config, log slog.Handler) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	config.Port, config.WorkDir = -1, t.TempDir()
	config.Ready = func(a string) { ready <- a }
	go func() { ended <- Run(ctx, config, slog.New(log)) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { stop() })
	select {
	case address = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return address, stop
}

// post sends a JSON body to a path of a master.
func post(t *testing.T, address, path, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		answer.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return answer
}

const subscribe = `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`

func TestStopEndsStreamsAndLinks(t *testing.T) {
	address, stop := start(t, Config{})
	stream := post(t, address, "/api/v1/scheduler", subscribe)
	link, err := wire.DialLink(t.Context(), "http://"+address+"/agent-link", linkProtocol, nil, wire.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close(nil)
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if _, err := io.Copy(io.Discard, stream.Body); err == nil {
		t.Error("the stream ended as if on purpose, want it broken off: the scheduler has to look for another master")
	}
	if _, err := link.Receive(); err == nil {
		t.Error("the link goes on")
	}
}

// TestAgentsThatDoNotBelongAreToldWhy connects as agents that cannot be taken.
func TestAgentsThatDoNotBelongAreToldWhy(t *testing.T) {
	address, _ := start(t, Config{})
	for _, test := range []struct {
		name  string
		first proto.Message
		why   string
	}{
		{"another cluster", &linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: &linkpb.Subscribe{Version: 1, ClusterId: "other"}}}, "belongs to cluster other"},
		{"another version", &linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: &linkpb.Subscribe{Version: 99}}}, "version 99"},
		{"no greeting", &linkpb.AgentMessage{Body: &linkpb.AgentMessage_Ping{Ping: &linkpb.Ping{}}}, "expected Subscribe"},
		{"no agent info", &linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: &linkpb.Subscribe{Version: 1}}}, "agent info"},
	} {
		t.Run(test.name, func(t *testing.T) {
			link, err := wire.DialLink(t.Context(), "http://"+address+"/agent-link", linkProtocol, nil, wire.DialOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close(nil)
			record, err := proto.Marshal(test.first)
			if err != nil {
				t.Fatal(err)
			}
			if err := link.Send(record); err != nil {
				t.Fatal(err)
			}
			answer, err := link.Receive()
			if err != nil {
				t.Fatal(err)
			}
			var m linkpb.MasterMessage
			if err := proto.Unmarshal(answer, &m); err != nil {
				t.Fatal(err)
			}
			if got := m.GetRefused().GetReason(); !strings.Contains(got, test.why) {
				t.Errorf("refused because %q, want %q in it", got, test.why)
			}
			if _, err := link.Receive(); err == nil {
				t.Error("the link goes on")
			}
		})
	}
}

func TestCallsThatAreNotBuiltAnswer501(t *testing.T) {
	address, _ := start(t, Config{})
	stream := post(t, address, "/api/v1/scheduler", subscribe)
	id := stream.Header.Get(wire.StreamIDHeader)
	for _, body := range []string{
		`{"type":"UPDATE_FRAMEWORK","framework_id":{"value":"f"},"update_framework":{"framework_info":{"user":"u","name":"n","id":{"value":"f"}}}}`,
		`{"type":"ACCEPT","framework_id":{"value":"f"},"accept":{"offer_ids":[],"operations":[{"type":"RESERVE","reserve":{"resources":[]}}]}}`,
	} {
		answer := post(t, address, "/api/v1/scheduler", body, wire.StreamIDHeader, id)
		text, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != http.StatusNotImplemented || !bytes.Contains(text, []byte("not implemented")) {
			t.Errorf("%s: %d %q, want 501 and a sentence", body, answer.StatusCode, text)
		}
	}
	answer := post(t, address, "/api/v1", `{"type":"GET_QUOTA"}`, "Accept", "application/json")
	if answer.StatusCode != http.StatusNotImplemented {
		t.Errorf("GET_QUOTA: %d, want 501", answer.StatusCode)
	}
}

func TestTooLargeACallIsRefused(t *testing.T) {
	address, _ := start(t, Config{MaxCallBytes: 1000})
	answer := post(t, address, "/api/v1/scheduler", fmt.Sprintf(`{"type":"%s"}`, strings.Repeat("x", 2000)))
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d, want 413", answer.StatusCode)
	}
}

func TestConfigSaysEverythingThatIsWrong(t *testing.T) {
	err := Run(t.Context(), Config{IP: "nowhere", Port: 70000, AgentPingTimeout: -time.Second}, slog.New(slog.DiscardHandler))
	for _, want := range []string{"work_dir", `"nowhere"`, "70000", "-1s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run = %v, want %s in it", err, want)
		}
	}
}
