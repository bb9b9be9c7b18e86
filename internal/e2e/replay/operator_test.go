package replay

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// operatorRecording is what was recorded of the operator API, as far as it does not depend on what the
// recorded cluster had been through.
func operatorRecording(t *testing.T) map[string]section {
	t.Helper()
	text, err := os.ReadFile("testdata/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	byTitle := make(map[string]section)
	for _, sec := range sections {
		byTitle[sec.title] = sec
	}
	return byTitle
}

// TestOperatorAnswers replays calls of an operator, good and bad.
func TestOperatorAnswers(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	sections := operatorRecording(t)
	if n := s.play(t, sections["Answers"], nil) + s.play(t, sections["Errors"], nil); n < 15 {
		t.Errorf("only %d items were compared", n)
	}
}

// TestOperatorEvents replays the life of a framework and of its task, as an operator hears of it.
func TestOperatorEvents(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	var watch *stream
	acts := map[string]func(){
		"A new framework subscribes": func() {
			watch = s.newest(masterHost)
			if first := watch.soon(t); kind(first) != "SUBSCRIBED" || dig(first, "subscribed", "heartbeat_interval_seconds") != 15.0 {
				t.Errorf("first event: %s", text(first))
			}
			st := s.subscribe(t, "40d0a3cd-8d76-47a8-9878-6a05c2db69c6", 1, strings.Replace(demo, `"demo"`, `"demo-op2"`, 1))
			if err := s.awaitOffers(st); err != nil {
				t.Fatal(err)
			}
		},
		"It launches a task `sleep 1`": func() {
			st := s.newest(masterHost)
			s.accept(t, st, "ev-1", `"command":{"value":"sleep 1"}`)
			s.until(t, st, "ev-1", "TASK_FINISHED")
		},
	}
	items := operatorRecording(t)["SUBSCRIBE: operator event stream"].items
	for i, it := range items {
		for begin, act := range acts {
			if strings.HasPrefix(it.caption, begin) {
				act()
				delete(acts, begin)
			}
		}
		var differences []string
		switch {
		case it.request != nil:
			var err error
			if differences, err = s.exchange(it.request, items[i+1].response); err != nil {
				t.Fatal(err)
			}
		case it.event != "":
			var want any
			// The recorded framework had changed its role before it was removed.
			if err := json.Unmarshal([]byte(strings.ReplaceAll(it.event, `["x"]`, `["*"]`)), &want); err != nil {
				t.Fatal(err)
			}
			differences = s.compareEvents(want, watch.soon(t))
		}
		for _, d := range differences {
			t.Errorf("recorded in line %d: %s", it.line, d)
		}
	}
	if len(acts) > 0 {
		t.Error("the recording is not as it was: something has not happened")
	}
}

// soon is the next event that is no heartbeat.
func (st *stream) soon(t *testing.T) any {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case e, ok := <-st.events:
			if !ok {
				t.Fatalf("the stream ended: %s", <-st.ended)
			}
			if kind(e) != "HEARTBEAT" {
				return e
			}
		case <-deadline:
			t.Fatalf("no event within %s", patience)
		}
	}
}
