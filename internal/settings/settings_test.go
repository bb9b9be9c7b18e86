package settings_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/settings"
)

// daemon is a small one.
type daemon struct {
	flags     *pflag.FlagSet
	workDir   string
	port      int
	timeout   time.Duration
	level     slog.LevelVar
	variables map[string]string
	cache     int64
	strict    bool
	masters   []string
	ip        string
}

func newDaemon() *daemon {
	d := &daemon{flags: pflag.NewFlagSet("daemon", pflag.ContinueOnError), workDir: "default", port: 5050, strict: true}
	d.flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	g := settings.NewGroup(d.flags, "Everything")
	g.Directory(&d.workDir, "work-dir", "", "")
	g.Port(&d.port, "port", "where to listen")
	g.Duration(&d.timeout, "agent-ping-timeout", "")
	g.Size(&d.cache, "fetcher-cache-size", "")
	g.Switch(&d.strict, "strict", "")
	g.HostPorts(&d.masters, "master", "")
	g.IP(&d.ip, "ip", "")
	g.Level(&d.level, "logging-level", "")
	g.Variables(&d.variables, "executor-environment-variables", "")
	g.Fraction(new(float64), "gc-disk-headroom", "")
	g.Text(new(string), "attributes", "LIST", "")
	settings.Take(d.flags, settings.Master)
	return d
}

// start parses a command line and asks the other places.
func (d *daemon) start(args, environ []string, file string) (settings.Report, error) {
	if err := d.flags.Parse(args); err != nil {
		return settings.Report{}, settings.Refusal("meseta master", d.flags, err)
	}
	return settings.Resolve(d.flags, settings.Sources{Command: "meseta master", Environ: environ, File: &file,
		Elsewhere: func(name string) bool { return name == "CONTAINER" }})
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheMoreSpecificPlaceWins(t *testing.T) {
	for _, test := range []struct {
		name          string
		args, environ []string
		file          string
		want, place   string
	}{
		{name: "nothing", want: "default"},
		{name: "file", file: "work_dir = /file", want: "/file", place: "FILE, line 1: work_dir"},
		{name: "file with dashes", file: "# comment\n\n  work-dir=/file  ", want: "/file", place: "FILE, line 3: work-dir"},
		{name: "Mesos' variable before file", environ: []string{"MESOS_WORK_DIR=/mesos"}, file: "work_dir=/file", want: "/mesos", place: "MESOS_WORK_DIR"},
		{name: "our variable before Mesos'", environ: []string{"MESOS_WORK_DIR=/mesos", "MESETA_WORK_DIR=/ours"}, want: "/ours", place: "MESETA_WORK_DIR"},
		{name: "command line before all", args: []string{"--work_dir=/flag"}, environ: []string{"MESETA_WORK_DIR=/ours"},
			file: "work_dir=/file", want: "/flag", place: "the command line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, file := newDaemon(), write(t, t.TempDir(), "conf", test.file)
			report, err := d.start(test.args, test.environ, file)
			if err != nil || len(report.Warnings) > 0 || d.workDir != test.want {
				t.Fatalf("got %q, %v, %v; want %q", d.workDir, report, err, test.want)
			}
			if test.place == "" && len(report.Given) > 0 ||
				test.place != "" && report.Given[0] != (settings.Given{Name: "work_dir", Value: test.want, Place: strings.ReplaceAll(test.place, "FILE", file)}) {
				t.Errorf("it is said to be given as %+v, want %s", report.Given, test.place)
			}
		})
	}
}

