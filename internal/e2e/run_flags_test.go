package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestRunGivesACommandWhatItsFlagsSay(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{AgentFlags: []string{
		"--resources=cpus:2;cpus(dev):2;mem:1024;disk:1024;ports:[31000-31002]"}})
	file := filepath.Join(c.Dir(), "message")
	if err := os.WriteFile(file, []byte("fetched\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name           string
		flags, command []string
		code           int
		stdout         string
	}{
		{"environment", []string{"--env", "A=1", "-e", "B=x=y, z"}, []string{"sh", "-c", `echo "$A|$B"`}, 0, "1|x=y, z\n"},
		{"uri", []string{"--uri", file + ",output=greeting"}, []string{"cat", "greeting"}, 0, "fetched\n"},
		{"executable", []string{"--uri", "/bin/echo,executable=true,output=say"}, []string{"./say", "hi"}, 0, "hi\n"},
		{"ports", []string{"--ports", "2"}, []string{"sh", "-c", "echo $PORT0 $PORT1 $PORTS $PORT"}, 0, "31000 31001 31000,31001 31000\n"},
		{"own port", []string{"--ports", "1", "--env", "PORT=1"}, []string{"sh", "-c", "echo $PORT0 $PORT"}, 0, "31000 1\n"},
		{"role", []string{"--role", "dev", "--cpus", "4"}, []string{"true"}, 0, ""},
		{"timeout", []string{"--timeout", "200ms"}, []string{"sleep", "60"}, 124, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := testcluster.Meseta(t, slices.Concat([]string{"run", "--master", c.Master.Address}, test.flags, []string{"--"}, test.command)...)
			if r.Code != test.code || r.Stdout != test.stdout || r.Stderr != "" {
				t.Errorf("got %+v, want code %d, stdout %q", r, test.code, test.stdout)
			}
		})
	}
}

func TestRunWithGPUs(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{AgentFlags: []string{"--resources=cpus:2;mem:1024;disk:1024;gpus:2"}})
	if r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--gpus", "2", "--", "true"); r.Code != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestRunAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run tasks as somebody else")
	}
	c := testcluster.Start(t, testcluster.Options{})
	r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--user", "nobody", "--", "id", "-un")
	if r.Code != 0 || r.Stdout != "nobody\n" {
		t.Errorf("got %+v, want nobody", r)
	}
}

func TestInstancesRunBesideEachOther(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{Agents: 2})
	r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--instances", "5", "--cpus", "1.5", "--", "sh", "-c",
		`echo one; echo two; case $MESOS_TASK_ID in *-3) exit 7;; esac`)
	lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	slices.Sort(lines)
	want := "[0] one,[0] two,[1] one,[1] two,[2] one,[2] two,[3] one,[3] two,[4] one,[4] two"
	if got := strings.Join(lines, ","); got != want || r.Code != 7 || r.Stderr != "" {
		t.Errorf("got %+v", r)
	}
}

func TestAnInterruptEndsAllInstances(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	run := testcluster.Begin(t, "run", "--master", c.Master.Address, "--instances", "3", "--", "sh", "-c", "echo up; exec sleep 600")
	testcluster.Eventually(t, "all instances run", func() bool { return strings.Count(run.Stdout(), "up") == 3 })
	begin := time.Now()
	run.Interrupt()
	if r := run.Wait(); r.Code != 143 {
		t.Errorf("got %+v, want code 143", r)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if left := testcluster.Meseta(t, "tasks", "--master", c.Master.Address, "-o", "json").Stdout; strings.TrimSpace(left) != "[]" {
		t.Errorf("left: %s", left)
	}
}
