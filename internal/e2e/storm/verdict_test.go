package storm

import (
	"os"
	"strings"
	"testing"
)

// story is all that is known of one task.
type story struct {
	plan   plan
	told   []status // what its framework was told, repetitions left out
	begun  int      // how often it began
	ended  bool     // it came to its own end
	uuids  map[string]bool
	ending *status
}

// judge compares what happened with what the framework was told.
func judge(t *testing.T, dir string) (tasks int, ends map[string]int) {
	t.Helper()
	entries, err := readJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	stories := make(map[string]*story)
	for _, e := range entries {
		if e.Launch != nil {
			stories[e.Launch.Task] = &story{plan: *e.Launch, uuids: make(map[string]bool)}
			continue
		}
		stories[e.Status.Task].hear(t, e.Status)
	}
	ends = make(map[string]int)
	for _, s := range stories {
		s.witness(t, dir)
		s.judge(t)
		if s.ending != nil {
			ends[s.ending.State+" "+s.ending.Reason]++
		}
	}
	return len(stories), ends
}

// hear takes one status in and checks the order.
func (s *story) hear(t *testing.T, heard *status) {
	if heard.UUID != "" && s.uuids[heard.UUID] {
		if last := s.told[len(s.told)-1]; last.UUID != heard.UUID && terminal(last.State) {
			t.Errorf("%s: %s comes again after %s", heard.Task, heard.State, last.State)
		}
		return
	}
	s.uuids[heard.UUID] = true
	if s.ending != nil && !terminal(heard.State) {
		t.Errorf("%s: %s (%s) after %s (%s)", heard.Task, heard.State, heard.Message, s.ending.State, s.ending.Message)
	}
	foretold := s.ending != nil && s.ending.UUID == "" && s.ending.State == heard.State // by reconciliation
	if s.ending != nil && !foretold && terminal(heard.State) && heard.UUID != "" {
		t.Errorf("%s ends twice: %+v, then %+v", heard.Task, *s.ending, *heard)
	}
	s.told = append(s.told, *heard)
	if terminal(heard.State) && (s.ending == nil || foretold) {
		s.ending = heard
	}
}

// witness reads what the task has written.
func (s *story) witness(t *testing.T, dir string) {
	text, err := os.ReadFile(trace(dir, s.plan.Task))
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	s.begun = strings.Count(string(text), "begin\n")
	s.ended = strings.Contains(string(text), "end\n")
}

// judge says what is wrong with a story.
func (s *story) judge(t *testing.T) {
	if s.begun > 1 {
		t.Errorf("%s began %d times: %+v", s.plan.Task, s.begun, s.told)
	}
	if s.ending == nil {
		t.Errorf("%s: nobody was told how it ended: %+v", s.plan.Task, s.told)
		return
	}
	e := s.ending
	switch {
	case e.Reason == "REASON_EXECUTOR_TERMINATED" && e.State == "TASK_FAILED": // with its supervisor or its executor
	case e.State == "TASK_FINISHED" && s.ended && s.plan.Exit == 0:
	case e.State == "TASK_FAILED" && s.ended && s.plan.Exit != 0 && strings.HasSuffix(e.Message, s.plan.lastWords()):
	case neverRan(e.State) && s.begun == 0:
	default:
		t.Errorf("%s: began %d times, came to its end: %v, and should have ended with %d; told: %+v",
			s.plan.Task, s.begun, s.ended, s.plan.Exit, s.told)
	}
}

// lastWords are the end of the message with which the task fails by itself.
func (p plan) lastWords() string {
	digit := string(rune('0' + p.Exit))
	if p.Executor != "" {
		return "code " + digit
	}
	return "exited with status " + digit
}

func neverRan(state string) bool {
	return state == "TASK_DROPPED" || state == "TASK_UNKNOWN" || state == "TASK_GONE"
}
