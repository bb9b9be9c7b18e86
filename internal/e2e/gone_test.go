package e2e

import (
	"os"
	"strings"
	"testing"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestAnAgentThatIsMarkedGoneEndsEverythingAndComesBackAsAnother(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	r := testcluster.Meseta(t, "run", "--detach", "--master", c.Master.Address, "--", "sleep", "1000")
	if r.Code != 0 {
		t.Fatalf("run: %+v", r)
	}
	tasks := func() string { return testcluster.Meseta(t, "tasks", "--all", "--master", c.Master.Address).Stdout }
	testcluster.Eventually(t, "the task runs", func() bool { return strings.Contains(tasks(), "RUNNING") })
	agents := func() []string {
		var ids []string
		for _, a := range c.Ask(masterpb.Call_GET_AGENTS).GetGetAgents().GetAgents() {
			ids = append(ids, a.GetAgentInfo().GetId().GetValue())
		}
		return ids
	}
	before := agents()[0]
	gone := []string{"agents", "gone", "--master", c.Master.Address}
	if r := testcluster.Meseta(t, append(gone, before)...); r.Code != 1 || !strings.Contains(r.Stderr, "with 1 task: say --yes") {
		t.Errorf("without --yes: %+v", r)
	}
	if r := testcluster.Meseta(t, append(gone, "--yes", "nobody")...); r.Code != 1 || !strings.Contains(r.Stderr, "Agent 'nobody' not found") {
		t.Errorf("an agent that is not known: %+v", r)
	}
	if r := testcluster.Meseta(t, append(gone, "--yes", before[:20])...); r.Code != 0 || !strings.Contains(r.Stdout, "is gone, with 1 task") {
		t.Fatalf("gone: %+v", r)
	}
	testcluster.Eventually(t, "the task is gone", func() bool { return strings.Contains(tasks(), "GONE_BY_OPERATOR") })
	testcluster.Eventually(t, "the agent stops", func() bool {
		said, err := os.ReadFile(c.LogOf(c.Agents[0].Name))
		return err == nil && strings.Contains(string(said), "the cluster has given this agent up: Agent has been marked gone")
	})
	c.Again(c.Agents[0])
	testcluster.Eventually(t, "another agent registers", func() bool { return len(agents()) == 1 && agents()[0] != before })
}
