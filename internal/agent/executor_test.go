package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
)

// handExecutor plays an executor by hand: its process only sleeps.
type handExecutor struct {
	t      testing.TB
	agent  *testAgent
	client *wire.Client
	stream *wire.EventStream
}

// customTask is a task with an executor of its own, whose process writes its environment down and sleeps.
func customTask(id, executor string) *mesos.TaskInfo {
	task := shellTask(id, "")
	task.Command = nil
	task.Data = []byte("payload")
	task.Executor = &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesos.ExecutorID{Value: new(executor)},
		FrameworkId: &mesos.FrameworkID{Value: new("framework-1")}, Name: new("by hand"),
		Command: &mesos.CommandInfo{Value: new("env | sort > env.tmp; mv env.tmp env.txt; exec sleep 300")},
	}
	return task
}

func newHandExecutor(a *testAgent, codec wire.Codec) *handExecutor {
	a.t.Helper()
	client, err := wire.NewClient(wire.ClientOptions{Servers: []string{a.address}, Path: "/api/v1/executor", Codec: codec})
	if err != nil {
		a.t.Fatal(err)
	}
	h := &handExecutor{t: a.t, agent: a, client: client}
	a.t.Cleanup(func() {
		client.Close()
		if h.stream != nil {
			h.stream.Close()
		}
	})
	return h
}

func call(kind executorpb.Call_Type) *executorpb.Call {
	return &executorpb.Call{Type: kind.Enum(), ExecutorId: &mesos.ExecutorID{Value: new("E")},
		FrameworkId: &mesos.FrameworkID{Value: new("framework-1")}}
}

