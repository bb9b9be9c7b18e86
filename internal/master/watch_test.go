package master

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/wire"
)

// audience is an operator who subscribed.
type audience struct {
	t       *testing.T
	records *wire.RecordReader
}

func watchMaster(t *testing.T, address string) *audience {
	t.Helper()
	answer := post(t, address, "/api/v1", `{"type":"SUBSCRIBE"}`, "Accept", wire.Protobuf.ContentType())
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("SUBSCRIBE: %s", answer.Status)
	}
	return &audience{t, wire.NewRecordReader(answer.Body, 1<<20)}
}

func (a *audience) next() *masterpb.Event {
	a.t.Helper()
	record, err := a.records.Next()
	if err != nil {
		a.t.Fatal(err)
	}
	e := new(masterpb.Event)
	if err := proto.Unmarshal(record, e); err != nil {
		a.t.Fatal(err)
	}
	return e
}

func TestOperatorsHearWhatThereIsAndThenWhatChanges(t *testing.T) {
	address, stop := start(t, Config{})
	early := watchMaster(t, address)
	if s := early.next().GetSubscribed(); s.GetHeartbeatIntervalSeconds() != 15 || s.GetGetState() == nil || len(s.GetState.GetGetAgents().GetAgents()) > 0 {
		t.Errorf("SUBSCRIBED = %v, want an empty cluster", s)
	}
	agent := join(t, address, &linkpb.Subscribe{Version: 1, AgentId: "a", AgentInfo: agentInfo(t, "h"),
		Frameworks: []*linkpb.Framework{framework(t, "f")}, Tasks: []*linkpb.Task{running(t, "f", "t1")}})
	welcome := hear(t, agent)
	if a := early.next().GetAgentAdded().GetAgent(); a.GetAgentInfo().GetId().GetValue() != "a" || !a.GetActive() {
		t.Errorf("AGENT_ADDED = %v", a)
	}
	if f := early.next().GetFrameworkAdded().GetFramework(); f.GetFrameworkInfo().GetName() != "nf" || f.GetConnected() || f.GetUnregisteredTime() == nil {
		t.Errorf("FRAMEWORK_ADDED = %v", f)
	}
	if added := early.next().GetTaskAdded().GetTask(); added.GetTaskId().GetValue() != "t1" || added.GetState() != mesos.TaskState_TASK_RUNNING {
		t.Errorf("TASK_ADDED = %v", added)
	}

	late := watchMaster(t, address)
	state := late.next().GetSubscribed().GetGetState()
	if len(state.GetGetAgents().GetAgents()) != 1 || len(state.GetGetFrameworks().GetFrameworks()) != 1 || len(state.GetGetTasks().GetTasks()) != 1 {
		t.Errorf("who comes late is told of %v", state)
	}
	status, err := proto.Marshal(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new("t1")}, State: mesos.TaskState_TASK_FINISHED.Enum(),
		Message: new("done"), Uuid: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	update, err := proto.Marshal(&linkpb.AgentMessage{Session: welcome.Session, Epoch: welcome.Epoch, Body: &linkpb.AgentMessage_Update{Update: &linkpb.Update{
		FrameworkId: "f", Status: status, LatestState: int32(mesos.TaskState_TASK_FINISHED)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Send(update); err != nil {
		t.Fatal(err)
	}
	for _, a := range []*audience{early, late} {
		e := a.next().GetTaskUpdated()
		if e.GetFrameworkId().GetValue() != "f" || e.GetState() != mesos.TaskState_TASK_FINISHED || e.GetStatus().GetMessage() != "done" {
			t.Errorf("TASK_UPDATED = %v", e)
		}
	}
	post(t, address, "/teardown", "frameworkId=f", "Content-Type", "application/x-www-form-urlencoded")
	for _, a := range []*audience{early, late} {
		if e := a.next(); e.GetFrameworkRemoved().GetFrameworkInfo().GetId().GetValue() != "f" {
			t.Errorf("%v, want FRAMEWORK_REMOVED f", e)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := early.records.Next(); err == nil || err == io.EOF {
		t.Errorf("the stream of a master that stops ended with %v, want it broken off", err)
	}
}

func TestOperatorsStreamsHaveABound(t *testing.T) {
	m := new(Master)
	m.watching.Store(maxWatchers)
	w := httptest.NewRecorder()
	m.serveWatch(w, httptest.NewRequest(http.MethodPost, "/api/v1", nil), wire.JSON)
	if want := "1000 streams of events are open, which is as many as the master holds"; w.Code != 503 || w.Body.String() != want {
		t.Errorf("%d %s, want 503 %s", w.Code, w.Body, want)
	}
	if n := m.watching.Load(); n != maxWatchers {
		t.Errorf("%d streams are counted, want %d", n, maxWatchers)
	}
}

func TestWatchersThatDoNotKeepUpLoseTheirStream(t *testing.T) {
	held := make(chan *wire.Stream, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream, err := wire.Hold(w, r, wire.HoldOptions{Codec: wire.JSON})
		if err != nil {
			t.Error(err)
		}
		held <- stream
	}))
	defer server.Close()
	answer, err := http.Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer answer.Body.Close()
	w := &watcher{Stream: <-held, codec: wire.JSON, news: newInbox[cluster.Change]()}
	for range maxNews {
		w.tell(cluster.AgentRemoved{Agent: "a"})
	}
	if w.Err() != nil {
		t.Fatalf("%v after %d changes", w.Err(), maxNews)
	}
	w.tell(cluster.AgentRemoved{Agent: "a"})
	<-w.Done()
	if !errors.Is(w.Err(), wire.ErrSlowConsumer) {
		t.Errorf("the stream ended with %v, want ErrSlowConsumer", w.Err())
	}
	w.tell(cluster.AgentRemoved{Agent: "a"})
	if n := len(w.news.take()); n != maxNews+1 {
		t.Errorf("%d changes are kept for nobody", n)
	}
}
