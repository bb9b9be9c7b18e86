package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCrowdIsCounted holds the running count against the state, after every input of every transcript.
func TestCrowdIsCounted(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := newScript()
		for line := range strings.Lines(string(text)) {
			input, ok := strings.CutPrefix(strings.TrimSpace(line), ">")
			if !ok {
				continue
			}
			s.do(t, strings.Fields(input))
			if s.node == nil {
				continue
			}
			if want := countCrowd(s.node); s.node.crowd != want {
				t.Fatalf("%s: %d after %q, expected %d", file, s.node.crowd, input, want)
			}
		}
	}
}

func countCrowd(n *Node) (crowd int) {
	for _, f := range n.frameworks {
		for _, t := range f.tasks {
			crowd += len(t.owed)
		}
	}
	for _, e := range n.containers {
		if e.state == executorStarting {
			crowd++
		}
	}
	return crowd
}
