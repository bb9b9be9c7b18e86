package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestRunPrintsOutputAndExitsWithTheTasksCode(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	for _, test := range []struct {
		name           string
		command        []string
		code           int
		stdout, stderr string
	}{
		{"success", []string{"echo", "hello"}, 0, "hello\n", ""},
		{"both outputs", []string{"sh", "-c", "echo out; echo err >&2"}, 0, "out\n", "err\n"},
		{"exit code", []string{"sh", "-c", "exit 3"}, 3, "", ""},
		{"signal", []string{"sh", "-c", "kill -SEGV $$"}, 139, "", ""},
		{"bytes as they are", []string{"printf", `\377\000\303(`}, 0, "\xff\x00\xc3(", ""},
		{"arguments as they are", []string{"printf", "%s|", "a b", "$HOME", ""}, 0, "a b|$HOME||", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := testcluster.Meseta(t, append([]string{"run", "--master", c.Master.Address, "--"}, test.command...)...)
			if r.Code != test.code || r.Stdout != test.stdout || r.Stderr != test.stderr {
				t.Errorf("got %+v, want code %d, stdout %q, stderr %q", r, test.code, test.stdout, test.stderr)
			}
		})
	}
}

func TestListsAndLogs(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{Agents: 2})
	run := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--name", "greeting", "--", "echo", "hello")
	if run.Code != 0 {
		t.Fatalf("run: %+v", run)
	}
	var tasks []struct {
		ID, Name, State string
		CPUs            float64
	}
	list := testcluster.Meseta(t, "tasks", "--all", "-o", "json", "--master", c.Master.Address)
	if err := json.Unmarshal([]byte(list.Stdout), &tasks); err != nil || len(tasks) != 1 {
		t.Fatalf("tasks: %v in %+v", err, list)
	}
	if tasks[0].Name != "greeting" || tasks[0].State != "FINISHED" || tasks[0].CPUs != 0.1 {
		t.Errorf("tasks: got %+v", tasks[0])
	}
	logs := testcluster.Meseta(t, "logs", "--master", c.Master.Address, tasks[0].ID)
	if logs.Stdout != "hello\n" {
		t.Errorf("logs: got %+v, want hello", logs)
	}
	agents := testcluster.Meseta(t, "agents", "--master", c.Master.Address)
	if n := strings.Count(agents.Stdout, "active"); n != 2 {
		t.Errorf("agents: %d active, want 2:\n%s", n, agents.Stdout)
	}
	frameworks := testcluster.Meseta(t, "frameworks", "--all", "--master", c.Master.Address)
	if !strings.Contains(frameworks.Stdout, "completed") {
		t.Errorf("frameworks: got\n%s", frameworks.Stdout)
	}
}

func TestErrorsSuggestTheNextStep(t *testing.T) {
	r := testcluster.Meseta(t, "tasks", "--master", "127.0.0.1:1")
	if r.Code != 1 || !strings.Contains(r.Stderr, "meseta dev") {
		t.Errorf("got %+v, want code 1 and a hint", r)
	}
}
