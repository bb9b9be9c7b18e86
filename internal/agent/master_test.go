package agent

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/wire"
)

// patience is how long tests wait for what has to happen.
const patience = 20 * time.Second

// testMaster is the other end of the agent link, as simple as it can be: it takes every agent and hands
// what agents say to the test.
type testMaster struct {
	t       testing.TB
	server  *httptest.Server
	epoch   uint64
	refuse  *linkpb.Refused
	ping    time.Duration // 15 s unless it is set
	ack     atomic.Bool   // acknowledge every update at once
	said    chan *linkpb.AgentMessage
	links   sync.WaitGroup
	number  atomic.Uint64
	mu      sync.Mutex
	session uint64
	link    *wire.Link
	updates map[string][]*mesos.TaskStatus
	changed chan struct{}
}

func newTestMaster(t testing.TB) *testMaster {
	m := &testMaster{t: t, epoch: 1, said: make(chan *linkpb.AgentMessage, 100_000),
		updates: make(map[string][]*mesos.TaskStatus), changed: make(chan struct{})}
	m.ack.Store(true)
	mux := http.NewServeMux()
	mux.HandleFunc("/agent-link", m.serve)
	m.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		m.cut()
		m.server.Close()
		m.links.Wait()
	})
	return m
}

func (m *testMaster) address() string { return strings.TrimPrefix(m.server.URL, "http://") }

func (m *testMaster) serve(w http.ResponseWriter, r *http.Request) {
	link, err := wire.AcceptLink(w, r, "meseta-agent/1", wire.LinkOptions{})
	if err != nil {
		m.t.Errorf("accept: %v", err)
		return
	}
	m.links.Add(1)
	go func() {
		defer m.links.Done()
		m.receive(link)
	}()
}

func (m *testMaster) receive(link *wire.Link) {
	session := m.number.Add(1)
	for {
		record, err := link.Receive()
		if err != nil {
			return
		}
		message := new(linkpb.AgentMessage)
		if err := proto.Unmarshal(record, message); err != nil {
			m.t.Errorf("agent message: %v", err)
			return
		}
		switch b := message.Body.(type) {
		case *linkpb.AgentMessage_Subscribe:
			m.welcome(link, session, b.Subscribe)
		case *linkpb.AgentMessage_Update:
			m.update(link, session, b.Update)
		}
		m.said <- message
	}
}

func (m *testMaster) welcome(link *wire.Link, session uint64, s *linkpb.Subscribe) {
	if m.refuse != nil {
		m.send(link, session, &linkpb.MasterMessage{Body: &linkpb.MasterMessage_Refused{Refused: m.refuse}})
		return
	}
	id := s.AgentId
	if id == "" {
		id = "agent-1"
	}
	m.mu.Lock()
	m.link, m.session = link, session
	m.mu.Unlock()
	m.send(link, session, &linkpb.MasterMessage{Body: &linkpb.MasterMessage_Subscribed{Subscribed: &linkpb.Subscribed{
		AgentId: id, ClusterId: "cluster-1", MasterId: "master-1", PingIntervalNs: int64(cmp.Or(m.ping, 15*time.Second)), MaxMissedPings: 5}}})
}

func (m *testMaster) update(link *wire.Link, session uint64, u *linkpb.Update) {
	status := new(mesos.TaskStatus)
	if err := proto.Unmarshal(u.Status, status); err != nil {
		m.t.Errorf("status: %v", err)
		return
	}
	id := status.TaskId.GetValue()
	m.mu.Lock()
	if known := m.updates[id]; len(known) == 0 || string(known[len(known)-1].Uuid) != string(status.Uuid) || status.Uuid == nil {
		m.updates[id] = append(known, status)
	}
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	if m.ack.Load() && status.Uuid != nil {
		m.send(link, session, &linkpb.MasterMessage{Body: &linkpb.MasterMessage_Acknowledge{Acknowledge: &linkpb.Acknowledge{
			FrameworkId: u.FrameworkId, TaskId: id, Uuid: status.Uuid}}})
	}
}

