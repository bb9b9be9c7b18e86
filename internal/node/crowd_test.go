package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCrowdIsCounted holds the running counts against the state, after every input of every transcript.
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
			if want := countDescribed(s.node); s.node.described != want {
				t.Fatalf("%s: %d bytes described after %q, expected %d", file, s.node.described, input, want)
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

func countDescribed(n *Node) (bytes int) {
	for _, f := range n.frameworks {
		bytes += f.described()
		for _, t := range f.tasks {
			bytes += t.described()
		}
		for _, e := range f.executors {
			bytes += e.described()
		}
	}
	return bytes
}
