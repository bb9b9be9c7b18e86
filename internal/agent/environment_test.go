package agent

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/meseta/meseta/internal/node"
)

func TestVariablesOfTheSettingsReachWhatRuns(t *testing.T) {
	a := &agent{address: netip.MustParseAddrPort("127.0.0.1:5051"), config: Config{ExecutorEnvironment: map[string]string{
		"LANG": "C.UTF-8", "PATH": "/opt/bin", "MESOS_SANDBOX": "/elsewhere", "MODE": "usual"}}}
	got := a.environment(node.StartContainer{Task: "t", Command: node.Command{Variables: []node.Variable{{Name: "MODE", Value: "special"}}}}, "/sandbox")
	for entry, want := range map[string]bool{
		"LANG=C.UTF-8": true, "PATH=/opt/bin": true, "PATH=" + searchPath: false,
		"MESOS_SANDBOX=/sandbox": true, "MESOS_SANDBOX=/elsewhere": false,
		"MODE=special": true, "MODE=usual": false,
	} {
		if slices.Contains(got, entry) != want {
			t.Errorf("%s: want %v in %q", entry, want, got)
		}
	}
}

func TestAnAgentThatDoesNotSwitchRunsEverythingAsItself(t *testing.T) {
	user, problem := newAccounts(false).find("nobody-has-this-name")
	if user != nil || problem != "" {
		t.Errorf("got %v, %q", user, problem)
	}
}