func TestRefusalsNameTheSettingThePlaceAndWhatWasExpected(t *testing.T) {
	for _, test := range []struct {
		name, arg, variable, file, want string
	}{
		{name: "flag", arg: "--port=much", want: `--port: "much": expected a port from 1 to 65535, or -1 for any that is free`},
		{name: "variable", variable: "MESETA_PORT=65536", want: `MESETA_PORT: "65536": expected a port`},
		{name: "Mesos' variable", variable: "MESOS_PORT=", want: `MESOS_PORT: "": expected a port`},
		{name: "line", file: "\nport = much", want: `FILE, line 2: port: "much": expected a port`},
		{name: "unknown flag", arg: "--prot=1", want: "--prot: meseta master has no such flag; did you mean --port?"},
		{name: "unknown flag of Mesos", arg: "--qorum=1", want: "did you mean --quorum?"},
		{name: "unknown flag like no other", arg: "--frobnicate", want: "no such flag; meseta master --help lists them all"},
		{name: "unknown variable", variable: "MESETA_WORKDIR=/x", want: "MESETA_WORKDIR is not a setting of meseta master; did you mean MESETA_WORK_DIR?"},
		{name: "unknown line", file: "prot = 1", want: "FILE, line 1: prot: meseta master has no such setting; did you mean port?"},
		{name: "a flag that is no setting", file: "no-strict = maybe", want: `no-strict: "maybe": expected true or false`},
		{name: "no value", file: "port", want: `FILE, line 1: "port": expected name = value`},
		{name: "twice in a file", file: "port=1\nport = 2", want: "FILE, line 2: port was set in line 1 already"},
		{name: "flag without value", arg: "--port", want: "--port: expected a value, as in --port=PORT"},
		{name: "duration without unit", arg: "--agent-ping-timeout=15", want: `"15": expected a duration such as 250ms, 15secs, 10mins, 1.5hrs or 2days`},
		{name: "negative duration", arg: "--agent-ping-timeout=-15secs", want: "expected a duration"},
		{name: "size without unit", arg: "--fetcher-cache-size=2", want: `"2": expected a size such as 512KB, 64MB or 2GB`},
		{name: "fraction", arg: "--gc-disk-headroom=NaN", want: `"NaN": expected a number from 0 to 1, such as 0.1`},
		{name: "level", arg: "--logging_level=LOUD", want: `"LOUD": expected DEBUG, INFO, WARNING or ERROR`},
		{name: "variables", arg: `--executor-environment-variables=["A"]`, want: `expected a JSON object of texts, such as {"LANG":"C.UTF-8"}`},
		{name: "name of a variable", arg: `--executor-environment-variables={"A=B":"c"}`, want: `"A=B" is no variable`},
		{name: "switch", arg: "--strict=perhaps", want: `--strict: "perhaps": expected true or false`},
		{name: "ZooKeeper", arg: "--master=zk://m1:2181/mesos", want: "there is no ZooKeeper to ask; expected the masters themselves, such as m1:5050,m2:5050"},
		{name: "no port", arg: "--master=m1:5050,m2", want: "expected HOST:PORT"},
		{name: "no address", arg: "--ip=localhost", want: "expected an IP address such as 10.0.0.1"},
		{name: "empty directory", variable: "MESETA_WORK_DIR=", want: "MESETA_WORK_DIR: \"\": expected the path of a directory"},
		{name: "value in no file", arg: "--work-dir=file:///nowhere", want: "open /nowhere: no such file"},
		{name: "TLS", variable: "LIBPROCESS_SSL_ENABLED=1", want: "LIBPROCESS_SSL_ENABLED=1: TLS is not built yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var args, environ []string
			if test.arg != "" {
				args = append(args, test.arg)
			}
			if test.variable != "" {
				environ = append(environ, test.variable)
			}
			file := write(t, t.TempDir(), "conf", test.file)
			_, err := newDaemon().start(args, environ, file)
			if want := strings.ReplaceAll(test.want, "FILE", file); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got:  %v\nwant: %s", err, want)
			}
		})
	}
}

func TestAllThatIsWrongIsSaid(t *testing.T) {
	_, err := newDaemon().start(nil, []string{"MESETA_PORT=x", "MESOS_IP=y"}, write(t, t.TempDir(), "conf", "z = 1"))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want three lines, got:\n%v", err)
	}
}

func TestContradictionsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--port=1", "--port=2"},
		{"--agent-ping-timeout=1secs", "--slave_ping_timeout=2secs"},
		{"--strict", "--no-strict"},
	} {
		if _, err := newDaemon().start(args, nil, ""); err == nil || !strings.Contains(err.Error(), "was given for the same setting before") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := newDaemon().start([]string{"--port=1", "--port=1"}, nil, ""); err != nil {
		t.Errorf("the same twice: %v", err)
	}
}

