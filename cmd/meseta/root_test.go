package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// everyCommand walks all commands, those of cobra's own and hidden ones too.
func everyCommand(t *testing.T, visit func(t *testing.T, cmd *cobra.Command)) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		t.Run(strings.ReplaceAll(cmd.CommandPath(), " ", "_"), func(t *testing.T) { visit(t, cmd) })
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

func TestEveryCommandHasAnExampleThatIsOne(t *testing.T) {
	everyCommand(t, func(t *testing.T, cmd *cobra.Command) {
		switch {
		case cmd.Short == "":
			t.Error("Short is empty: what does it do?")
		case cmd.Example == "":
			t.Error("Example is empty: how is it used?")
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("example %q is not indented by two spaces, as help shows them", line)
			}
		}
		if cmd != cmd.Root() && !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("no example has %q in it:\n%s", cmd.CommandPath(), cmd.Example)
		}
	})
}

func TestDescriptionsAreInLinesThatCanBeRead(t *testing.T) {
	everyCommand(t, func(t *testing.T, cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Long) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 120 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	})
}

// asks are the commands that ask a master, as they are typed.
var asks = [][]string{
	{"tasks"}, {"tasks", "show", "x"}, {"agents"}, {"agents", "show", "x"}, {"frameworks"}, {"frameworks", "show", "x"},
	{"frameworks", "teardown", "x"}, {"offers"}, {"events"}, {"kill", "x"}, {"logs", "x"},
}

func TestWhoFindsNoMasterIsToldWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, args := range asks {
		var stderr bytes.Buffer
		code := run(t.Context(), append(args, "--master", address, "--trace"), io.Discard, &stderr)
		if want := "meseta: no master answers at " + address + "; start a cluster on this machine with: meseta dev"; code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("meseta %v: %d %s\nwant %s", args, code, stderr.String(), want)
		}
		if !strings.Contains(stderr.String(), "* connecting to "+address) {
			t.Errorf("meseta %v --trace does not show the attempt:\n%s", args, stderr.String())
		}
	}
}

func TestCompletionIsSilentWithoutAMaster(t *testing.T) {
	for _, args := range asks {
		if args[len(args)-1] != "x" {
			continue
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"__complete"}, append(args[:len(args)-1:len(args)-1], "--master", "127.0.0.1:1", "")...), &stdout, &stderr)
		if code != 0 || stdout.String() != ":4\n" {
			t.Errorf("meseta %v TAB: %d %q %q, want nothing at all", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestMistakesOnTheCommandLineAreExplained(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"tasks shw x", `meseta tasks: there is no "shw"; did you mean: meseta tasks show`},
		{"tasks everything", `meseta tasks: "everything": expected no argument; see: meseta tasks --help`},
		{"tasks show", "show: 0 tasks named, expected one; list them with: meseta tasks --all"},
		{"agents show a b", "show: 2 agents named, expected one; list them with: meseta agents"},
		{"kill", "kill: no task named, expected at least one; list them with: meseta tasks"},
		{"tasks -o yaml", `"yaml": expected table, wide or json`},
		{"tasks --watch=often", `often`},
		{"events -f colour=red", `"colour=red": expected task, agent or framework, or one of these with =ID, or state=STATE`},
		{"tasks --master nowhere", `master "nowhere": expected HOST:PORT`},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(test.args), io.Discard, &stderr); code != 1 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("meseta %s: %d %s\nwant %s", test.args, code, stderr.String(), test.want)
		}
	}
}
