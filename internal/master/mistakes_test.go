package master

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/wire"
	"github.com/meseta/meseta/internal/wire/wiretest"
)

// target is a master that has an agent and a framework, for mistakes to be made at.
type target struct {
	t       *testing.T
	address string
	log     wiretest.Log
	stream  *http.Response // of framework "f"
	id      string         // of the stream
	number  int            // of subscriptions
}

func newTarget(t *testing.T, log wiretest.Log) *target {
	g := &target{t: t, log: log, address: startInMemory(t, slog.New(log))}
	agent := join(t, g.address, &linkpb.Subscribe{Version: 1, AgentInfo: agentInfo(t, "h")})
	hear(t, agent)
	g.subscribe()
	return g
}

// framework is the id of the framework that is there.
func (g *target) framework() string { return fmt.Sprint("f", g.number) }

// subscribe brings in a framework, a new one each time: mistakes may have ended the one before.
func (g *target) subscribe() {
	g.number++
	g.stream = post(g.t, g.address, "/api/v1/scheduler", fmt.Sprintf(`{"type":"SUBSCRIBE","framework_id":{"value":%q},
		"subscribe":{"framework_info":{"user":"u","name":"n","id":{"value":%[1]q}}}}`, g.framework()))
	g.id = subscribed(g.t, g.stream)
}

// state is all that the master shows.
func (g *target) state() string {
	g.t.Helper()
	code, text := g.ask("/api/v1", []byte(`{"type":"GET_STATE"}`), "Accept", "application/json")
	if code != http.StatusOK {
		g.t.Fatalf("GET_STATE: %d %s", code, text)
	}
	return text
}

// ask posts a body and gives status and sentence; of a stream it reads the first event and hangs up.
func (g *target) ask(path string, body []byte, headers ...string) (int, string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, "http://"+g.address+path, strings.NewReader(string(body)))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		g.log.Check(g.t)
		g.t.Fatalf("%.300s: %v", body, err)
	}
	defer answer.Body.Close()
	if answer.Header.Get(wire.StreamIDHeader) != "" {
		record, err := wire.NewRecordReader(answer.Body, 1<<20).Next()
		if err != nil {
			g.t.Fatalf("%.300s: first event: %v", body, err)
		}
		return answer.StatusCode, string(record)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// judge says whether an answer is one of those that are documented.
func judge(t *testing.T, m *wiretest.Mistake, code int, text string) {
	t.Helper()
	const conversion = "Failed to convert JSON into Call protobuf: "
	switch {
	case m.Error != "" && (code != http.StatusBadRequest || text != conversion+m.Error):
		t.Errorf("%s %s: %d %q, want 400 %q", m.Path, m.What, code, text, conversion+m.Error)
	case code == http.StatusOK, code == http.StatusAccepted:
	case code == http.StatusNotFound && (m.Path == "read_file.path" || m.Path == "list_files.path"): // as in Mesos, without a word
	case code == http.StatusNotFound && m.Path == "mark_agent_gone.agent_id.value":
	case code != http.StatusBadRequest && code != http.StatusNotImplemented && code != http.StatusForbidden:
		t.Errorf("%s %s: %d %q, want 200, 202, 400, 403 or 501", m.Path, m.What, code, text)
	case text == "" || len(text) > 2000:
		t.Errorf("%s %s: %d with a sentence of %d bytes", m.Path, m.What, code, len(text))
	}
}

// TestNoMistakeInACallOfASchedulerDoesHarm makes every mistake in every call.
func TestNoMistakeInACallOfASchedulerDoesHarm(t *testing.T) {
	log := wiretest.NewLog()
	g := newTarget(t, log)
	call := (&schedulerpb.Call{}).ProtoReflect().Descriptor()
	made := 0
	for number, name := range schedulerpb.Call_Type_name {
		if number == 0 {
			continue
		}
		before := g.state()
		for m := range wiretest.Mistakes(call, name, func(c map[string]any) { g.fix(c) }) {
			made++
			headers := []string{wire.StreamIDHeader, g.id}
			if name == "SUBSCRIBE" {
				headers = nil
			}
			code, text := g.ask("/api/v1/scheduler", m.Body, headers...)
			judge(t, &m, code, text)
			if code < 300 { // whatever it was, it was taken
				g.repair(name, text)
				before = g.state()
			} else if m.Kind == wiretest.Odd {
				if after := g.state(); after != before {
					t.Errorf("%s: %s %s was answered %d %q and changed\n%s\ninto\n%s", name, m.Path, m.What, code, text, before, after)
					before = after
				}
			}
		}
		if after := g.state(); after != before {
			t.Errorf("%s: what could not be read changed\n%s\ninto\n%s", name, before, after)
		}
	}
	log.Check(t)
	if made < 2000 {
		t.Errorf("%d mistakes were made, which is fewer than there are", made)
	}
	t.Logf("%d mistakes", made)
}

// fix gives a call the name of the framework that is there, or of none.
func (g *target) fix(call map[string]any) {
	switch call["type"] {
	case "SUBSCRIBE":
	case "UPDATE_FRAMEWORK":
		info := call["update_framework"].(map[string]any)["framework_info"].(map[string]any)
		info["id"] = map[string]any{"value": g.framework()}
		fallthrough
	default:
		call["framework_id"] = map[string]any{"value": g.framework()}
	}
}

// repair brings the framework back that a call ended, and waits for the end of one that it began.
func (g *target) repair(kind, text string) {
	switch kind {
	case "TEARDOWN":
		g.stream.Body.Close()
		g.subscribe()
	case "SUBSCRIBE":
		_, id, found := strings.Cut(text, `"framework_id":{"value":"`)
		id, _, _ = strings.Cut(id, `"`)
		for deadline := time.Now().Add(time.Minute); found && time.Now().Before(deadline); {
			if _, completed, _ := strings.Cut(g.state(), `"completed_frameworks"`); strings.Contains(completed, id) {
				return
			}
		}
	}
}

// TestNoMistakeInAnOperatorsCallDoesHarm makes every mistake in every call to /api/v1.
func TestNoMistakeInAnOperatorsCallDoesHarm(t *testing.T) {
	log := wiretest.NewLog()
	g := newTarget(t, log)
	call := (&masterpb.Call{}).ProtoReflect().Descriptor()
	before := g.state()
	for number, name := range masterpb.Call_Type_name {
		if number == 0 {
			continue
		}
		for m := range wiretest.Mistakes(call, name, func(map[string]any) {}) {
			code, text := g.ask("/api/v1", m.Body, "Accept", "application/json")
			judge(t, &m, code, text)
		}
		if after := g.state(); after != before {
			t.Errorf("mistakes in %s changed\n%s\ninto\n%s", name, before, after)
			before = after
		}
	}
	log.Check(t)
}
