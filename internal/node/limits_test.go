package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// What a framework has not acknowledged is kept, so it is bounded, in number and in bytes, whichever way it comes.
func TestWhatIsOwedIsBounded(t *testing.T) {
	update := func(n, size int) ExecutorUpdate {
		return ExecutorUpdate{"t1", Status{UUID: parseUUID(fmt.Sprintf("x%d", n)), State: mesos.TaskState_TASK_RUNNING,
			Source: mesos.TaskStatus_SOURCE_EXECUTOR, Reason: NoReason, Data: make([]byte, size)}}
	}
	for _, c := range []struct {
		name       string
		bound      Config
		size       int
		launches   int // updates from which no task is taken
		updates    int // and no update
		complaint  string
		complaint2 string
	}{
		{"number", Config{MaxUnacknowledged: 4}, 0, 4, 8, "4 unacknowledged status updates on this agent, the limit is 4",
			"8 unacknowledged status updates on this agent, the limit is 8"},
		{"bytes", Config{MaxUnacknowledgedBytes: 400}, 150, 3, 6, "450 bytes of unacknowledged status updates on this agent, the limit is 400",
			"900 bytes of unacknowledged status updates on this agent, the limit is 800"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript()
			s.config.MaxUnacknowledged, s.config.MaxUnacknowledgedBytes = c.bound.MaxUnacknowledged, c.bound.MaxUnacknowledgedBytes
			play := func(line string) string { return strings.Join(s.do(t, strings.Fields(line)), "\n") }
			for _, line := range []string{"start", "link", "run F t1 exec=E", "persisted", "started c1.1 42", "subscribe F E"} {
				play(line)
			}
			expect := func(what, got, want string) {
				t.Helper()
				if !strings.Contains(got, want) {
					t.Errorf("%s: expected %q in\n%s", what, want, got)
				}
			}
			for n := range c.updates {
				if n == c.launches {
					expect("launch", play("run F t2 exec=E lives"), c.complaint)
				}
				in := ExecutorUpdates{Framework: "F", Executor: "E", Update: update(n+1, c.size)}
				expect(fmt.Sprint("update ", n+1), strings.Join(s.step(in), "\n"), "answer 202")
			}
			in := ExecutorUpdates{Framework: "F", Executor: "E", Update: update(100, c.size)}
			expect("one more", strings.Join(s.step(in), "\n"), "answer 503 The framework has "+c.complaint2)
			again := ExecutorSubscribes{Stream: 9, Framework: "F", Executor: "E", Tasks: []ids.TaskID{"t1"}, Updates: []ExecutorUpdate{update(100, c.size)}}
			expect("by a subscription", strings.Join(s.step(again), "\n"), "answer 503")
			play("wait 10ms")
			play("persisted")
			for n := range c.updates {
				play(fmt.Sprintf("ack F t1 x%d", n+1))
				play("persisted")
			}
			expect("room again", strings.Join(s.step(again), "\n"), "answer 200")
			if f := s.node.frameworks["F"]; f.owed != 1 || f.owedBytes != c.size {
				t.Errorf("%d statuses of %d bytes are owed, expected 1 of %d", f.owed, f.owedBytes, c.size)
			}
		})
	}
}

// An executor that is there and cannot be taken is not ended for staying away.
func TestExecutorThatIsPutOffIsNotOverdue(t *testing.T) {
	s := newScript()
	s.config.MaxUnacknowledged = 1
	play := func(line string) string { return strings.Join(s.do(t, strings.Fields(line)), "\n") }
	for _, line := range []string{"start", "link", "run F t1 exec=E", "persisted", "started c1.1 42", "subscribe F E",
		"update F E t1 RUNNING x1", "update F E t1 RUNNING x2", "persisted", "start c1.1=running", "accepting"} {
		play(line)
	}
	for n := range 5 {
		s.stream++
		s.step(ExecutorSubscribes{Stream: s.stream, Framework: "F", Executor: "E", Updates: []ExecutorUpdate{
			{"t1", Status{UUID: parseUUID(fmt.Sprintf("x%d", 3+n)), State: mesos.TaskState_TASK_RUNNING, Reason: NoReason}}}})
		if out := play(fmt.Sprint("wait ", 10*time.Second)); strings.Contains(out, "kill") {
			t.Fatalf("ended all the same:\n%s", out)
		}
	}
	if out := play("wait 2m"); !strings.Contains(out, "kill c1.1") {
		t.Errorf("it never came again and goes on:\n%s", out)
	}
}

// What waits for company costs memory, so that a lot of it waits no more.
func TestMuchDoesNotWaitForCompany(t *testing.T) {
	s := newScript()
	for _, line := range []string{"start", "link", "run F t1 exec=E", "persisted", "started c1.1 42", "subscribe F E"} {
		s.do(t, strings.Fields(line))
	}
	for n := range 2 * fewAtOnce {
		s.do(t, strings.Fields(fmt.Sprintf("update F E t1 RUNNING x%d", n+1)))
	}
	for n := range 20 {
		s.step(ExecutorUpdates{Framework: "F", Executor: "E", Update: ExecutorUpdate{"t1", Status{UUID: parseUUID(fmt.Sprintf("x%d", 100+n)),
			State: mesos.TaskState_TASK_RUNNING, Reason: NoReason, Data: make([]byte, 100<<10)}}})
		if got := s.node.commits.weight; got > companyWeight {
			t.Fatalf("%d bytes wait, at most %d were expected", got, companyWeight)
		}
	}
}

// The history is in each Subscribe, so that it is bounded in bytes, too.
func TestHistoryIsBoundedInBytes(t *testing.T) {
	s := newScript()
	s.config.MaxCompletedBytes = 1000
	play := func(line string) string { return strings.Join(s.do(t, strings.Fields(line)), "\n") }
	play("start")
	play("link")
	for n := range 5 {
		id := fmt.Sprintf("t%d", n)
		task := runOf([]string{"F", id, "unsupported"})
		task.Task.Info, task.Unsupported = make([]byte, 200), strings.Repeat("x", 100)
		s.step(s.fromMaster(task))
		play("persisted")
		u := s.node.frameworks["F"].tasks[ids.TaskID(id)].owed[0].UUID
		play("ack F " + id + " " + nameUUID(u))
	}
	var left []ids.TaskID
	for past := range s.node.history.all() {
		left = append(left, past.id)
	}
	if fmt.Sprint(left) != "[t2 t3 t4]" || len(s.node.frameworks["F"].past) != 3 {
		t.Errorf("%v of %d bytes are remembered, expected the last three", left, s.node.history.bytes)
	}
	play("end F")
	if s.node.history.bytes != 0 {
		t.Errorf("%d bytes are left of a framework that is gone", s.node.history.bytes)
	}
}
