package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// A task that works all the time beside those that eat: it needs memory, disk, processes and the processor in
// small pieces, and gives up as soon as one of them is refused.
const neighbour = `
while [ ! -e "$DONE" ]; do
	head -c 1000000 /dev/zero > piece || exit 11
	(exit 0) || exit 12
	test "$(wc -c < piece)" = 1000000 || exit 13
	rm piece || exit 14
	echo round
done`

func TestGluttonsAreEndedAndTheirNeighbourDoesNotNotice(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make cgroups with limits")
	}
	c := testcluster.Start(t, testcluster.Options{AgentFlags: []string{"--container-disk-watch-interval=100ms",
		"--max-pids=40", "--max-output-size=256KB", "--cgroups-enable-cfs"}})
	run := func(flags []string, script string) []string {
		return append(append([]string{"run", "--timeout=2m", "--master", c.Master.Address}, flags...), "--", "sh", "-c", script)
	}
	done := filepath.Join(c.Dir(), "done")
	calm := testcluster.Begin(t, run([]string{"--cpus=0.5", "--mem=64", "--disk=20", "--env=DONE=" + done}, neighbour)...)
	testcluster.Eventually(t, "the neighbour works", func() bool { return strings.Contains(calm.Stdout(), "round") })

	for _, g := range []struct {
		name   string
		flags  []string
		script string
		code   int
		says   string
	}{
		{"memory", []string{"--mem=40"}, "head -c 200000000 /dev/zero | tail; true", 1, "Memory limit exceeded: Requested: 40MB Maximum Used: "},
		{"disk", []string{"--disk=5"}, "head -c 20000000 /dev/zero > big; sleep 600", 1, ") exceeds quota (5MB)"},
		{"processes", []string{"--mem=64"}, "for i in $(seq 200); do sleep 600 & done", 2, "ork"},
		{"output", nil, "head -c 3000000 /dev/zero; until [ $(du -k stdout | cut -f1) -le 300 ]; do sleep 0.1; done; wc -c < stdout >&2", 0, "3000000"},
	} {
		t.Run(g.name, func(t *testing.T) {
			r := testcluster.Meseta(t, run(append(g.flags, "--cpus=0.5"), g.script)...)
			if r.Code != g.code || !strings.Contains(r.Stderr, g.says) {
				t.Errorf("exit code %d, %q, expected %d and %q", r.Code, r.Stderr, g.code, g.says)
			}
		})
	}

	hungry := testcluster.Begin(t, run([]string{"--cpus=0.2"}, "while :; do :; done & while :; do :; done")...)
	var first, last map[string]float64
	testcluster.Eventually(t, "the one that eats processors is held back", func() bool {
		first = statistics(t, c, 0.2)
		return first["cpus_nr_throttled"] > 0
	})
	testcluster.Eventually(t, "some time passes", func() bool {
		last = statistics(t, c, 0.2)
		return last["timestamp"] > first["timestamp"]+2
	})
	used := last["cpus_user_time_secs"] + last["cpus_system_time_secs"] - first["cpus_user_time_secs"] - first["cpus_system_time_secs"]
	if share := used / (last["timestamp"] - first["timestamp"]); share > 0.3 {
		t.Errorf("one that asked for 0.2 processors had %.2f", share)
	}
	hungry.Interrupt()
	hungry.Wait()

	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := calm.Wait(); r.Code != 0 {
		t.Errorf("the neighbour noticed: exit code %d, %s", r.Code, r.Stderr)
	}
}

// statistics are those of the container that may use so many processors.
func statistics(t *testing.T, c *testcluster.Cluster, cpus float64) map[string]float64 {
	t.Helper()
	r, err := c.Agents[0].Get("/containers")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var all []struct {
		Statistics map[string]float64 `json:"statistics"`
	}
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Statistics["cpus_limit"] == cpus {
			return s.Statistics
		}
	}
	return nil
}
