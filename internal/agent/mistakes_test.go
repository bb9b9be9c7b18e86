package agent

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
	"github.com/meseta/meseta/internal/wire/wiretest"
)

// TestNoMistakeInACallOfAnExecutorDoesHarm makes every mistake in every call of an executor that is subscribed:
// it stays so, and the master hears nothing of what was refused.
func TestNoMistakeInACallOfAnExecutorDoesHarm(t *testing.T) {
	log := wiretest.NewLog()
	m := newTestMaster(t)
	a := &testAgent{t: t, log: slog.New(log), config: Config{Masters: []string{m.address()}, Port: -1, WorkDir: t.TempDir(),
		KillTasksOnStop: true, Resources: "cpus:2;mem:1024;disk:1024", ExecutorShutdownGracePeriod: time.Second}}
	a.start()
	t.Cleanup(a.end)
	m.subscribed()
	m.run(frameworkInfo(), customTask("t1", "E"))
	h := newHandExecutor(a, wire.JSON)
	h.subscribe(&executorpb.Call_Subscribe{})
	h.event(executorpb.Event_LAUNCH)
	call := (&executorpb.Call{}).ProtoReflect().Descriptor()
	refused := 0
	for _, name := range []string{"UPDATE", "MESSAGE", "HEARTBEAT", "SUBSCRIBE"} { // the last one in another's place
		for mistake := range wiretest.Mistakes(call, name, fixExecutorCall) {
			code, text := a.ask(mistake.Body)
			const conversion = "Failed to convert JSON into Call protobuf: "
			switch {
			case mistake.Error != "" && code == http.StatusBadRequest && text == conversion+mistake.Error:
			case mistake.Error != "":
				t.Errorf("%s: %s %s: %d %q, want 400 %q", name, mistake.Path, mistake.What, code, text, conversion+mistake.Error)
			case code == http.StatusAccepted || code == http.StatusOK:
			case code != http.StatusBadRequest && code != http.StatusForbidden || text == "" || len(text) > 5000:
				t.Errorf("%s: %s %s: %d %.200q, want 202, or 400 or 403 with a sentence", name, mistake.Path, mistake.What, code, text)
			default:
				refused++
			}
		}
	}
	log.Check(t)
	if refused < 20 {
		t.Errorf("%d mistakes were refused for what they mean, which is fewer than there are", refused)
	}
	h.subscribe(&executorpb.Call_Subscribe{}) // mistakes may have taken its place
	if err := h.update("t1", mesos.TaskState_TASK_FINISHED, 25); err != nil {
		t.Error(err)
	}
	m.statuses("t1", mesos.TaskState_TASK_FINISHED)
	for len(m.said) > 0 {
		if said := <-m.said; said.GetUpdate() != nil && !strings.Contains(string(said.GetUpdate().Status), "t1") {
			t.Errorf("the master hears %v", said)
		} else if _, exited := said.Body.(*linkpb.AgentMessage_ExecutorExited); exited {
			t.Errorf("the executor was ended: %v", said)
		}
	}
}

// fixExecutorCall has a call come from executor E.
func fixExecutorCall(c map[string]any) {
	c["framework_id"], c["executor_id"] = map[string]any{"value": "framework-1"}, map[string]any{"value": "E"}
	if c["type"] == "UPDATE" {
		status := c["update"].(map[string]any)["status"].(map[string]any)
		status["uuid"], status["source"], status["state"] = "AAAAAAAAQAAAAAAAAAAAAA==", "SOURCE_EXECUTOR", "TASK_RUNNING"
	}
}

// ask posts an executor's call in JSON and gives status and sentence; a stream is hung up.
func (a *testAgent) ask(body []byte, headers ...string) (int, string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, "http://"+a.address+"/api/v1/executor", strings.NewReader(string(body)))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatalf("%.300s: %v", body, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return answer.StatusCode, ""
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
