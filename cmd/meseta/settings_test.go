package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/settings"
)

var daemons = map[settings.Daemon]func() *cobra.Command{settings.Master: newMaster, settings.Agent: newAgent}

// Each setting of Mesos is known here, accepted with a reason, or refused with a reason.
func TestEverySettingOfMesosHasItsFate(t *testing.T) {
	text, err := os.ReadFile("../../internal/settings/testdata/mesos-flags.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		daemon, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "help" || name == "version" {
			continue
		}
		flags := daemons[settings.Daemon(daemon)]().Flags()
		if flags.Lookup(strings.ReplaceAll(name, "_", "-")) == nil && flags.Lookup(name) == nil {
			t.Errorf("%s: nothing is said of Mesos' --%s: give it a meaning, or a rule in internal/settings/mesos.go", daemon, name)
		}
	}
}

func TestWhatIsBuiltIsNotCalledForeign(t *testing.T) {
	for daemon, build := range daemons {
		flags := build().Flags()
		for _, m := range settings.Foreigns(daemon) {
			if f := flags.Lookup(strings.ReplaceAll(m.Name, "_", "-")); f != nil && !f.Hidden {
				t.Errorf("meseta %s has --%s: take its name out of internal/settings/mesos.go", daemon, f.Name)
			}
		}
	}
}

func TestEverySettingIsInAGroupAndSaysWhatItIs(t *testing.T) {
	for daemon, build := range daemons {
		help := settings.Help(build().Flags())
		if strings.Contains(help, "Other:") {
			t.Errorf("meseta %s has flags in no group:\n%s", daemon, help)
		}
		build().Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Usage == "" {
				t.Errorf("meseta %s --%s: no usage", daemon, f.Name)
			}
		})
	}
}

// refused runs a command line that is refused before anything begins.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 1 || stdout.Len() > 0 {
		t.Fatalf("meseta %v: code %d, %s", args, code, &stdout)
	}
	return stderr.String()
}

func TestRefusalsReachTheUser(t *testing.T) {
	t.Setenv("MESETA_PROT", "1")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"master", "--prot=1"}, "meseta: --prot: meseta master has no such flag; did you mean --port?\n"},
		{[]string{"agent", "--master=zk://m:2181/mesos"}, "there is no ZooKeeper to ask"},
		{[]string{"agent", "--resources=cpus"}, `--resources: "cpus": `},
		{[]string{"master", "--work-dir=/nowhere"}, "MESETA_PROT is not a setting of meseta master; did you mean MESETA_PORT?"},
		{[]string{"master", "--acls=x"}, "authorization is not built yet"},
		{[]string{"tasks", "--al"}, "--al: meseta tasks has no such flag; did you mean --all?"},
	} {
		if got := refused(t, test.args...); !strings.Contains(got, test.want) {
			t.Errorf("meseta %v:\n%swant %s", test.args, got, test.want)
		}
	}
}

// A variable of the agent's in the environment of both is no mistake of the master's.
func TestVariablesMayBeShared(t *testing.T) {
	for _, name := range []string{"RESOURCES", "MAX_AGENT_PING_TIMEOUTS", "CONTAINER", "WORK_DIR"} {
		if !meansSomething(name) {
			t.Errorf("MESETA_%s is taken for a mistake", name)
		}
	}
	if meansSomething("PROT") {
		t.Error("MESETA_PROT means something")
	}
}

func TestALinkStandsInForMesos(t *testing.T) {
	for _, test := range []struct{ called, want string }{
		{"/usr/sbin/mesos-master --port=1", "master --port=1"},
		{"mesos-slave --port=1", "agent --port=1"},
		{"mesos-agent", "agent"},
		{"/usr/bin/meseta tasks", "tasks"},
	} {
		if got := strings.Join(arguments(strings.Fields(test.called)), " "); got != test.want {
			t.Errorf("%s is meseta %s, want meseta %s", test.called, got, test.want)
		}
	}
}
