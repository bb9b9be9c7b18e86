package master

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
)

func TestAMasterTellsOfItself(t *testing.T) {
	var log bytes.Buffer
	address, stop := startLogging(t, Config{Flags: map[string]string{"port": "5050", "ip": "127.0.0.1"}}, slog.NewTextHandler(&log, nil))
	for _, test := range []struct {
		call   string
		code   int
		answer string
	}{
		{`{"type":"GET_FLAGS"}`, 200,
			`{"type":"GET_FLAGS","get_flags":{"flags":[{"name":"ip","value":"127.0.0.1"},{"name":"port","value":"5050"}]}}`},
		{`{"type":"GET_LOGGING_LEVEL"}`, 200, `{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":0}}`},
		{`{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":2,"duration":{"nanoseconds":60000000000}}}`, 200, ``},
		{`{"type":"GET_LOGGING_LEVEL"}`, 200, `{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":2}}`},
		{`{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":0,"duration":{"nanoseconds":1000000000}}}`, 200, ``},
		{`{"type":"GET_LOGGING_LEVEL"}`, 200, `{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":0}}`},
		{`{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1,"duration":{"nanoseconds":-1}}}`, 400,
			`Expecting 'set_logging_level.duration' to be no negative duration`},
		{`{"type":"SET_LOGGING_LEVEL"}`, 400, `Failed to validate master::Call: Expecting 'set_logging_level' to be present`},
		{`{"type":"GET_METRICS"}`, 400, `Failed to validate master::Call: Expecting 'get_metrics' to be present`},
		{`{"type":"LIST_FILES"}`, 400, `Failed to validate master::Call: Expecting 'list_files' to be present`},
		{`{"type":"LIST_FILES","list_files":{"path":"/master/log"}}`, 404, ``},
		{`{"type":"READ_FILE"}`, 400, `Failed to validate master::Call: Expecting 'read_file' to be present`},
		{`{"type":"READ_FILE","read_file":{"path":"/nope","offset":0}}`, 404, ``},
	} {
		if code, text := ask(t, address, "/api/v1", test.call); code != test.code || text != test.answer {
			t.Errorf("%s: %d %s\nwant %d %s", test.call, code, text, test.code, test.answer)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "audit=SET_LOGGING_LEVEL level=2 duration=1m0s") {
		t.Errorf("the log does not tell who turned it up:\n%s", log.String())
	}
}

func TestMetricsAreOfTheClusterAsItIs(t *testing.T) {
	address, _ := start(t, Config{})
	agent := join(t, address, &linkpb.Subscribe{Version: 1, AgentId: "a", AgentInfo: agentInfo(t, "h"),
		Frameworks: []*linkpb.Framework{framework(t, "f")}, Tasks: []*linkpb.Task{running(t, "f", "t1"), running(t, "f", "t2")}})
	hear(t, agent)
	code, text := ask(t, address, "/api/v1", `{"type":"GET_METRICS","get_metrics":{"timeout":{"nanoseconds":5000000000}}}`)
	var answer struct {
		GetMetrics struct {
			Metrics []struct {
				Name  string
				Value float64
			}
		} `json:"get_metrics"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s, %v", code, text, err)
	}
	got := make(map[string]float64)
	for _, m := range answer.GetMetrics.Metrics {
		got[m.Name] = m.Value
	}
	for name, want := range map[string]float64{
		"master/elected": 1, "master/tasks_running": 2, "master/tasks_staging": 0, "master/slaves_active": 1,
		"master/slaves_disconnected": 0, "master/frameworks_inactive": 1, "master/frameworks_active": 0,
		"master/outstanding_offers": 0, "master/cpus_total": 0, "master/cpus_percent": 0, "master/operator_event_stream_subscribers": 0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s = %v, %t; want %v", name, value, ok, want)
		}
	}
}

func TestTheLogIsTurnedUpForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := new(slog.LevelVar)
		v := newVerbosity(level)
		v.set(1, time.Minute)
		time.Sleep(59 * time.Second)
		if level.Level() != slog.LevelDebug || v.get() != 1 {
			t.Errorf("after 59 s: %s, %d steps up", level.Level(), v.get())
		}
		v.set(2, time.Hour)
		time.Sleep(59 * time.Minute)
		if v.get() != 2 {
			t.Errorf("a second order ended with the first: %d steps up", v.get())
		}
		time.Sleep(2 * time.Minute)
		if level.Level() != slog.LevelInfo || v.get() != 0 {
			t.Errorf("after its time: %s, %d steps up", level.Level(), v.get())
		}
	})
}
