package settings_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/settings"
)

func TestMesosSettingsThatMeanNothingAreAcceptedWithAWarning(t *testing.T) {
	d, file := newDaemon(), write(t, t.TempDir(), "conf", "log_dir=/var/log\nport=1")
	report, err := d.start([]string{"--zk", "zk://x", "--quiet", "--work-dir=/x"}, []string{"MESOS_QUORUM=2"}, file)
	want := []string{"--quiet has no effect: logs go to stderr", "--zk has no effect: there is no ZooKeeper",
		"MESOS_QUORUM has no effect: there is no ZooKeeper", file + ", line 1: log_dir has no effect: logs go to stderr"}
	if err != nil || d.port != 1 || len(report.Warnings) != len(want) {
		t.Fatalf("got %q, %v, port %d", report.Warnings, err, d.port)
	}
	for i, w := range report.Warnings {
		if !strings.HasPrefix(w, want[i]) {
			t.Errorf("got %q, want %q", w, want[i])
		}
	}
}

func TestMesosSettingsThatProtectAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--authenticate_agents"}, {"--authenticate_agents=true"}, {"--authenticate"}, {"--acls=/etc/acls.json"},
		{"--authenticate_http_readwrite=1"}, {"--no-root_submissions"}, {"--root_submissions=false"}, {"--authorizers=mine"},
		{"--firewall_rules=x"}, {"--whitelist=/etc/list"}, {"--hooks=h"},
	} {
		if _, err := newDaemon().start(args, nil, ""); err == nil || !strings.Contains(err.Error(), "refused, because to ignore it would be dangerous: ") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := newDaemon().start(nil, []string{"MESOS_ACLS=x"}, ""); err == nil || !strings.HasPrefix(err.Error(), "MESOS_ACLS: ") {
		t.Errorf("as a variable: %v", err)
	}
}

func TestMesosSettingsThatAskForWhatIsAnywayAreSilent(t *testing.T) {
	report, err := newDaemon().start([]string{"--authenticate_agents=false", "--no-authenticate_frameworks", "--root_submissions",
		"--authorizers=local", "--registry=replicated_log", "--allocator=HierarchicalDRF", "--whitelist=*"}, nil, "")
	if err != nil || len(report.Warnings) > 0 {
		t.Errorf("got %q, %v", report.Warnings, err)
	}
}

// theirs are the settings of a daemon in Mesos' manual and sources.
func theirs(t *testing.T, d settings.Daemon) (names []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/mesos-flags.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), string(d)+" "); ok {
			names = append(names, name)
		}
	}
	if len(names) < 80 {
		t.Fatalf("testdata/mesos-flags.txt has %d settings of the %s", len(names), d)
	}
	return names
}

// formerly are settings of earlier versions of Mesos, which the list does not have.
var formerly = []string{"executor_secret_key", "user_sorter", "allowed_capabilities", "registry_strict"}

func TestNoSettingIsSpokenOfTwice(t *testing.T) {
	for _, d := range []settings.Daemon{settings.Master, settings.Agent} {
		seen := make(map[string]bool)
		for _, m := range settings.Foreigns(d) {
			if seen[m.Name] {
				t.Errorf("%s: there are two rules for %s", d, m.Name)
			}
			seen[m.Name] = true
			if !slices.Contains(theirs(t, d), m.Name) && !slices.Contains(formerly, m.Name) {
				t.Errorf("%s: Mesos has no %s", d, m.Name)
			}
		}
	}
}