// subscribe opens a stream as executor E, as soon as the agent knows it.
func (h *handExecutor) subscribe(s *executorpb.Call_Subscribe) *executorpb.Event_Subscribed {
	h.t.Helper()
	c := call(executorpb.Call_SUBSCRIBE)
	c.Subscribe = s
	deadline := time.Now().Add(patience)
	for {
		stream, err := h.client.Subscribe(context.Background(), c)
		if err == nil {
			h.stream = stream
			return h.event(executorpb.Event_SUBSCRIBED).Subscribed
		}
		if refused, ok := errors.AsType[*wire.StatusError](err); !ok || refused.Code != http.StatusBadRequest || time.Now().After(deadline) {
			h.t.Fatalf("subscribe: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// event waits for the next event, which has to be of this type.
func (h *handExecutor) event(want executorpb.Event_Type) *executorpb.Event {
	h.t.Helper()
	watchdog := time.AfterFunc(patience, func() { h.stream.Close() })
	defer watchdog.Stop()
	event := new(executorpb.Event)
	if err := h.stream.Next(event); err != nil {
		h.t.Fatalf("waiting for %s: %v", want, err)
	}
	if event.GetType() != want {
		h.t.Fatalf("got the event %v, expected %s", event, want)
	}
	return event
}

func (h *handExecutor) update(task string, state mesos.TaskState, uuid byte) error {
	c := call(executorpb.Call_UPDATE)
	c.Update = &executorpb.Call_Update{Status: status(task, state, uuid)}
	return h.client.Call(context.Background(), c)
}

func status(task string, state mesos.TaskState, uuid byte) *mesos.TaskStatus {
	return &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(task)}, State: state.Enum(),
		Source: mesos.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: []byte(strings.Repeat(string(rune('a'+uuid)), 16)),
		Message: new("from hand"), Data: []byte("d"), Healthy: new(true)}
}

func TestCustomExecutorLivesItsLife(t *testing.T) {
	for _, codec := range []wire.Codec{wire.JSON, wire.Protobuf} {
		t.Run(codec.String(), func(t *testing.T) {
			m := newTestMaster(t)
			a := startAgent(t, m)
			m.subscribed()
			framework := frameworkInfo()
			m.run(framework, customTask("t1", "E"))
			waitForFile(t, filepath.Join(a.sandbox("E"), "env.txt"))
			h := newHandExecutor(a, codec)

			got := h.subscribe(&executorpb.Call_Subscribe{})
			if !sameOnWire(codec, got.ExecutorInfo, customTask("t1", "E").Executor) || !sameOnWire(codec, got.FrameworkInfo, framework) {
				t.Errorf("subscribed with %v", got)
			}
			if got.AgentInfo.Id.GetValue() != "agent-1" || got.ContainerId.GetValue() == "" {
				t.Errorf("agent %v, container %v", got.AgentInfo, got.ContainerId)
			}
			launch := h.event(executorpb.Event_LAUNCH).Launch
			if !sameOnWire(codec, launch.Task, customTask("t1", "E")) {
				t.Errorf("launched %v", launch.Task)
			}

			if err := h.update("t1", mesos.TaskState_TASK_RUNNING, 1); err != nil {
				t.Fatal(err)
			}
			if ack := h.event(executorpb.Event_ACKNOWLEDGED).Acknowledged; ack.TaskId.GetValue() != "t1" || len(ack.Uuid) != 16 {
				t.Errorf("acknowledged %v", ack)
			}
			seen := m.statuses("t1", mesos.TaskState_TASK_RUNNING)[0]
			if seen.ExecutorId != nil || seen.AgentId.GetValue() != "agent-1" || seen.Timestamp == nil || !seen.GetHealthy() ||
				string(seen.Data) != "d" || seen.GetMessage() != "from hand" ||
				seen.ContainerStatus.ContainerId.GetValue() != got.ContainerId.GetValue() || seen.ContainerStatus.ExecutorPid == nil ||
				len(seen.ContainerStatus.NetworkInfos) != 1 {
				t.Errorf("the scheduler sees %v", seen)
			}

			c := call(executorpb.Call_MESSAGE)
			c.Message = &executorpb.Call_Message{Data: []byte("up")}
			if err := h.client.Call(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			if got := next(m, func(a *linkpb.AgentMessage) *linkpb.ExecutorMessage { return a.GetMessage() }); string(got.Data) != "up" {
				t.Errorf("message %q", got.Data)
			}
			m.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_Message{Message: &linkpb.FrameworkMessage{
				FrameworkId: "framework-1", ExecutorId: "E", Data: []byte("down")}}})
			if got := h.event(executorpb.Event_MESSAGE).Message; string(got.Data) != "down" {
				t.Errorf("message %q", got.Data)
			}

			// A second subscription ends the first with the zero chunk.
			first := h.stream
			h.subscribe(&executorpb.Call_Subscribe{})
			if err := first.Next(new(executorpb.Event)); !errors.Is(err, io.EOF) {
				t.Errorf("the first stream ends with %v, expected EOF", err)
			}
			m.run(framework, customTask("t2", "E"))
			h.event(executorpb.Event_LAUNCH)
			m.kill("t1", 0)
			if got := h.event(executorpb.Event_KILL).Kill; got.TaskId.GetValue() != "t1" {
				t.Errorf("kill %v", got)
			}
			if err := h.update("t1", mesos.TaskState_TASK_KILLED, 2); err != nil {
				t.Fatal(err)
			}
			h.event(executorpb.Event_ACKNOWLEDGED)

			m.tell(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_ShutdownExecutor{ShutdownExecutor: &linkpb.ShutdownExecutor{
				FrameworkId: "framework-1", ExecutorId: "E"}}})
			h.event(executorpb.Event_SHUTDOWN)
			exited := next(m, func(a *linkpb.AgentMessage) *linkpb.ExecutorExited { return a.GetExecutorExited() })
			if exited.Status != 9 || exited.ExecutorId != "E" {
				t.Errorf("executor exited: %v", exited)
			}
			last := m.statuses("t2", mesos.TaskState_TASK_FAILED)
			if s := last[len(last)-1]; s.GetMessage() != "Executor terminated" || s.GetReason() != mesos.TaskStatus_REASON_EXECUTOR_TERMINATED ||
				s.GetSource() != mesos.TaskStatus_SOURCE_AGENT || s.ExecutorId.GetValue() != "E" {
				t.Errorf("t2 ends with %v", s)
			}
		})
	}
}

