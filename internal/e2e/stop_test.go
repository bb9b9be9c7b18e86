package e2e

import (
	"os"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestAnAgentThatEndsItsTasksLeavesNoCgroup(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	if r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--", "true"); r.Code != 0 {
		t.Fatalf("run: %+v", r)
	}
	found := c.Cgroups(c.Agents[0])
	if len(found) == 0 {
		t.Logf("no cgroups here: sets are tracked by their environment, which leaves nothing")
		return
	}
	if _, err := os.Stat(found[0]); err != nil {
		t.Fatalf("while the agent runs: %v", err)
	}
	c.Agents[0].Stop()
	if _, err := os.Stat(found[0]); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", found[0], err)
	}
}
