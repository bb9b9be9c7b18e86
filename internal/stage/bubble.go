package stage

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// NeedBubble ends a test that is not in a synctest bubble: its ten minutes would take ten minutes.
func NeedBubble(t testing.TB, what string) {
	t.Helper()
	defer func() {
		if problem := recover(); problem != nil {
			t.Fatalf("%s is called outside of a bubble (%v): put the test into synctest.Test(t, func(t *testing.T) { … })", what, problem)
		}
	}()
	synctest.Wait()
}

// maxTold bounds what a failing test logs: what came last matters most.
const maxTold = 400

// Tell words a history for the log of a test.
func Tell(history []Entry) string {
	var b strings.Builder
	b.WriteString("what happened, by virtual time:\n")
	history = withoutRoutine(history)
	if left := len(history) - maxTold; left > 0 {
		fmt.Fprintf(&b, "  … %d lines …\n", left)
		history = history[left:]
	}
	for _, e := range history {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	return b.String()
}

// withoutRoutine leaves out most of what goes on for as long as a scheduler declines what it is offered.
func withoutRoutine(history []Entry) []Entry {
	const kept = 4
	var out []Entry
	for i := 0; i < len(history); {
		end := i
		for end < len(history) && routine(history[end]) {
			end++
		}
		if end-i > kept+2 {
			out = append(out, history[i:i+kept]...)
			out = append(out, Entry{At: history[end-1].At, Who: "…", What: fmt.Sprintf("%d more offers and refusals", end-i-kept)})
			i = end
			continue
		}
		end = max(end, i+1)
		out = append(out, history[i:end]...)
		i = end
	}
	return out
}

func routine(e Entry) bool {
	return strings.HasPrefix(e.What, "DECLINE") || strings.HasPrefix(e.What, "→ ") && strings.Contains(e.What, ": OFFERS")
}