func TestMesosNamesAndHabits(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name          string
		args, environ []string
		holds         func(*daemon) bool
	}{
		{"former name", []string{"--slave_ping_timeout=3secs"}, nil, func(d *daemon) bool { return d.timeout == 3*time.Second }},
		{"former name as a variable", nil, []string{"MESOS_SLAVE_PING_TIMEOUT=3secs"}, func(d *daemon) bool { return d.timeout == 3*time.Second }},
		{"former name before the file's", nil, []string{"MESOS_SLAVE_PING_TIMEOUT=3secs"}, func(d *daemon) bool { return d.timeout == 3*time.Second }},
		{"switch", []string{"--strict"}, nil, func(d *daemon) bool { return d.strict }},
		{"contrary of a switch", []string{"--no-strict"}, nil, func(d *daemon) bool { return !d.strict }},
		{"contrary of the contrary", []string{"--no-strict=false"}, nil, func(d *daemon) bool { return d.strict }},
		{"value in a file", []string{"--master=file://" + write(t, dir, "masters", "m1:5050, m2:5050\n")}, nil,
			func(d *daemon) bool { return len(d.masters) == 2 && d.masters[1] == "m2:5050" }},
		{"value in a file, named by a variable", nil, []string{"MESOS_WORK_DIR=file://" + write(t, dir, "dir", "/data\n")},
			func(d *daemon) bool { return d.workDir == "/data" }},
		{"Go's durations", []string{"--agent-ping-timeout=1m30s"}, nil, func(d *daemon) bool { return d.timeout == 90*time.Second }},
		{"level", nil, []string{"MESOS_LOGGING_LEVEL=WARNING"}, func(d *daemon) bool { return d.level.Level() == slog.LevelWarn }},
		{"variables", []string{`--executor_environment_variables={"A":"b c"}`}, nil, func(d *daemon) bool { return d.variables["A"] == "b c" }},
		{"variables in a file", []string{"--executor_environment_variables=file://" + write(t, dir, "environment", "{\"A\":\"b\"}\n")}, nil,
			func(d *daemon) bool { return d.variables["A"] == "b" }},
		{"size", []string{"--fetcher_cache_size=2GB"}, nil, func(d *daemon) bool { return d.cache == 2<<30 }},
		{"somebody else's variables", nil, []string{"MESETA_CONTAINER=x", "MESOS_NATIVE_JAVA_LIBRARY=y", "MESOS_HELP=z"}, func(d *daemon) bool { return true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDaemon()
			report, err := d.start(test.args, test.environ, write(t, dir, "conf", "agent_ping_timeout = 1mins"))
			if err != nil || len(report.Warnings) > 0 || !test.holds(d) {
				t.Errorf("got %+v, %v, %v", d, report.Warnings, err)
			}
		})
	}
}

func TestADirectoryHasAFileForEachSetting(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "work_dir", "/data\n")
	write(t, dir, "?no-strict", "")
	write(t, dir, "?quiet", "whatever")
	write(t, dir, "attributes/rack", "r1\n")
	write(t, dir, "attributes/zone", "eu\n")
	write(t, dir, ".hidden", "")
	d := newDaemon()
	report, err := d.start(nil, nil, dir)
	if err != nil || d.workDir != "/data" || d.strict || d.flags.Lookup("attributes").Value.String() != "rack:r1;zone:eu" {
		t.Errorf("got %+v, %v", d, err)
	}
	if want := dir + ": quiet has no effect: logs go to stderr"; len(report.Warnings) != 1 || !strings.HasPrefix(report.Warnings[0], want) {
		t.Errorf("warnings %q, want %q", report.Warnings, want)
	}
	write(t, dir, "work_dir.bak", "/data")
	if _, err := newDaemon().start(nil, nil, dir); err == nil || !strings.Contains(err.Error(), dir+": work_dir.bak: meseta master has no such setting") {
		t.Errorf("a file with a wrong name: %v", err)
	}
	os.Remove(filepath.Join(dir, "work_dir.bak"))
	write(t, dir, "port/x", "1")
	if _, err := newDaemon().start(nil, nil, dir); err == nil || !strings.Contains(err.Error(), "only attributes and resources may be directories") {
		t.Errorf("a directory with a wrong name: %v", err)
	}
}

func TestAnUnknownVariableLikeNoOtherIsWarnedOf(t *testing.T) {
	report, err := newDaemon().start(nil, []string{"MESETA_MASTER_SERVICE_HOST=10.0.0.1"}, "")
	if err != nil || len(report.Warnings) != 1 || report.Warnings[0] != "MESETA_MASTER_SERVICE_HOST is not a setting of meseta master and has no effect" {
		t.Errorf("got %q, %v", report.Warnings, err)
	}
}
