package master

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// ask posts a call and returns the answer's code and body.
func ask(t *testing.T, address, path, body string) (int, string) {
	t.Helper()
	answer := post(t, address, path, body)
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestWrongDetachedTasksAreRefused(t *testing.T) {
	address, _ := start(t, Config{})
	const good = `"command":{"value":"true","user":"u"},"cpus":1`
	for _, test := range []struct{ run, answer string }{
		{``, `Failed to convert JSON into Call protobuf: Missing required fields: run_tasks.command`},
		{`"command":{"user":"u"},"cpus":1`, `Expecting 'run_tasks.command.value' to be a command, not empty`},
		{`"command":{"value":"true"},"cpus":1`, `Expecting 'run_tasks.command.user' to be the name of who is to run it`},
		{`"command":{"value":"true","user":"u"}`, `'run_tasks': nothing is asked for, expected some cpus or memory`},
		{`"command":{"value":"true","user":"u"},"cpus":-1`, `'run_tasks': cpus -1: expected an amount from 0 up to 1125899906842.624`},
		{good + `,"gpus":0.5`, `'run_tasks': gpus 0.5: expected a whole number`},
		{good + `,"ports":4000000000`, `Expecting 'run_tasks.ports' to be a number from 0 to 1000, not 4000000000`},
		{good + `,"instances":0`, `Expecting 'run_tasks.instances' to be a number from 1 to 1000, not 0`},
		{good + `,"instances":1001`, `Expecting 'run_tasks.instances' to be a number from 1 to 1000, not 1001`},
		{good + `,"role":"a b"`, `'run_tasks.role': Role component 'a b' is invalid because it contains backspace or whitespace`},
		{good + `,"max_completion_time":{"nanoseconds":-1}`, `Expecting 'run_tasks.max_completion_time' to be no negative duration`},
		{good + `,"name":"` + strings.Repeat("x", 1025) + `"`, `Expecting 'run_tasks.name' to be at most 1024 bytes of UTF-8`},
		{`"command":{"value":"` + strings.Repeat("x", 70_000) + `","user":"u"},"cpus":1`, `Expecting 'run_tasks' to be described in 65536 bytes at most, not 71038`},
	} {
		code, text := ask(t, address, "/meseta/v1", `{"type":"RUN_TASKS","run_tasks":{`+test.run+`}}`)
		if want := test.answer; code != http.StatusBadRequest || strings.TrimPrefix(text, "Failed to validate meseta::Call: ") != want {
			t.Errorf("%.100s: %d %s\nwant %s", test.run, code, text, want)
		}
	}
	if _, text := ask(t, address, "/api/v1", `{"type":"GET_FRAMEWORKS"}`); strings.Contains(text, "detach") {
		t.Errorf("frameworks: %s", text)
	}
}

// TestDetachedTasksInTextsThatAreNoneEndNobody asks for a task in texts that are no UTF-8, which only protobuf can carry.
func TestDetachedTasksInTextsThatAreNoneEndNobody(t *testing.T) {
	address, stop := start(t, Config{})
	for what, run := range map[string]*operatorpb.Call_RunTasks{
		"command": {Command: &mesos.CommandInfo{Value: new("\xff"), User: new("\xff")}, Cpus: new(1.0)},
		"name":    {Command: &mesos.CommandInfo{Value: new("true"), User: new("u")}, Cpus: new(1.0), Name: new("\xff")},
		"role":    {Command: &mesos.CommandInfo{Value: new("true"), User: new("u")}, Cpus: new(1.0), Role: new("\xff")},
	} {
		body, err := proto.Marshal(&operatorpb.Call{Type: operatorpb.Call_RUN_TASKS.Enum(), RunTasks: run})
		if err != nil {
			t.Fatal(err)
		}
		answer := post(t, address, "/meseta/v1", string(body), "Content-Type", "application/x-protobuf")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusBadRequest}[what == "command"]; answer.StatusCode != want {
			t.Errorf("%s: %s, want %d", what, answer.Status, want)
		}
	}
	if code, text := ask(t, address, "/api/v1", `{"type":"GET_TASKS"}`); code != http.StatusOK {
		t.Errorf("GET_TASKS: %d %s", code, text)
	}
	if err := stop(); err != nil {
		t.Errorf("the master ended: %v", err)
	}
}

