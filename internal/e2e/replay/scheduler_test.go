package replay

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// TestScheduler replays a scheduler's day, from its first SUBSCRIBE to the one after its TEARDOWN.
func TestScheduler(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	compared := 0
	for _, sec := range recording(t) {
		if sec.part != "Scheduler API (`POST /api/v1/scheduler` on the master)" || notYet[sec.title] != "" {
			continue
		}
		switch sec.title {
		case "Status update retry when not acknowledged": // see TestRetry; the next sections want its task
			s.launch(t, "task-noack", `{"shell":true,"value":"sleep 1000"}`)
			continue
		case "Disconnect and reconnect within `failover_timeout`":
			s.newest(masterHost).conn.Close()
			st := s.subscribe(t, "ee22632d-1372-4f98-acef-856e53ddfd7e", 1, demo)
			st.conn.Close()
			sec.says(t, "After the client closed the connection, GET_FRAMEWORKS lists the framework with `active`=False, `connected`=False.")
			testcluster.Eventually(t, "the framework is disconnected", func() bool {
				for _, f := range c.Ask(masterpb.Call_GET_FRAMEWORKS).GetGetFrameworks().GetFrameworks() {
					if f.GetFrameworkInfo().GetId().GetValue() == st.framework {
						return !f.GetActive() && !f.GetConnected()
					}
				}
				return false
			})
		}
		compared += s.play(t, sec, nil)
	}
	if compared < 50 {
		t.Errorf("only %d items were compared", compared)
	}
}

// TestErrorAnswers replays everything that a Mesos master refuses.
func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	st := s.subscribe(t, "08009066-222e-4b7e-8f5f-262018015a2a", 0, demo)
	s.names.ours["1afd783c-3465-4bbd-b97d-44cb0bf0dd7b"] = st.id
	compared := 0
	for _, sec := range recording(t) {
		if sec.part == "Scheduler API: error answers" && sec.title != "Connection behaviour" {
			compared += s.play(t, sec, nil)
		}
	}
	if compared < 50 {
		t.Errorf("only %d items were compared", compared)
	}
}

// task describes a small task.
func (s *session) task(id, command string) string {
	return fmt.Sprintf(`{"name":%q,"task_id":{"value":%q},"agent_id":{"value":%q},"resources":[`+
		`{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}],%s}`,
		id, id, s.agent, command)
}

// launch launches a command task beside the recording and waits until it runs; its updates are
// acknowledged.
func (s *session) launch(t *testing.T, id, command string) {
	t.Helper()
	st := s.newest(masterHost)
	s.accept(t, st, id, `"command":`+command)
	s.until(t, st, id, "TASK_RUNNING")
}

// accept launches a task on whatever is offered.
func (s *session) accept(t *testing.T, st *stream, id, command string) {
	t.Helper()
	const placeholder = "00000000-0000-0000-0000-000000000000-O0"
	delete(s.names.ours, placeholder)
	s.must(t, st, fmt.Sprintf(`{"type":"ACCEPT","framework_id":{"value":%q},"accept":{"offer_ids":[{"value":%q}],`+
		`"operations":[{"type":"LAUNCH","launch":{"task_infos":[%s]}}],"filters":{"refuse_seconds":0}}}`,
		st.framework, placeholder, s.task(id, command)))
}

// must sends a call that is accepted.
func (s *session) must(t *testing.T, st *stream, call string) {
	t.Helper()
	if err := s.call(st, call); err != nil {
		t.Fatal(err)
	}
}

// kill asks for the end of a task.
func (s *session) kill(t *testing.T, st *stream, task string) {
	t.Helper()
	s.must(t, st, fmt.Sprintf(`{"type":"KILL","framework_id":{"value":%q},"kill":{"task_id":{"value":%q}}}`, st.framework, task))
}

// next is the next status of a task, not yet acknowledged, in its event.
func (s *session) next(t *testing.T, st *stream, task string) any {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case e, ok := <-st.events:
			if !ok {
				t.Fatalf("the stream ended before an update of %s", task)
			}
			s.noteOffers(e)
			if dig(e, "update", "status", "task_id", "value") == task {
				return e
			}
		case <-deadline:
			t.Fatalf("no update of %s within %s", task, patience)
		}
	}
}

// until acknowledges a task's updates up to the one in a state, and returns that one.
func (s *session) until(t *testing.T, st *stream, task, state string) any {
	t.Helper()
	for {
		e := s.next(t, st, task)
		status := dig(e, "update", "status")
		if dig(status, "uuid") != nil {
			if err := s.acknowledge(st, status); err != nil {
				t.Fatal(err)
			}
		}
		if dig(status, "state") == state {
			return e
		}
	}
}

const endings = "Task endings and PARTITION_AWARE behaviour"

