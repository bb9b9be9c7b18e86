package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// What stands in the unit files of many a Mesos cluster.
func TestACommandLineOfMesosStartsACluster(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{
		MasterFlags: []string{"--zk=zk://10.0.0.1:2181,10.0.0.2:2181/mesos", "--quorum=1", "--registry=replicated_log", "--log_dir=/var/log/mesos",
			"--logging_level=INFO", "--no-hostname_lookup", "--authenticate_agents=false", "--slave_ping_timeout=15secs",
			"--max_slave_ping_timeouts=10", "--offer_timeout=60secs", "--cluster=production"},
		AgentFlags: []string{"--log_dir=/var/log/mesos", "--containerizers=docker,mesos", "--executor_registration_timeout=5mins",
			"--systemd_enable_support", "--no-docker_kill_orphans", "--launcher_dir=/usr/libexec/mesos", "--recover=reconnect", "--strict",
			"--attributes=rack:r1;zone:eu", "--switch_user=true", "--docker_socket=/var/run/docker.sock"},
	})
	if r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--", "true"); r.Code != 0 {
		t.Errorf("run: %+v", r)
	}
	for log, want := range map[string][]string{
		"master.log":  {"--quorum has no effect", "--zk has no effect", "--log-dir has no effect"},
		"agent-0.log": {"--containerizers has no effect", "--docker-socket has no effect"},
	} {
		said, err := os.ReadFile(filepath.Join(c.Dir(), log))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(said), w) {
				t.Errorf("%s does not say %q:\n%s", log, w, said)
			}
		}
	}
}