func (m *testMaster) send(link *wire.Link, session uint64, message *linkpb.MasterMessage) {
	message.Session, message.Epoch = session, m.epoch
	record, err := proto.Marshal(message)
	if err != nil {
		m.t.Errorf("encode: %v", err)
		return
	}
	_ = link.Send(record)
}

// tell says something in the present session.
func (m *testMaster) tell(message *linkpb.MasterMessage) {
	m.t.Helper()
	m.mu.Lock()
	link, session := m.link, m.session
	m.mu.Unlock()
	if link == nil {
		m.t.Fatal("no agent is linked")
	}
	m.send(link, session, message)
}

// cut breaks the link.
func (m *testMaster) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.link != nil {
		m.link.Close(nil)
		m.link = nil
	}
}

// subscribed waits for the next Subscribe of an agent.
func (m *testMaster) subscribed() *linkpb.Subscribe {
	m.t.Helper()
	return next(m, func(a *linkpb.AgentMessage) *linkpb.Subscribe { return a.GetSubscribe() })
}

// next waits for the next message of a kind; others are passed over.
func next[M any](m *testMaster, kind func(*linkpb.AgentMessage) *M) *M {
	m.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case a := <-m.said:
			if got := kind(a); got != nil {
				return got
			}
		case <-timeout:
			m.t.Fatalf("the agent did not say %T", kind)
		}
	}
}

// statuses waits until a task has this last state, and gives all of its statuses.
func (m *testMaster) statuses(task string, last mesos.TaskState) []*mesos.TaskStatus {
	m.t.Helper()
	timeout := time.After(patience)
	for {
		m.mu.Lock()
		known, changed := m.updates[task], m.changed
		m.mu.Unlock()
		if n := len(known); n > 0 && known[n-1].GetState() == last {
			return known
		}
		select {
		case <-changed:
		case <-timeout:
			m.t.Fatalf("task %s did not become %s; it has %v", task, last, stateNames(known))
		}
	}
}

func stateNames(statuses []*mesos.TaskStatus) string {
	var names []string
	for _, s := range statuses {
		names = append(names, strings.TrimPrefix(s.GetState().String(), "TASK_"))
	}
	return strings.Join(names, " ")
}

// ---- what the master orders

func frameworkInfo(capabilities ...mesos.FrameworkInfo_Capability_Type) *mesos.FrameworkInfo {
	f := &mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new("framework-1")}, Name: new("test"), User: new("root")}
	for _, c := range capabilities {
		f.Capabilities = append(f.Capabilities, &mesos.FrameworkInfo_Capability{Type: c.Enum()})
	}
	return f
}

func shellTask(id, command string) *mesos.TaskInfo {
	return &mesos.TaskInfo{
		Name: new(id), TaskId: &mesos.TaskID{Value: new(id)}, AgentId: &mesos.AgentID{Value: new("agent-1")},
		Command: &mesos.CommandInfo{Value: new(command)},
	}
}

func (m *testMaster) run(framework *mesos.FrameworkInfo, task *mesos.TaskInfo) {
	m.t.Helper()
	f, err := proto.Marshal(framework)
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := proto.Marshal(task)
	if err != nil {
		m.t.Fatal(err)
	}
	m.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_RunTask{RunTask: &linkpb.RunTask{FrameworkInfo: f, TaskInfo: info}}})
}

func (m *testMaster) kill(task string, grace time.Duration) {
	m.t.Helper()
	k := &linkpb.KillTask{FrameworkId: "framework-1", TaskId: task}
	if grace > 0 {
		policy, err := proto.Marshal(&mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: new(int64(grace))}})
		if err != nil {
			m.t.Fatal(err)
		}
		k.KillPolicy = policy
	}
	m.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_KillTask{KillTask: k}})
}

func taskIDs(tasks []*linkpb.Task) string {
	var names []string
	for _, t := range tasks {
		info := new(mesos.TaskInfo)
		if err := proto.Unmarshal(t.TaskInfo, info); err != nil {
			return err.Error()
		}
		names = append(names, fmt.Sprintf("%s %s", info.TaskId.GetValue(), strings.TrimPrefix(mesos.TaskState(t.State).String(), "TASK_")))
	}
	return strings.Join(names, ", ")
}
