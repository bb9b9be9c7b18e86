package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/core"
)

// An executor whose connection broke repeats whatever it has no receipt for, however much that is. Each status
// reaches the framework once and in order.
func TestRepeatedUpdatesAreTakenOnce(t *testing.T) {
	s := newScript()
	play := func(format string, args ...any) []string {
		t.Helper()
		return s.do(t, strings.Fields(fmt.Sprintf(format, args...)))
	}
	for _, line := range []string{"start", "link", "run F t1 exec=E", "persisted", "started c1.1 42", "subscribe F E"} {
		play("%s", line)
	}
	const updates = 3 * seenPerTask
	for range 2 {
		for i := range updates {
			play("update F E t1 RUNNING x%d", i+1)
		}
	}
	commit := func() {
		play("wait 10ms") // a crowd waits for company
		play("persisted")
	}
	commit()
	for i := range updates {
		play("ack F t1 x%d", i+1)
		commit()
	}
	if owed := s.node.frameworks["F"].owed; owed != 0 {
		t.Errorf("%d statuses are owed after each of %d was acknowledged once and in order", owed, updates)
	}
	if n := len(s.node.frameworks["F"].tasks["t1"].seen); n > updates {
		t.Errorf("%d updates are remembered, at most %d were expected", n, updates)
	}
}

// In a crowd records wait in memory while the state that they led to is already in a snapshot: the log then has
// them a second time behind it.
func TestStatusesBehindASnapshotThatHasThemAreReplayedOnce(t *testing.T) {
	s := newScript()
	play := func(line string) []string {
		t.Helper()
		return s.do(t, strings.Fields(line))
	}
	for _, line := range []string{"start", "link", "run F t1 exec=E", "persisted", "started c1.1 42", "subscribe F E"} {
		play(line)
	}
	for i := range 2 * fewAtOnce {
		play(fmt.Sprintf("update F E t1 RUNNING x%d", i+1))
	}
	play("persisted")
	snapshot, before := s.node.Snapshot(), len(s.log)
	play("wait 10ms")
	play("persisted")
	if len(s.log) == before {
		t.Fatal("the scene is wrong: nothing waited for company")
	}
	s.log = append(snapshot, s.log[before:]...)
	play("start c1.1=running")
	owed := s.node.frameworks["F"].tasks["t1"].owed
	if len(owed) != 2*fewAtOnce {
		t.Errorf("%d statuses are owed, expected %d", len(owed), 2*fewAtOnce)
	}
	for i, o := range owed {
		if want := parseUUID(fmt.Sprintf("x%d", i+1)); o.UUID != want {
			t.Fatalf("status %d that is owed is %s, expected %s", i, nameUUID(o.UUID), nameUUID(want))
		}
	}
}

// Somebody who asks for all the time in the world gets it.
func TestLongestTimesDoNotRunOut(t *testing.T) {
	s := newScript()
	forever := core.Never
	for _, line := range []string{"start", "link"} {
		s.do(t, strings.Fields(line))
	}
	task := runOf([]string{"F", "t1"})
	task.Task.MaxTime = forever
	s.step(s.fromMaster(task))
	executor := runOf([]string{"F", "t2", "exec=E"})
	executor.Executor.ShutdownGrace = &forever
	s.step(s.fromMaster(executor))
	for _, line := range []string{"persisted", "started c1.1 42", "started c1.3 43", "subscribe F E", "shutdown F E", "wait 1h"} {
		if out := strings.Join(s.do(t, strings.Fields(line)), "\n"); strings.Contains(out, "kill") {
			t.Errorf("%s ends it:\n%s", line, out)
		}
	}
}
