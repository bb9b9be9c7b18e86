package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/core"
)

// script drives a ledger and compares what it wants done with what is expected,
// both in short words.
type script struct {
	t       *testing.T
	l       *ledger.Ledger
	now     core.Time
	request uint64
}

func newScript(t *testing.T, limit int) *script {
	return &script{t: t, l: ledger.New(limit), now: core.Time{Wall: time.Unix(1000, 0)}}
}

// is applies an input and expects these outputs.
func (s *script) is(in ledger.Input, want ...string) {
	s.t.Helper()
	var got []string
	for _, out := range s.l.Step(s.now, in) {
		got = append(got, words(out))
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("%T %+v gave\n\t%s\nexpected\n\t%s", in, in, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (s *script) pass(d time.Duration) { s.now = s.now.Add(d) }

func words(out ledger.Output) string {
	switch out := out.(type) {
	case ledger.Record:
		return fmt.Sprint("record ", [...]string{"", "launch", "started", "exit", "forget", "failed"}[out.Kind], " ", out.ID)
	case ledger.Fork:
		return fmt.Sprint("fork ", out.Spec.ID)
	case ledger.Terminate:
		return fmt.Sprint("terminate ", out.ID)
	case ledger.Destroy:
		return fmt.Sprint("destroy ", out.ID)
	case ledger.Answer:
		switch {
		case out.Err != nil:
			return fmt.Sprint("answer ", out.Ticket.Request, ": ", out.Err)
		case out.List != nil:
			var list []string
			for _, info := range out.List {
				list = append(list, fmt.Sprint(info.ID, " ", info.State))
			}
			return fmt.Sprint("answer ", out.Ticket.Request, ": ", strings.Join(list, ", "))
		case out.Started.PID != 0:
			return fmt.Sprint("answer ", out.Ticket.Request, ": pid ", out.Started.PID)
		case out.Statistics != nil:
			return fmt.Sprint("answer ", out.Ticket.Request, ": measured ", out.Statistics[0].ID)
		}
		return fmt.Sprint("answer ", out.Ticket.Request)
	case ledger.Enforce:
		return fmt.Sprint("enforce ", out.ID, ": ", out.Limits.PIDs, " pids")
	case ledger.Survey:
		return fmt.Sprint("survey ", out.IDs)
	case ledger.Replay:
		var exits []string
		for _, exit := range out.Exits {
			exits = append(exits, string(exit.ID))
		}
		return fmt.Sprint("replay ", out.Ticket.Request, ": ", strings.Join(exits, ", "))
	case ledger.Publish:
		return fmt.Sprint("publish ", out.Exit.ID, ": ", out.Exit.Status, ", ", out.Exit.Reason)
	case ledger.Stopped:
		return "stopped"
	}
	return fmt.Sprintf("%T", out)
}

func ticket(request uint64) ledger.Ticket { return ledger.Ticket{Request: request} }

func launch(request uint64, id container.ID) ledger.Launch {
	return ledger.Launch{Ticket: ticket(request), Spec: container.Spec{ID: id, Argv: []string{"program"}, Dir: "/"}}
}

func forked(id container.ID, pid int) ledger.Forked {
	return ledger.Forked{ID: id, Started: container.Started{PID: pid}}
}

func kill(request uint64, id container.ID, grace time.Duration) ledger.Kill {
	return ledger.Kill{Ticket: ticket(request), ID: id, Grace: grace}
}

func ended(id container.ID, code int) ledger.MainEnded {
	return ledger.MainEnded{ID: id, Status: container.ExitStatus(code)}
}

func vacated(id container.ID, code int) ledger.MainEnded {
	return ledger.MainEnded{ID: id, Status: container.ExitStatus(code), Vacant: true}
}

func TestALife(t *testing.T) {
	s := newScript(t, 0)
	s.is(launch(1, "a"), "record launch a", "fork a")
	s.is(forked("a", 10), "record started a", "answer 1: pid 10")
	s.is(ended("a", 3), "destroy a")
	s.is(ledger.List{Ticket: ticket(2)}, "answer 2: a ending")
	s.is(ledger.Vacant{ID: "a"}, "record exit a", "publish a: exited with status 3, exited")
	s.is(ledger.Collect{Ticket: ticket(3), IDs: []container.ID{"a"}}, "record forget a", "answer 3")
	s.is(ledger.List{Ticket: ticket(4)}, "answer 4: ")
	if s.l.Len() != 0 || s.l.Live() != 0 {
		t.Errorf("%d remembered, %d live; expected none", s.l.Len(), s.l.Live())
	}
}

func TestLaunchesOfOneIDAreAnsweredAlike(t *testing.T) {
	s := newScript(t, 0)
	s.is(launch(1, "a"), "record launch a", "fork a")
	s.is(launch(2, "a"))
	s.is(forked("a", 10), "record started a", "answer 1: pid 10", "answer 2: pid 10")
	s.is(launch(3, "a"), "answer 3: pid 10")
	s.is(vacated("a", 0), "record exit a", "publish a: exited with status 0, exited")
	s.is(launch(4, "a"), "answer 4: pid 10")
}

func TestAFailedForkIsRememberedAndHasNoExit(t *testing.T) {
	s := newScript(t, 0)
	failure := &container.LaunchError{ID: "a", Stage: container.StageExec, Errno: syscall.ENOENT, What: "x"}
	const said = `container "a": cannot execute "x": no such file or directory`
	s.is(launch(1, "a"), "record launch a", "fork a")
	s.is(kill(2, "a", time.Second), "answer 2")
	s.is(ledger.ForkFailed{Err: failure}, "record failed a", "answer 1: "+said)
	s.is(launch(3, "a"), "answer 3: "+said)
	s.is(kill(4, "a", 0), "answer 4")
	s.pass(time.Hour)
	s.is(ledger.Tick{})
	s.is(ledger.Watch{Ticket: ticket(5)}, "replay 5: ")
	s.is(ledger.Collect{Ticket: ticket(6), IDs: []container.ID{"a"}}, "answer 6")
	s.is(launch(7, "a"), "record launch a", "fork a")
}

func TestAKillDuringTheLaunchTakesEffectOnceItRuns(t *testing.T) {
	s := newScript(t, 0)
	s.is(launch(1, "a"), "record launch a", "fork a")
	s.is(kill(2, "a", time.Second), "answer 2")
	s.is(forked("a", 10), "record started a", "answer 1: pid 10", "terminate a")
	s.pass(time.Second - 1)
	s.is(ledger.Tick{})
	s.pass(1)
	s.is(ledger.Tick{}, "destroy a")

	s.is(launch(3, "b"), "record launch b", "fork b")
	s.is(kill(4, "b", time.Second), "answer 4")
	s.pass(time.Minute) // the exec hung
	s.is(ledger.Tick{})
	s.is(forked("b", 11), "record started b", "answer 3: pid 11", "destroy b")
}

func TestTheEarliestDeadlineHolds(t *testing.T) {
	s := newScript(t, 0)
	for i, id := range []container.ID{"a", "b", "c"} {
		s.l.Step(s.now, launch(1, id))
		s.l.Step(s.now, forked(id, i))
	}
	s.is(kill(2, "a", 3*time.Second), "answer 2", "terminate a")
	s.is(kill(3, "b", 5*time.Second), "answer 3", "terminate b")
	s.is(kill(4, "c", 0), "answer 4", "destroy c")
	s.is(kill(5, "b", time.Second), "answer 5")
	s.is(kill(6, "b", time.Minute), "answer 6")
	s.is(kill(7, "b", 0), "answer 7", "destroy b")
	if got := s.l.NextDeadline(); got != 3*time.Second {
		t.Errorf("next deadline %v, expected 3s", got)
	}
	s.is(vacated("a", 0), "record exit a", "publish a: exited with status 0, killed")
	if got := s.l.NextDeadline(); got != core.Never {
		t.Errorf("next deadline %v, expected none", got)
	}
	s.is(kill(8, "a", 0), "answer 8")
	s.is(kill(9, "none", 0), `answer 9: unknown container "none"`)
}

func TestAGraceIsBounded(t *testing.T) {
	s := newScript(t, 0)
	s.l.Step(s.now, launch(1, "a"))
	s.l.Step(s.now, forked("a", 1))
	s.is(kill(2, "a", 1<<63-1), "answer 2", "terminate a")
	if got := s.l.NextDeadline(); got != container.MaxGrace {
		t.Errorf("next deadline %v, expected %v", got, container.MaxGrace)
	}
}

func TestStopEndsEverythingAndStartsNothing(t *testing.T) {
	s := newScript(t, 0)
	for i, id := range []container.ID{"runs", "killed", "ends"} {
		s.l.Step(s.now, launch(1, id))
		s.l.Step(s.now, forked(id, i+1))
	}
	s.l.Step(s.now, launch(2, "starts"))
	s.l.Step(s.now, kill(3, "killed", time.Millisecond))
	s.l.Step(s.now, ended("ends", 0))
	s.is(ledger.Stop{Grace: time.Second}, "terminate runs")
	s.is(ledger.Stop{Grace: time.Second})
	s.is(launch(4, "late"), "answer 4: supervisor is stopping")
	s.is(forked("starts", 9), "record started starts", "answer 2: pid 9", "terminate starts")
	s.pass(time.Second)
	s.is(ledger.Tick{}, "destroy killed", "destroy runs", "destroy starts")
	s.is(vacated("runs", 0), "record exit runs", "publish runs: exited with status 0, supervisor stopped")
	s.is(vacated("killed", 0), "record exit killed", "publish killed: exited with status 0, killed")
	s.is(vacated("starts", 0), "record exit starts", "publish starts: exited with status 0, supervisor stopped")
	s.is(ledger.Vacant{ID: "ends"}, "record exit ends", "publish ends: exited with status 0, exited", "stopped")

	empty := newScript(t, 0)
	empty.is(ledger.Stop{}, "stopped")
}

func TestAFullLedgerRefusesUntilSomethingIsCollected(t *testing.T) {
	s := newScript(t, 2)
	s.l.Step(s.now, launch(1, "a"))
	s.l.Step(s.now, launch(2, "b"))
	s.l.Step(s.now, forked("a", 1))
	s.l.Step(s.now, vacated("a", 0))
	var refused error
	for _, out := range s.l.Step(s.now, launch(3, "c")) {
		refused = out.(ledger.Answer).Err
	}
	if !errors.Is(refused, container.ErrFull) {
		t.Errorf("got %v, expected ErrFull", refused)
	}
	s.l.Step(s.now, ledger.Collect{IDs: []container.ID{"a"}})
	s.is(launch(4, "c"), "record launch c", "fork c")
}

func TestWhatIsUnknownOrLateIsPassedOver(t *testing.T) {
	s := newScript(t, 0)
	for _, in := range []ledger.Input{
		forked("x", 1), ended("x", 0), ledger.Vacant{ID: "x"},
		ledger.ForkFailed{Err: &container.LaunchError{ID: "x"}},
	} {
		s.is(in)
	}
	s.l.Step(s.now, launch(1, "a"))
	s.l.Step(s.now, forked("a", 1))
	s.is(forked("a", 2))
	s.is(ledger.Vacant{ID: "a"}) // its main process has not been reaped
	s.l.Step(s.now, vacated("a", 1))
	s.is(ended("a", 2))
	s.is(ledger.Vacant{ID: "a"})
}

func TestAfterABusyTimeTheBooksAreAsEmptyAsBefore(t *testing.T) {
	s := newScript(t, 0)
	for round := range 2 {
		var ids []container.ID
		for i := range 5000 {
			id := container.ID(fmt.Sprint("c", i))
			ids = append(ids, id)
			s.l.Step(s.now, launch(1, id))
			s.l.Step(s.now, forked(id, i+1))
			s.l.Step(s.now, kill(1, id, time.Minute))
			s.l.Step(s.now, vacated(id, 0))
		}
		forgotten := 0
		for _, out := range s.l.Step(s.now, ledger.Collect{IDs: ids}) {
			if r, ok := out.(ledger.Record); ok && r.Kind == ledger.RecordForget {
				forgotten++
			}
		}
		if forgotten != len(ids) || s.l.Len() != 0 || s.l.Live() != 0 || s.l.NextDeadline() != core.Never {
			t.Errorf("round %d: %d forgotten, %d remembered, %d live", round, forgotten, s.l.Len(), s.l.Live())
		}
		s.is(ledger.Watch{Ticket: ticket(1)}, "replay 1: ")
	}
}

func limit(request uint64, id container.ID, pids uint64) ledger.Limit {
	return ledger.Limit{Ticket: ticket(request), ID: id, Limits: container.Limits{PIDs: pids}}
}

func TestLimitsAreEnforcedOnWhatRuns(t *testing.T) {
	s := newScript(t, 0)
	s.is(limit(1, "a", 5), `answer 1: unknown container "a"`)
	s.is(launch(2, "a"), "record launch a", "fork a")
	s.is(limit(3, "a", 6))
	s.is(limit(4, "a", 7))
	s.is(forked("a", 10), "record started a", "answer 2: pid 10", "enforce a: 6 pids", "enforce a: 7 pids")
	s.is(ledger.Served{Ticket: ticket(3)}, "answer 3")
	s.is(ledger.Served{Ticket: ticket(4), Err: errors.New("no")}, "answer 4: no")
	s.is(ledger.Limit{Ticket: ticket(5), ID: "a", Limits: container.Limits{CPUQuota: 1}},
		"answer 5: invalid container request: cpu quota is 1ns, expected none or at least 1ms")
	s.is(ended("a", 0), "destroy a")
	s.is(limit(6, "a", 8), "answer 6")

	s.is(launch(7, "b"), "record launch b", "fork b")
	s.is(limit(8, "b", 9))
	s.is(ledger.ForkFailed{Err: &container.LaunchError{ID: "b"}}, "record failed b",
		`answer 7: container "b": cannot start: errno 0`, "answer 8")
}

func TestWhatRunsIsMeasured(t *testing.T) {
	s := newScript(t, 0)
	s.is(ledger.Measure{Ticket: ticket(1)}, "answer 1")
	s.is(launch(2, "starts"), "record launch starts", "fork starts")
	for i, id := range []container.ID{"a", "b", "gone"} {
		s.l.Step(s.now, launch(3, id))
		s.l.Step(s.now, forked(id, i))
	}
	s.l.Step(s.now, vacated("gone", 0))
	s.is(ledger.Measure{Ticket: ticket(4)}, "survey [a b]")
	s.is(ledger.Served{Ticket: ticket(4), Statistics: []container.Statistics{{ID: "a"}}}, "answer 4: measured a")
	s.is(ledger.Measure{Ticket: ticket(5), IDs: []container.ID{"gone", "b", "never"}}, "survey [b]")
	s.is(ledger.Measure{Ticket: ticket(6), IDs: []container.ID{"gone"}}, "answer 6")
}

func TestAContainerOutOfMemoryEndsAsAWhole(t *testing.T) {
	s := newScript(t, 0)
	memory := container.OutOfMemory{Limit: 100, Peak: 99}
	for i, id := range []container.ID{"child", "main", "killed"} {
		s.l.Step(s.now, launch(1, id))
		s.l.Step(s.now, forked(id, i))
	}
	s.is(ledger.OutOfMemory{ID: "child", Memory: memory}, "destroy child")
	s.is(ledger.OutOfMemory{ID: "child", Memory: memory})
	s.is(vacated("child", 1), "record exit child", "publish child: exited with status 1, out of memory")
	s.is(ledger.OutOfMemory{ID: "child", Memory: memory})

	end := vacated("main", 1)
	end.OutOfMemory = &memory
	s.is(end, "record exit main", "publish main: exited with status 1, out of memory")

	s.is(kill(2, "killed", time.Hour), "answer 2", "terminate killed")
	s.is(ledger.OutOfMemory{ID: "killed", Memory: memory}, "destroy killed")
	s.is(vacated("killed", 1), "record exit killed", "publish killed: exited with status 1, out of memory")
	for _, exit := range s.l.Uncollected() {
		if exit.OutOfMemory != memory {
			t.Errorf("%s ended with %+v, expected %+v", exit.ID, exit.OutOfMemory, memory)
		}
	}
	s.is(ledger.OutOfMemory{ID: "never"})
}
