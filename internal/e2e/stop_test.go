package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// tracking finds where an agent's supervisor keeps its cgroups, in what the agent says at its start.
var tracking = regexp.MustCompile(`tracking="cgroup v[12] ([^"]+)"`)

func TestAnAgentThatEndsItsTasksLeavesNoCgroup(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	if r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--", "true"); r.Code != 0 {
		t.Fatalf("run: %+v", r)
	}
	said, err := os.ReadFile(filepath.Join(c.Dir(), "agent-0.log"))
	if err != nil {
		t.Fatal(err)
	}
	found := tracking.FindSubmatch(said)
	if found == nil {
		t.Logf("no cgroups here: sets are tracked by their environment, which leaves nothing")
		return
	}
	if _, err := os.Stat(string(found[1])); err != nil {
		t.Fatalf("while the agent runs: %v", err)
	}
	c.Agents[0].Stop()
	if _, err := os.Stat(string(found[1])); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", found[1], err)
	}
}
