// Package transcript holds a core to scenarios that read as prose: a line that begins with ">" is what
// happens, the indented lines below it are what the core does about it, "#" begins a comment. The test flag
// -update writes the reactions anew; the change is then reviewed like code.
package transcript

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// Player plays one scenario.
type Player interface {
	// Do lets happen what the words say, and returns the reactions.
	Do(t *testing.T, words []string) []string
}

// Run plays every scenario in testdata with a player of its own.
func Run(t *testing.T, newPlayer func() Player) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, newPlayer(), string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s reads differently now (go test -update rewrites it): %s", file, difference(got, string(want)))
			}
		})
	}
}

// play answers a scenario anew.
func play(t *testing.T, p Player, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ">"):
			fmt.Fprintln(&b, line)
			for _, out := range p.Do(t, strings.Fields(line[1:])) {
				fmt.Fprintln(&b, "  "+out)
			}
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			expected := "(nothing)"
			if i < len(w) {
				expected = w[i]
			}
			return fmt.Sprintf("line %d\n got: %s\nwant: %s\n\nall of it:\n%s", i+1, g[i], expected, got)
		}
	}
	return "it ends early:\n" + got
}
