package settings_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/settings"
)

// flags are those of a daemon, parsed from a command line.
func flags(t *testing.T, args ...string) (*pflag.FlagSet, *string, *int) {
	t.Helper()
	f := pflag.NewFlagSet("daemon", pflag.ContinueOnError)
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	dir, port := f.String("work-dir", "default", ""), f.Int("port", 5050, "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f, dir, port
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func TestTheMoreSpecificPlaceWins(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want string
	}{
		{name: "nothing", want: "default"},
		{name: "file", file: "work_dir = /file", want: "/file"},
		{name: "file with dashes", file: "# comment\n\n  work-dir=/file  ", want: "/file"},
		{name: "Mesos' variable before file", env: map[string]string{"MESOS_WORK_DIR": "/mesos"}, file: "work_dir=/file", want: "/mesos"},
		{name: "our variable before Mesos'", env: map[string]string{"MESETA_WORK_DIR": "/ours", "MESOS_WORK_DIR": "/mesos"}, want: "/ours"},
		{name: "command line before all", args: []string{"--work_dir=/flag"}, env: map[string]string{"MESETA_WORK_DIR": "/ours"},
			file: "work_dir=/file", want: "/flag"},
		{name: "an empty variable is a value", env: map[string]string{"MESETA_WORK_DIR": ""}, want: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, dir, _ := flags(t, test.args...)
			warnings, err := settings.Resolve(f, settings.Sources{Lookup: lookup(test.env), File: strings.NewReader(test.file), FileName: "conf"})
			if err != nil || len(warnings) > 0 || *dir != test.want {
				t.Errorf("got %q, %v, %v; want %q", *dir, warnings, err, test.want)
			}
		})
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for _, test := range []struct{ name, variable, file, want string }{
		{"variable", "much", "", `MESETA_PORT: "much"`},
		{"line", "", "\nport = much", `conf: line 2: port: "much"`},
		{"unknown", "", "prot = 1", "conf: line 1: prot is not a setting"},
		{"no value", "", "port", `line 1: "port": expected name = value`},
		{"twice", "", "port=1\nport = 2", "line 2: port was set in line 1 already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, _, _ := flags(t)
			env := map[string]string{}
			if test.variable != "" {
				env["MESETA_PORT"] = test.variable
			}
			_, err := settings.Resolve(f, settings.Sources{Lookup: lookup(env), File: strings.NewReader(test.file), FileName: "conf"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s in it", err, test.want)
			}
		})
	}
}

func TestSettingsOfMesosThatMeanNothingAreAccepted(t *testing.T) {
	f, _, port := flags(t)
	settings.Ignore(f, map[string]string{"quorum": "why not", "log_dir": "logs go to stderr", "zk": "no ZooKeeper here", "quiet": "x"}, "quiet")
	if err := f.Parse([]string{"--zk", "zk://x", "--quiet", "--work-dir=/x"}); err != nil {
		t.Fatal(err)
	}
	warnings, err := settings.Resolve(f, settings.Sources{
		Lookup: lookup(map[string]string{"MESOS_QUORUM": "2"}), File: strings.NewReader("log_dir=/var/log\nport=1"), FileName: "conf"})
	want := "--quiet has no effect: x; MESOS_QUORUM has no effect: why not; --zk has no effect: no ZooKeeper here; conf: line 1: log_dir has no effect: logs go to stderr"
	if got := strings.Join(warnings, "; "); err != nil || got != want || *port != 1 {
		t.Errorf("got %s, %v, port %d\nwant %s, port 1", got, err, *port, want)
	}
}
