package packaging_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Run(m)) }

const systemd = "systemd"

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// directive is a line of a unit.
var directive = regexp.MustCompile(`(?m)^([A-Za-z]+)=(.*)$`)

// unit gives the directives of a unit, the values of each in their order.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for _, m := range directive.FindAllStringSubmatch(read(t, filepath.Join(systemd, name)), -1) {
		found[m[1]] = append(found[m[1]], m[2])
	}
	return found
}

// flagsOf are the names in the help of a command.
func flagsOf(t *testing.T, command string) []string {
	t.Helper()
	r := testcluster.Meseta(t, command, "--help")
	if r.Code != 0 {
		t.Fatalf("meseta %s --help: %+v", command, r)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(r.Stdout, -1) {
		names = append(names, m[1])
	}
	return names
}

// checkCommand holds the words of a command line to the commands and flags that exist.
func checkCommand(t *testing.T, words []string) {
	t.Helper()
	if words[0] != "/usr/bin/meseta" {
		t.Fatalf("%q: expected /usr/bin/meseta", words)
	}
	known := flagsOf(t, words[1])
	for _, word := range words[2:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if !slices.Contains(known, name) {
			t.Errorf("%q: meseta %s has no flag --%s", words, words[1], name)
		}
	}
}

func TestUnitsCallWhatExists(t *testing.T) {
	for _, daemon := range []string{"master", "agent"} {
		u := unit(t, "meseta-"+daemon+".service")
		if len(u["ExecStart"]) != 1 {
			t.Fatalf("%s: %d lines ExecStart", daemon, len(u["ExecStart"]))
		}
		words := strings.Fields(u["ExecStart"][0])
		checkCommand(t, words)
		if words[1] != daemon || !slices.Equal(u["EnvironmentFile"], []string{"-/etc/default/meseta-" + daemon}) ||
			!slices.Contains(words, "--work-dir=/var/lib/"+u["StateDirectory"][0]) {
			t.Errorf("the unit of the %s runs %q with settings of %q in %q", daemon, words, u["EnvironmentFile"], u["StateDirectory"])
		}
	}
}

func TestExamplesOfSettingsAreSettings(t *testing.T) {
	for _, daemon := range []string{"master", "agent"} {
		known, found := flagsOf(t, daemon), 0
		for _, m := range regexp.MustCompile(`(?m)^#?MESETA_([A-Z_]+)=`).FindAllStringSubmatch(read(t, filepath.Join(systemd, "meseta-"+daemon+".default")), -1) {
			found++
			if !slices.Contains(known, strings.ReplaceAll(strings.ToLower(m[1]), "_", "-")) {
				t.Errorf("meseta %s has no setting MESETA_%s", daemon, m[1])
			}
		}
		if found == 0 {
			t.Errorf("%s: no examples", daemon)
		}
	}
}

// What tasks inherit from their agent they cannot get rid of.
func TestTasksOutliveTheirAgentAndInheritNoSandbox(t *testing.T) {
	u := unit(t, "meseta-agent.service")
	for name, want := range map[string]string{"KillMode": "process", "Delegate": "yes"} {
		if !slices.Equal(u[name], []string{want}) {
			t.Errorf("%s=%q, want %s", name, u[name], want)
		}
	}
	confines := regexp.MustCompile(`^(Protect|Private|Restrict|SystemCall|CapabilityBounding|NoNew|ReadOnly|Inaccessible|Memory|LockPersonality|User$|DynamicUser|Root)`)
	for name := range u {
		if confines.MatchString(name) {
			t.Errorf("%s would confine every task", name)
		}
	}
}

func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd-analyze here: the units are read by the other tests only")
		return
	}
	dir := t.TempDir()
	for _, name := range []string{"meseta-master.service", "meseta-agent.service"} {
		text := strings.ReplaceAll(read(t, filepath.Join(systemd, name)), "/usr/bin/meseta", testcluster.Binary(t))
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), name) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestTheImageCallsWhatExists(t *testing.T) {
	words := func(instruction string) (all []string) {
		m := regexp.MustCompile(`(?m)^` + instruction + ` (\[.*\])$`).FindStringSubmatch(read(t, "Containerfile"))
		if m == nil {
			t.Fatalf("Containerfile: no %s", instruction)
		}
		if err := json.Unmarshal([]byte(m[1]), &all); err != nil {
			t.Fatalf("Containerfile: %s: %v", instruction, err)
		}
		return all
	}
	checkCommand(t, append(words("ENTRYPOINT"), words("CMD")...))
	for _, m := range regexp.MustCompile(`(?m)^#.* meseta-agent (agent .*)$`).FindAllStringSubmatch(read(t, "Containerfile"), -1) {
		checkCommand(t, append([]string{"/usr/bin/meseta"}, strings.Fields(m[1])...))
	}
}
