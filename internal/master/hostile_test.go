package master

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/wire"
)

// call sends a scheduler's call in protobuf.
func call(t *testing.T, address string, m *schedulerpb.Call, headers ...string) *http.Response {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	headers = append(headers, "Content-Type", wire.Protobuf.ContentType(), "Accept", wire.JSON.ContentType())
	return post(t, address, "/api/v1/scheduler", string(body), headers...)
}

// join connects as an agent and says hello.
func join(t *testing.T, address string, m *linkpb.Subscribe) *wire.Link {
	t.Helper()
	link, err := wire.DialLink(t.Context(), "http://"+address+"/agent-link", linkProtocol, nil, wire.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close(nil) })
	record, err := proto.Marshal(&linkpb.AgentMessage{Body: &linkpb.AgentMessage_Subscribe{Subscribe: m}})
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Send(record); err != nil {
		t.Fatal(err)
	}
	return link
}

// hear is the next thing that an agent is told.
func hear(t *testing.T, link *wire.Link) *linkpb.MasterMessage {
	t.Helper()
	record, err := link.Receive()
	if err != nil {
		t.Fatal(err)
	}
	m := new(linkpb.MasterMessage)
	if err := proto.Unmarshal(record, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// agentInfo is an agent as bytes.
func agentInfo(t *testing.T, hostname string) []byte {
	t.Helper()
	b, err := proto.Marshal(&mesos.AgentInfo{Hostname: &hostname})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWhatCannotBeRememberedEndsNobodyElse sends descriptions that the registry does not take, and texts
// that the agent link does not.
func TestWhatCannotBeRememberedEndsNobodyElse(t *testing.T) {
	address, stop := start(t, Config{})
	framework := func(change func(*mesos.FrameworkInfo)) *schedulerpb.Call {
		info := &mesos.FrameworkInfo{Name: new("n"), User: new("u")}
		change(info)
		return &schedulerpb.Call{Type: schedulerpb.Call_SUBSCRIBE.Enum(), FrameworkId: info.Id,
			Subscribe: &schedulerpb.Call_Subscribe{FrameworkInfo: info}}
	}
	for name, change := range map[string]func(*mesos.FrameworkInfo){
		"long name":          func(m *mesos.FrameworkInfo) { m.Name = new(strings.Repeat("x", 3<<20)) },
		"long user":          func(m *mesos.FrameworkInfo) { m.User = new(strings.Repeat("x", 3<<20)) },
		"many labels":        func(m *mesos.FrameworkInfo) { m.Labels = labels(100_000) },
		"id of bytes":        func(m *mesos.FrameworkInfo) { m.Id = &mesos.FrameworkID{Value: new("\xff")} },
		"principal of bytes": func(m *mesos.FrameworkInfo) { m.Principal = new("\xff") },
	} {
		answer := call(t, address, framework(change))
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusBadRequest && !bytes.Contains(text, []byte(`"type":"ERROR"`)) {
			t.Errorf("%s: %s %.200q, %v; want 400, or an ERROR event", name, answer.Status, text, err)
		}
	}
	huge := join(t, address, &linkpb.Subscribe{Version: 1, AgentInfo: agentInfo(t, strings.Repeat("x", 3<<20))})
	if m := hear(t, huge); m.GetRefused() == nil {
		t.Errorf("an agent of 3 MiB hears %v, want that it is refused", m)
	}
	slash := join(t, address, &linkpb.Subscribe{Version: 1, AgentId: "a/b", AgentInfo: agentInfo(t, "h")})
	if m := hear(t, slash); m.GetRefused() == nil {
		t.Errorf("agent a/b hears %v, want that it is refused", m)
	}

	agent := join(t, address, &linkpb.Subscribe{Version: 1, AgentInfo: agentInfo(t, "h")})
	id := hear(t, agent).GetSubscribed().GetAgentId()
	stream := call(t, address, framework(func(m *mesos.FrameworkInfo) { m.Id = &mesos.FrameworkID{Value: new("f")} }))
	f, header := &mesos.FrameworkID{Value: new("f")}, []string{wire.StreamIDHeader, subscribed(t, stream)}
	answer := call(t, address, &schedulerpb.Call{Type: schedulerpb.Call_SHUTDOWN.Enum(), FrameworkId: f,
		Shutdown: &schedulerpb.Call_Shutdown{AgentId: &mesos.AgentID{Value: &id}, ExecutorId: &mesos.ExecutorID{Value: new("\xff")}}}, header...)
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("SHUTDOWN of an executor named by bytes: %s, want 400", answer.Status)
	}
	call(t, address, &schedulerpb.Call{Type: schedulerpb.Call_MESSAGE.Enum(), FrameworkId: f,
		Message: &schedulerpb.Call_Message{AgentId: &mesos.AgentID{Value: &id}, ExecutorId: &mesos.ExecutorID{Value: new("e")}, Data: []byte("hello")}}, header...)
	if m := hear(t, agent); m.GetMessage().GetExecutorId() != "e" {
		t.Errorf("the agent hears %v next, want the message", m)
	}
	if err := stop(); err != nil {
		t.Errorf("the master ended: %v", err)
	}
}

func labels(n int) *mesos.Labels {
	m := new(mesos.Labels)
	for range n {
		m.Labels = append(m.Labels, &mesos.Label{Key: new("key"), Value: new("value")})
	}
	return m
}

// subscribed waits for the first event of a stream and gives the stream's id.
func subscribed(t *testing.T, stream *http.Response) string {
	t.Helper()
	record, err := wire.NewRecordReader(stream.Body, 1<<20).Next()
	if err != nil || !bytes.Contains(record, []byte(`"type":"SUBSCRIBED"`)) {
		t.Fatalf("first event %.200q, %v; want SUBSCRIBED", record, err)
	}
	return stream.Header.Get(wire.StreamIDHeader)
}
