package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// listed is a task as `meseta tasks -a -o json` has it.
type listed struct{ ID, Name, State, Message string }

// find gives the tasks of an id; there may be several entries for one that was not launched at first.
func find(t *testing.T, c *testcluster.Cluster, id string) (found []listed) {
	t.Helper()
	r := testcluster.Meseta(t, "tasks", "--all", "-o", "json", "--master", c.Master.Address)
	var all []listed
	if err := json.Unmarshal([]byte(r.Stdout), &all); err != nil {
		t.Fatalf("tasks: %v in %+v", err, r)
	}
	for _, one := range all {
		if one.ID == id {
			found = append(found, one)
		}
	}
	return found
}

// is tells whether there is one task of an id, in a state and with that in its message.
func is(t *testing.T, c *testcluster.Cluster, id, state, message string) bool {
	t.Helper()
	found := find(t, c, id)
	return len(found) == 1 && found[0].State == state && strings.Contains(found[0].Message, message)
}

func detach(t *testing.T, c *testcluster.Cluster, args ...string) []string {
	t.Helper()
	r := testcluster.Meseta(t, append([]string{"run", "--detach", "--master", c.Master.Address}, args...)...)
	if r.Code != 0 || r.Stderr != "" {
		t.Fatalf("run --detach: %+v", r)
	}
	return strings.Fields(r.Stdout)
}

func TestADetachedTaskOutlivesMasterAndAgent(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{AgentFlags: []string{"--resources=cpus:4;mem:2048;disk:4096;ports:[31000-31001]"}})
	gate := filepath.Join(c.Dir(), "gate")
	ids := detach(t, c, "--ports", "1", "--name", "lasting", "--", "sh", "-c",
		`echo began on $PORT; while ! test -e `+gate+`; do sleep 0.1; done; echo over; exit 5`)
	if len(ids) != 1 {
		t.Fatalf("ids: %q, want one", ids)
	}
	testcluster.Eventually(t, "it runs", func() bool { return is(t, c, ids[0], "RUNNING", "") })
	c.Again(c.Master)
	testcluster.Eventually(t, "it runs under the next master", func() bool { return is(t, c, ids[0], "RUNNING", "") })
	c.Again(c.Agents[0])
	testcluster.Eventually(t, "it runs under the next agent", func() bool { return is(t, c, ids[0], "RUNNING", "") })
	c.Again(c.Master, c.Agents[0])
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	testcluster.Eventually(t, "its end is known", func() bool { return is(t, c, ids[0], "FAILED", "exited with status 5") })
	if logs := testcluster.Meseta(t, "logs", "--master", c.Master.Address, ids[0]); logs.Stdout != "began on 31000\nover\n" {
		t.Errorf("logs: %+v", logs)
	}
}

func TestADetachedTaskThatWaitsOutlivesTheMaster(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	gate := filepath.Join(c.Dir(), "gate")
	first := detach(t, c, "--cpus", "3", "--", "sh", "-c", `while ! test -e `+gate+`; do sleep 0.1; done`)[0]
	testcluster.Eventually(t, "the first runs", func() bool { return is(t, c, first, "RUNNING", "") })
	waiting := detach(t, c, "--cpus", "2", "--instances", "2", "--", "true")
	dev := detach(t, c, "--cpus", "4", "--role", "dev", "--", "true")[0]
	for range 2 {
		for _, id := range append(waiting, dev) {
			if !is(t, c, id, "STAGING", "Waiting for an offer of ") {
				t.Errorf("%s: got %v, want that it waits", id, find(t, c, id))
			}
		}
		c.Again(c.Master)
	}
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, id := range append(waiting, first, dev) {
		testcluster.Eventually(t, id+" has run", func() bool { return is(t, c, id, "FINISHED", "exited with status 0") })
	}
}

func TestADetachedTaskIsKilled(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	runs := detach(t, c, "--", "sleep", "600")[0]
	waits := detach(t, c, "--cpus", "100", "--", "true")[0]
	testcluster.Eventually(t, "it runs", func() bool { return is(t, c, runs, "RUNNING", "") })
	r := testcluster.Meseta(t, "kill", "--master", c.Master.Address, runs, waits)
	if r.Code != 0 || r.Stderr != "" || !strings.Contains(r.Stdout, runs+" KILLED\n") || !strings.Contains(r.Stdout, waits+" KILLED\n") {
		t.Errorf("kill: %+v", r)
	}
	testcluster.Eventually(t, "the first was killed", func() bool { return is(t, c, runs, "KILLED", "") })
	testcluster.Eventually(t, "the second was killed", func() bool { return is(t, c, waits, "KILLED", "before it was launched") })
}

func TestADetachedTaskThatTakesTooLongIsKilled(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	id := detach(t, c, "--timeout", "200ms", "--", "sleep", "600")[0]
	testcluster.Eventually(t, "it was killed", func() bool { return is(t, c, id, "FAILED", "") })
}