// TestDetachedTasksAreTakenOnAndLeaveNoOfferBehind asks for tasks of which one fits on the agent and one on
// none, and lets others try to be their framework.
func TestDetachedTasksAreTakenOnAndLeaveNoOfferBehind(t *testing.T) {
	var log bytes.Buffer
	address, stop := startLogging(t, Config{}, slog.NewTextHandler(&log, nil))
	info, err := proto.Marshal(&mesos.AgentInfo{Hostname: new("h"),
		Resources: resourcepb.ToProto(resources.MustParse("cpus:4;mem:64"), resourcepb.Stacked)})
	if err != nil {
		t.Fatal(err)
	}
	agent := join(t, address, &linkpb.Subscribe{Version: 1, AgentId: "a", AgentInfo: info})
	hear(t, agent)
	run := func(options string) (framework string, tasks []string) {
		code, text := ask(t, address, "/meseta/v1", `{"type":"RUN_TASKS","run_tasks":{"command":{"value":"true","user":"u"},`+options+`}}`)
		var answer struct {
			Run struct {
				Framework struct{ Value string }   `json:"framework_id"`
				Tasks     []struct{ Value string } `json:"task_ids"`
			} `json:"run_tasks"`
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %s, %v", options, code, text, err)
		}
		for _, id := range answer.Run.Tasks {
			tasks = append(tasks, id.Value)
		}
		return answer.Run.Framework.Value, tasks
	}
	framework, small := run(`"mem":1`)
	told := fmt.Sprint(hear(t, agent))
	if !strings.Contains(told, "run_task") || !strings.Contains(told, framework) {
		t.Errorf("the agent hears %s, want that it is to run %s", told, small)
	}
	_, large := run(`"cpus":1000,"instances":2`)
	_, tasks := ask(t, address, "/api/v1", `{"type":"GET_TASKS"}`)
	for _, id := range append(large, small...) {
		if !strings.Contains(tasks, id) {
			t.Errorf("%s is not listed: %s", id, tasks)
		}
	}
	if n := strings.Count(tasks, "Waiting for an offer of 1000 cpus"); n != 2 {
		t.Errorf("%d tasks wait, want 2: %s", n, tasks)
	}

	stranger := post(t, address, "/api/v1/scheduler", `{"type":"SUBSCRIBE","framework_id":{"value":"`+framework+`"},
		"subscribe":{"framework_info":{"id":{"value":"`+framework+`"},"user":"u","name":"n"}}}`)
	if text, err := io.ReadAll(stranger.Body); err != nil || !strings.Contains(string(text), "Framework is run by the master itself") {
		t.Errorf("a stranger in its place: %s, %v", text, err)
	}
	http.DefaultClient.CloseIdleConnections() // the stream's has ended on the other side

	for _, id := range large {
		if code, text := ask(t, address, "/meseta/v1", `{"type":"KILL_TASK","kill_task":{"task_id":{"value":"`+id+`"}}}`); code != http.StatusOK {
			t.Errorf("kill %s: %d %s", id, code, text)
		}
	}
	if _, frameworks := ask(t, address, "/api/v1", `{"type":"GET_FRAMEWORKS"}`); strings.Contains(frameworks, `"offers"`) {
		t.Errorf("it holds offers: %s", frameworks)
	}

	if code, text := ask(t, address, "/api/v1", `{"type":"TEARDOWN","teardown":{"framework_id":{"value":"`+framework+`"}}}`); code != http.StatusOK {
		t.Errorf("teardown: %d %s", code, text)
	}
	if next, _ := run(`"cpus":1000`); next == framework {
		t.Errorf("framework %s was torn down, and has another task", next)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`msg="operator call" audit=RUN_TASKS from=127.0.0.1:`,
		`name=true instances=2 demand="1000 cpus" role=* result=accepted first=` + large[0] + ` framework=` + framework,
		`result=accepted audit=KILL_TASK task=` + large[1] + ` framework=` + framework,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, log.String())
		}
	}
}
