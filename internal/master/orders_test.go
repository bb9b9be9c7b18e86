package master

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
)

// running is a task that an agent reports as running.
func running(t *testing.T, framework, task string) *linkpb.Task {
	t.Helper()
	info, err := proto.Marshal(&mesos.TaskInfo{Name: &task, TaskId: &mesos.TaskID{Value: &task}, AgentId: &mesos.AgentID{Value: new("a")},
		Command: &mesos.CommandInfo{Value: new("true")}})
	if err != nil {
		t.Fatal(err)
	}
	return &linkpb.Task{FrameworkId: framework, TaskInfo: info, State: int32(mesos.TaskState_TASK_RUNNING)}
}

func framework(t *testing.T, id string) *linkpb.Framework {
	t.Helper()
	info, err := proto.Marshal(&mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: &id}, Name: new("n" + id), User: new("u")})
	if err != nil {
		t.Fatal(err)
	}
	return &linkpb.Framework{FrameworkInfo: info}
}

// TestOrders gives orders in the way of operators, well and badly, and looks at what the agent hears and what
// the log keeps.
func TestOrders(t *testing.T) {
	var log bytes.Buffer
	address, stop := startLogging(t, Config{}, slog.NewTextHandler(&log, nil))
	agent := join(t, address, &linkpb.Subscribe{Version: 1, AgentId: "a", AgentInfo: agentInfo(t, "h"),
		Frameworks: []*linkpb.Framework{framework(t, "f"), framework(t, "g")},
		Tasks:      []*linkpb.Task{running(t, "f", "t1"), running(t, "f", "t2"), running(t, "g", "t2")}})
	hear(t, agent)

	const teardown = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		path, body, contentType string
		code                    int
		answer                  string
	}{
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"t1"},"kill_policy":{"grace_period":{"nanoseconds":5000000000}}}}`, "", 200,
			`{"type":"KILL_TASK","kill_task":{"framework_id":{"value":"f"},"agent_id":{"value":"a"},"state":"TASK_RUNNING"}}`},
		{"/master/meseta/v1/", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"t2"},"framework_id":{"value":"g"}}}`, "", 200,
			`{"type":"KILL_TASK","kill_task":{"framework_id":{"value":"g"},"agent_id":{"value":"a"},"state":"TASK_RUNNING"}}`},
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"t2"}}}`, "", 409,
			`task "t2": 2 frameworks have one: f ("nf"), g ("ng"); expected 'framework_id' to say whose`},
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"t3"}}}`, "", 404, `task "t3": not known`},
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"t1"},"framework_id":{"value":"x"}}}`, "", 404, `framework "x": not known`},
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":""}}}`, "", 400,
			`Failed to validate meseta::Call: Expecting 'kill_task.task_id.value' to be the id of a task, not empty`},
		{"/meseta/v1", `{"type":"KILL_TASK"}`, "", 400, `Failed to validate meseta::Call: Expecting 'kill_task' to be present`},
		{"/meseta/v1", `{"type":"KILL_TASK","kill_task":{}}`, "", 400, `Failed to convert JSON into Call protobuf: Missing required fields: kill_task.task_id`},
		{"/meseta/v1", `{"type":"DANCE"}`, "", 400, `Failed to validate meseta::Call: Expecting 'type' to be present`},
		{"/meseta/v1", `{`, "", 400, `Failed to parse body into JSON: syntax error at line 1 near: `},
		{"/meseta/v1", `{}`, "text/plain", 415, `Expecting 'Content-Type' of application/json or application/x-protobuf`},
		{"/api/v1", `{"type":"TEARDOWN"}`, "", 400, `Failed to validate master::Call: Expecting 'teardown' to be present`},
		{"/api/v1", `{"type":"TEARDOWN","teardown":{"framework_id":{"value":"x"}}}`, "", 400, `No framework found with specified ID`},
		{"/api/v1", `{"type":"TEARDOWN","teardown":{"framework_id":{"value":"g"}}}`, "", 200, ``},
		{"/teardown", `frameworkId=x`, teardown, 400, `No framework found with specified ID`},
		{"/teardown", ``, teardown, 400, `Missing 'frameworkId' query parameter`},
		{"/teardown", `frameworkId=` + strings.Repeat("x", 70_000), teardown, 400, `Unable to decode query string: http: request body too large`},
		{"/teardown", `frameworkId=f`, teardown, 200, ``},
	} {
		headers := []string{"User-Agent", "tester"}
		if test.contentType != "" {
			headers = append(headers, "Content-Type", test.contentType)
		}
		answer := post(t, address, test.path, test.body, headers...)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != test.code || string(text) != test.answer {
			t.Errorf("POST %s %.100s: %d %s, %v\nwant %d %s", test.path, test.body, answer.StatusCode, text, err, test.code, test.answer)
		}
	}
	for _, want := range []string{`kill_task:{framework_id:"f" task_id:"t1"`, `kill_task:{framework_id:"g" task_id:"t2"`,
		`shutdown_framework:{framework_id:"g"}`, `shutdown_framework:{framework_id:"f"}`} {
		if got := strings.ReplaceAll(fmt.Sprint(hear(t, agent)), "  ", " "); !strings.Contains(got, want) {
			t.Errorf("the agent hears %s, want %s", got, want)
		}
	}

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`user_agent=tester result=accepted audit=KILL_TASK task=t1 framework=f agent=a state=TASK_RUNNING`,
		`result="task \"t3\": not known" audit=KILL_TASK task=t3`,
		`result=accepted audit=TEARDOWN framework=f`,
		`result="No framework found with specified ID" audit=TEARDOWN framework=x`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, log.String())
		}
	}
}
