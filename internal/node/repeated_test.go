package node

import (
	"fmt"
	"strings"
	"testing"
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