// partitionAware is the framework of the part about endings.
func (s *session) partitionAware(t *testing.T) *stream {
	t.Helper()
	st := s.subscribe(t, "52c22d3b-a5b6-4d3f-901d-3fcf20338278", 0,
		strings.Replace(demo, `}]`, `},{"type":"PARTITION_AWARE"},{"type":"TASK_KILLING_STATE"}]`, 1))
	s.names.ours["4e5dc209-e111-45c9-84cc-260ca3baba03"] = st.id
	if err := s.awaitOffers(st); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestTaskEndings replays how tasks end, for a framework that is partition aware.
func TestTaskEndings(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	st := s.partitionAware(t)
	for _, ending := range []struct{ title, task, state, command string }{
		{"Command exits 3", "exit-3", "TASK_FAILED", `{"shell":true,"value":"exit 3"}`},
		{"Command killed by a signal", "sig-11", "TASK_FAILED", `{"shell":true,"value":"kill -11 $$"}`},
		{"Command not found, `shell: false`", "nf", "TASK_FAILED", `{"shell":false,"value":"/no/such/program","arguments":["x"]}`},
		{"URI that cannot be fetched", "uri", "TASK_FAILED", `{"shell":true,"value":"true","uris":[{"value":"/no/such/file"}]}`},
		{"Unknown user", "user", "TASK_DROPPED", `{"shell":true,"value":"true","user":"nobody-such"}`},
	} {
		t.Run(ending.title, func(t *testing.T) {
			if ending.task == "user" && os.Geteuid() != 0 {
				t.Skip("only root runs tasks as others")
			}
			sec := s.section(t, endings, ending.title)
			s.accept(t, st, ending.task, `"command":`+ending.command)
			var want any
			if err := json.Unmarshal([]byte(sec.items[0].event), &want); err != nil {
				t.Fatal(err)
			}
			for _, d := range s.compareEvents(want, s.until(t, st, ending.task, ending.state)) {
				t.Errorf("recorded in line %d: %s", sec.items[0].line, d)
			}
		})
	}
	s.launch(t, "k1", `{"shell":true,"value":"sleep 1000"}`)
	s.kill(t, st, "k1")
	s.play(t, s.section(t, endings, "KILL with TASK_KILLING_STATE"), nil)

	s.play(t, s.section(t, endings, "Reconciliation of unknown tasks"), cues{
		"ACCEPT of an unknown offer": func(t *testing.T) {
			s.must(t, st, fmt.Sprintf(`{"type":"ACCEPT","framework_id":{"value":%q},"accept":{"offer_ids":[{"value":"no-such-offer"}],`+
				`"operations":[{"type":"LAUNCH","launch":{"task_infos":[%s]}}]}}`, st.framework, s.task("bo", `"command":{"value":"true"}`)))
		},
		"KILL of an unknown task": func(t *testing.T) { s.kill(t, st, "never-existed") },
	})

	t.Run("KILL of a task that ignores SIGTERM", func(t *testing.T) {
		sec := s.section(t, endings, "KILL of a task that ignores SIGTERM (default grace period)")
		sec.says(t, "`TASK_KILLING` 0.00 s after KILL, message `None`")
		sec.says(t, "`TASK_KILLED` 3.10 s after KILL, message `Command terminated with signal Killed`")
		s.launch(t, "stubborn", `{"shell":true,"value":"trap '' TERM; echo ready; while true; do sleep 1; done"}`)
		output(t, c, "stubborn", "stdout")
		asked := time.Now()
		s.kill(t, st, "stubborn")
		killing := s.until(t, st, "stubborn", "TASK_KILLING")
		if dig(killing, "update", "status", "message") != nil {
			t.Errorf("got %s", text(killing))
		}
		killed := s.until(t, st, "stubborn", "TASK_KILLED")
		took, message := time.Since(asked), dig(killed, "update", "status", "message")
		if took < 2900*time.Millisecond || message != "Command terminated with signal Killed" {
			t.Errorf("after %s: %s", took, text(killed))
		}
	})
}

// section finds a section.
func (s *session) section(t *testing.T, part, title string) section {
	t.Helper()
	for _, sec := range recording(t) {
		if sec.part == part && sec.title == title {
			return sec
		}
	}
	t.Fatalf("the recording has no %q in %q", title, part)
	return section{}
}

// TestRetry sees an update that is not acknowledged again after ten seconds, as it was; the second time,
// after twenty more, is left to tests that own the clock.
func TestRetry(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	sec := s.section(t, "Scheduler API (`POST /api/v1/scheduler` on the master)", "Status update retry when not acknowledged")
	sec.says(t, "A task was launched and no update acknowledged.")
	sec.says(t, "Acknowledging the outstanding one released the next update (`TASK_RUNNING`) after 0.002 s.")
	if !strings.HasPrefix(sec.items[0].plain, "+0.10 s  TASK_STARTING") || !strings.Contains(sec.items[0].plain, "\n+10.10 s  TASK_STARTING") {
		t.Fatalf("recorded is\n%s", sec.items[0].plain)
	}
	st := s.partitionAware(t)
	s.accept(t, st, "task-noack", `"command":{"value":"sleep 1000"}`)
	first := s.next(t, st, "task-noack")
	came := time.Now()
	if dig(first, "update", "status", "state") != "TASK_STARTING" {
		t.Fatalf("got %s", text(first))
	}
	second := s.next(t, st, "task-noack")
	if took := time.Since(came); took < 9*time.Second {
		t.Errorf("retried after %s, recorded are 10 s", took)
	}
	if text(first) != text(second) {
		t.Errorf("got %s, then %s", text(first), text(second))
	}
	if err := s.acknowledge(st, dig(second, "update", "status")); err != nil {
		t.Fatal(err)
	}
	if third := s.next(t, st, "task-noack"); dig(third, "update", "status", "state") != "TASK_RUNNING" {
		t.Errorf("got %s", text(third))
	}
}
