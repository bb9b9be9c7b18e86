package replay

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestScheduler replays a scheduler's day, from its first SUBSCRIBE to the one after its TEARDOWN.
func TestScheduler(t *testing.T) {
	s, c := start(t)
	played := 0
	for _, sec := range recording(t) {
		if sec.part != "Scheduler API (`POST /api/v1/scheduler` on the master)" {
			continue
		}
		switch sec.title {
		case "UPDATE_FRAMEWORK": // not built yet: it is answered 501
			continue
		case "Status update retry when not acknowledged": // has no exchanges; the next sections want its task
			s.launch(t, "task-noack", `{"shell":true,"value":"sleep 1000"}`)
			continue
		case "Disconnect and reconnect within `failover_timeout`":
			s.streams[len(s.streams)-1].conn.Close()
			s.subscribe(t, "ee22632d-1372-4f98-acef-856e53ddfd7e", 1)
			s.streams[len(s.streams)-1].conn.Close()
		}
		played += s.play(t, sec)
		switch sec.title {
		case "Second SUBSCRIBE of the same framework (scheduler failover)":
			s.ends(t, s.streams[len(s.streams)-2], "zero chunk")
		case "TEARDOWN": // the framework's stream, and that of the refused return
			s.ends(t, s.streams[len(s.streams)-2], "zero chunk")
			s.ends(t, s.streams[len(s.streams)-1], "zero chunk")
		}
	}
	if played < 25 {
		t.Errorf("only %d exchanges were played", played)
	}
	_ = c
}

// ends waits for a stream to end as recorded.
func (s *session) ends(t *testing.T, st *stream, how string) {
	t.Helper()
	select {
	case got := <-st.ended:
		if got != how {
			t.Errorf("the stream ended with %s, recorded is %s", got, how)
		}
	case <-time.After(patience):
		t.Errorf("the stream did not end within %s", patience)
	}
}

// launch launches a task beside the recording and waits until it runs; its updates are acknowledged.
func (s *session) launch(t *testing.T, id, command string) {
	t.Helper()
	st := s.streams[len(s.streams)-1]
	s.accept(t, st, fmt.Sprintf(`{"name":%q,"task_id":{"value":%q},"agent_id":{"value":%q},"resources":[`+
		`{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}],"command":%s}`,
		id, id, s.agent, command))
	s.until(t, st, id, "TASK_RUNNING")
}

// accept launches a task on whatever is offered.
func (s *session) accept(t *testing.T, st *stream, task string) {
	t.Helper()
	const placeholder = "00000000-0000-0000-0000-000000000000-O0"
	delete(s.names.ours, placeholder)
	err := s.call(st, fmt.Sprintf(`{"type":"ACCEPT","framework_id":{"value":%q},"accept":{"offer_ids":[{"value":%q}],`+
		`"operations":[{"type":"LAUNCH","launch":{"task_infos":[%s]}}],"filters":{"refuse_seconds":0}}}`, st.framework, placeholder, task))
	if err != nil {
		t.Fatal(err)
	}
}

// until acknowledges a task's updates up to the one in a state, and returns that one.
func (s *session) until(t *testing.T, st *stream, task, state string) any {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case e, ok := <-st.events:
			if !ok {
				t.Fatalf("the stream ended before %s of %s", state, task)
			}
			s.noteOffers(e)
			status := dig(e, "update", "status")
			if status == nil || dig(status, "task_id", "value") != task {
				continue
			}
			if dig(status, "uuid") != nil {
				if err := s.acknowledge(st, st.framework, status); err != nil {
					t.Fatal(err)
				}
			}
			if dig(status, "state") == state {
				return e
			}
		case <-deadline:
			t.Fatalf("no %s of %s within %s", state, task, patience)
		}
	}
}

// TestTaskEndings replays how tasks end, for a framework that is partition aware.
func TestTaskEndings(t *testing.T) {
	s, _ := start(t)
	st := s.subscribeAs(t, "52c22d3b-a5b6-4d3f-901d-3fcf20338278", 0,
		`"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"},{"type":"TASK_KILLING_STATE"}]`)
	if err := s.awaitOffers(st); err != nil {
		t.Fatal(err)
	}
	endings := map[string]string{ // by section: the task's id, its end and what beside its command makes it
		"Command exits 3":                   `exit-3 TASK_FAILED {"shell":true,"value":"exit 3"}`,
		"Command killed by a signal":        `sig-11 TASK_FAILED {"shell":true,"value":"kill -11 $$"}`,
		"Command not found, `shell: false`": `nf TASK_FAILED {"shell":false,"value":"/no/such/program","arguments":["x"]}`,
		"URI that cannot be fetched":        `uri TASK_FAILED {"shell":true,"value":"true","uris":[{"value":"/no/such/file"}]}`,
		"Unknown user":                      `user TASK_DROPPED {"shell":true,"value":"true","user":"nobody-such"}`,
	}
	for _, sec := range recording(t) {
		ending, ok := endings[sec.title]
		if !ok {
			continue
		}
		delete(endings, sec.title)
		t.Run(sec.title, func(t *testing.T) {
			p := strings.SplitN(ending, " ", 3)
			s.accept(t, st, fmt.Sprintf(`{"name":%q,"task_id":{"value":%q},"agent_id":{"value":%q},"resources":[`+
				`{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}],"command":%s}`,
				p[0], p[0], s.agent, p[2]))
			got := s.until(t, st, p[0], p[1])
			var want any
			if err := json.Unmarshal([]byte(sec.items[0].event), &want); err != nil {
				t.Fatal(err)
			}
			differences := s.names.compare("", want, got)
			if p[0] == "nf" {
				differences = withoutPID(differences)
			}
			for _, d := range differences {
				t.Errorf("recorded in line %d: %s", sec.items[0].line, d)
			}
		})
	}
	if len(endings) > 0 {
		t.Errorf("not in the recording: %v", endings)
	}
}
