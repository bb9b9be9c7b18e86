package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

func TestSandboxesAreLaidOutAsMesosDoes(t *testing.T) {
	work := t.TempDir()
	for _, run := range []ids.ContainerID{"c1", "c2"} {
		dir, err := makeSandbox(work, node.Sandbox{Agent: "a1", Framework: "f1", Executor: "e1", Container: run}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(work, "slaves/a1/frameworks/f1/executors/e1/runs", string(run)); dir != want {
			t.Errorf("got %s, expected %s", dir, want)
		}
		if latest, err := filepath.EvalSymlinks(filepath.Join(filepath.Dir(dir), "latest")); err != nil || latest != dir {
			t.Errorf("latest leads to %s (%v), expected %s", latest, err, dir)
		}
	}
}

func TestIdsThatAreNoNamesMakeNoDirectory(t *testing.T) {
	work := t.TempDir()
	for _, id := range []string{"", ".", "..", "a/b", "../../x", "a\x00b", strings.Repeat("x", 256)} {
		for _, s := range []node.Sandbox{
			{Agent: "a1", Framework: ids.FrameworkID(id), Executor: "e1", Container: "c1"},
			{Agent: "a1", Framework: "f1", Executor: ids.ExecutorID(id), Container: "c1"},
		} {
			if dir, err := makeSandbox(work, s, nil); err == nil {
				t.Errorf("id %.20q made the directory %s", id, dir)
			}
		}
	}
	if entries, err := os.ReadDir(work); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestArgumentsOfCommands(t *testing.T) {
	for _, c := range []struct {
		command node.Command
		want    string
	}{
		{node.Command{Shell: true, Value: "a b"}, ": /bin/sh|-c|a b"},
		{node.Command{Value: "/bin/a"}, ": /bin/a"},
		{node.Command{Value: "/bin/a", Arguments: []string{"a", "x", "y"}}, "/bin/a: a|x|y"},
		{node.Command{Value: "a", Arguments: []string{"a", "x"}}, ": a|x"},
		{node.Command{Arguments: []string{"a", "x"}}, ": a|x"},
	} {
		program, argv := commandLine(c.command)
		if got := program + ": " + strings.Join(argv, "|"); got != c.want {
			t.Errorf("%+v: %s, expected %s", c.command, got, c.want)
		}
	}
}