// sameOnWire compares messages as they look in an encoding: Mesos' JSON shows defaults as if they were set.
func sameOnWire(codec wire.Codec, a, b proto.Message) bool {
	x, errX := codec.Marshal(a)
	y, errY := codec.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func TestEnvironmentOfExecutors(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	task := customTask("t1", "E")
	task.Executor.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{{Name: new("COLOUR"), Value: new("blue")}}}
	m.run(frameworkInfo(), task)
	env := waitForFile(t, filepath.Join(a.sandbox("E"), "env.txt"))
	sandbox, err := filepath.EvalSymlinks(a.sandbox("E"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"COLOUR=blue", "LIBPROCESS_IP=127.0.0.1", "LIBPROCESS_PORT=0", "MESOS_AGENT_ENDPOINT=" + a.address, "MESOS_CHECKPOINT=1",
		"MESOS_DIRECTORY=" + sandbox, "MESOS_EXECUTOR_ID=E", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=1secs",
		"MESOS_FRAMEWORK_ID=framework-1", "MESOS_HTTP_COMMAND_EXECUTOR=0", "MESOS_RECOVERY_TIMEOUT=15mins",
		"MESOS_SANDBOX=" + sandbox, "MESOS_SLAVE_ID=agent-1", "MESOS_SLAVE_PID=slave(1)@" + a.address,
		"MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PWD=" + sandbox,
	} {
		if !strings.Contains("\n"+env, "\n"+want+"\n") {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if t.Failed() {
		t.Logf("it is\n%s", env)
	}
}

func waitForFile(t testing.TB, name string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(name)
		if err == nil {
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// post sends a body to the executor API and gives the status and text of the answer.
func (a *testAgent) post(path, contentType, body string) (int, string) {
	a.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Post("http://"+a.address+path, contentType, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestWrongExecutorCallsGetMesosAnswers(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), customTask("et-1", "E"))
	waitForFile(t, filepath.Join(a.sandbox("E"), "env.txt"))
	ids := `"executor_id":{"value":"E"},"framework_id":{"value":"framework-1"},`
	update := func(status string) string {
		return `{` + ids + `"type":"UPDATE","update":{"status":{"task_id":{"value":"et-1"},` + status + `}}}`
	}
	for _, c := range []struct {
		name, body string
		status     int
		text       string
	}{
		{"update before subscribe", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR","state":"TASK_RUNNING"`),
			403, "Executor is not subscribed"},
		{"message before subscribe", `{` + ids + `"type":"MESSAGE","message":{"data":"ZA=="}}`, 403, "Executor is not subscribed"},
		{"heartbeat before subscribe", `{` + ids + `"type":"HEARTBEAT"}`, 403, "Executor is not subscribed"},
		{"unknown executor", `{"type":"SUBSCRIBE","executor_id":{"value":"nope"},"framework_id":{"value":"framework-1"},"subscribe":{}}`,
			400, "Executor cannot be found"},
		{"unknown framework", `{"type":"SUBSCRIBE","executor_id":{"value":"E"},"framework_id":{"value":"nope"},"subscribe":{}}`,
			400, "Framework cannot be found"},
		{"unknown type", `{` + ids + `"type":"NOPE"}`, 400, "Failed to validate Executor::Call: Expecting 'type' to be present"},
		{"no subscribe", `{` + ids + `"type":"SUBSCRIBE"}`, 400, "Failed to validate Executor::Call: Expecting 'subscribe' to be present"},
		{"no update", `{` + ids + `"type":"UPDATE"}`, 400, "Failed to validate Executor::Call: Expecting 'update' to be present"},
		{"no message", `{` + ids + `"type":"MESSAGE"}`, 400, "Failed to validate Executor::Call: Expecting 'message' to be present"},
		{"no uuid", update(`"source":"SOURCE_EXECUTOR","state":"TASK_RUNNING"`), 400, "Failed to validate Executor::Call: Expecting 'uuid' to be present"},
		{"short uuid", update(`"uuid":"c2hvcnQ=","source":"SOURCE_EXECUTOR","state":"TASK_RUNNING"`), 400, "Failed to validate Executor::Call: Not a valid UUID"},
		{"wrong source", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_AGENT","state":"TASK_RUNNING"`), 400,
			"Failed to validate Executor::Call: Received Call from executor E of framework framework-1 with invalid source, expecting 'SOURCE_EXECUTOR'"},
		{"staging", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR","state":"TASK_STAGING"`), 400,
			"Failed to validate Executor::Call: Received TASK_STAGING from executor E of framework framework-1 which is not allowed"},
		{"no source", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","state":"TASK_RUNNING"`), 400,
			"Failed to validate Executor::Call: Received Call from executor E of framework framework-1 with invalid source, expecting 'SOURCE_EXECUTOR'"},
		{"another executor", update(`"executor_id":{"value":"F"},"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR","state":"TASK_RUNNING"`), 400,
			"Failed to validate Executor::Call: ExecutorID in Call: E does not match ExecutorID in TaskStatus: F"},
		{"no state", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR"`), 400,
			"Failed to convert JSON into Call protobuf: Missing required fields: update.status.state"},
		{"check of no type", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR","state":"TASK_RUNNING","check_status":{}`), 400,
			"Failed to validate Executor::Call: Expecting 'check_status.type' to be COMMAND, HTTP or TCP"},
		{"check without its part", update(`"uuid":"z1IQT+tCSJOJo9voIfGghQ==","source":"SOURCE_EXECUTOR","state":"TASK_RUNNING","check_status":{"type":"TCP"}`), 400,
			"Failed to validate Executor::Call: Expecting 'check_status.tcp' to be present, as the type is TCP"},
	} {
		for _, path := range []string{"/api/v1/executor", "/slave(1)/api/v1/executor", "/api/v1/executor/"} {
			if status, text := a.post(path, "application/json", c.body); status != c.status || text != c.text {
				t.Errorf("%s at %s: %d %q, expected %d %q", c.name, path, status, text, c.status, c.text)
			}
		}
	}
}
