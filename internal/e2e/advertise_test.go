package e2e

import (
	"net/http"
	"strings"
	"testing"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// Both daemons listen everywhere and have others told an address of loopback that is not the usual one.
func TestOthersAreToldTheAdvertisedAddress(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{
		MasterFlags: []string{"--ip=0.0.0.0", "--advertise_ip=127.0.0.3", "--hostname=localhost"},
		AgentFlags:  []string{"--ip=0.0.0.0", "--advertise-ip=127.0.0.2"},
	})
	_, port, _ := strings.Cut(c.Master.Address, ":")
	info := c.Ask(masterpb.Call_GET_MASTER).GetGetMaster().GetMasterInfo()
	if info.GetHostname() != "localhost" || info.GetAddress().GetIp() != "127.0.0.3" || info.GetPid() != "master@127.0.0.3:"+port {
		t.Errorf("the master is at %v", info)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get("http://127.0.0.3:" + port + "/redirect")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if to := answer.Header.Get("Location"); to != "//localhost:"+port {
		t.Errorf("/redirect leads to %q", to)
	}
	agent := c.Ask(masterpb.Call_GET_AGENTS).GetGetAgents().GetAgents()[0].GetAgentInfo()
	if agent.GetHostname() != "127.0.0.2" {
		t.Errorf("the agent is at %v", agent.GetHostname())
	}
	// The output comes through the advertised address, and executors are told one that they reach.
	r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--", "sh", "-c", "echo $MESOS_AGENT_ENDPOINT")
	if at, ok := strings.CutPrefix(strings.TrimSpace(r.Stdout), "127.0.0.1:"); !ok || at == "" || r.Code != 0 {
		t.Errorf("a task reaches its agent at %q: %+v", at, r)
	}
}
