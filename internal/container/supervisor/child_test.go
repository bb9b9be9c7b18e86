package supervisor_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// What a container finds when it starts.

func TestContainerStartsWithACleanSlate(t *testing.T) {
	inherited, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer inherited.Close()
	eachWay(t, func(t *testing.T, h *host) {
		spec := h.shell("a", "cat /proc/self/status /proc/self/stat; echo; echo fds: $(ls /proc/self/fd); "+
			"echo stdin: $(readlink /proc/self/fd/0); echo oom: $(cat /proc/self/oom_score_adj); umask; env")
		spec.Env = append(spec.Env, "GREETING=hello world", container.EnvID+"=forged")
		spec.NoNewPrivs = true
		started := h.launch(spec)
		h.wait("a")
		out := h.output("a")
		for field, want := range map[string]string{
			"SigBlk": "0000000000000000", "SigIgn": "0000000000000000", "NoNewPrivs": "1",
		} {
			if got := status(t, out, field); got != want {
				t.Errorf("%s is %s, expected %s", field, got, want)
			}
		}
		session := " " + strconv.Itoa(started.PID) + " " + strconv.Itoa(started.PID) + " "
		if !strings.Contains(out, session) { // process group and session in stat
			t.Errorf("not the leader of its session, pid %d: %s", started.PID, out)
		}
		for _, want := range []string{
			"stdin: /dev/null\n", "oom: 0\n", "\n0022\n", "fds: 0 1 2 3\n", // 3 is how ls looks
			"GREETING=hello world\n", container.EnvID + "=a\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
		if strings.Contains(out, "forged") {
			t.Errorf("the container chose its own id: %s", out)
		}
	})
}

func TestContainerGetsTheLimitOnFilesOfTheAgentsParent(t *testing.T) {
	// The test, like the agent, had its soft limit raised by package os, and package
	// os lowers it again for what it starts: this test's child is the measure.
	h := start(t)
	want := strings.TrimSpace(ulimit(t))
	if got := strings.TrimSpace(h.run(h.shell("a", "ulimit -S -n"))); got != want {
		t.Errorf("soft limit on open files is %s, expected %s", got, want)
	}
}

func ulimit(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "ulimit -S -n"}, &os.ProcAttr{Files: []*os.File{nil, w, nil}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _ := r.Read(buf)
	p.Wait()
	return string(buf[:n])
}

func TestOutputIsAppended(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		if err := os.WriteFile(h.path("a", "out"), []byte("before\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		spec := h.shell("a", "echo one; echo wrong >&2; echo two")
		spec.Stderr = spec.Stdout
		if got, want := h.run(spec), "before\none\nwrong\ntwo\n"; got != want {
			t.Errorf("output is %q, expected %q", got, want)
		}
	})
}

func TestOutputIsNotFollowedThroughALinkAndDoesNotBlockOnAPipe(t *testing.T) {
	h := start(t)
	secret := h.path("secret", "file")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, h.path("link", "out")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(h.path("fifo", "out"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[container.ID]syscall.Errno{"link": syscall.ELOOP, "fifo": syscall.ENXIO} {
		h.launchFails(h.shell(id, "echo written"), container.StageStdout, want, h.path(id, "out"))
	}
	if data, _ := os.ReadFile(secret); string(data) != "secret" {
		t.Errorf("the link's target is now %q", data)
	}
}

// launchFails expects a launch to fail at a certain stage.
func (h *host) launchFails(spec container.Spec, stage container.Stage, errno syscall.Errno, what string) {
	h.t.Helper()
	_, err := h.Launch(h.ctx, spec)
	e, ok := errors.AsType[*container.LaunchError](err)
	if !ok || e.Stage != stage || e.Errno != errno || e.What != what {
		h.t.Errorf("launching %s: %v; expected %v %q: %v", spec.ID, err, stage, what, errno)
	}
}

func TestLaunchErrorsNameTheStage(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		plain := h.path("plain", "file")
		if err := os.WriteFile(plain, []byte("no program"), 0o644); err != nil {
			t.Fatal(err)
		}
		with := func(id container.ID, change func(*container.Spec)) container.Spec {
			spec := h.shell(id, "true")
			change(&spec)
			return spec
		}
		h.launchFails(with("missing", func(s *container.Spec) { s.Argv = []string{"/no/such"} }),
			container.StageExec, syscall.ENOENT, "/no/such")
		h.launchFails(with("nowhere", func(s *container.Spec) { s.Argv = []string{"no-such-program"} }),
			container.StageExec, syscall.ENOENT, "no-such-program")
		h.launchFails(with("plain", func(s *container.Spec) { s.Argv = []string{plain} }),
			container.StageExec, syscall.EACCES, plain)
		h.launchFails(with("dir", func(s *container.Spec) { s.Dir = "/no/such/dir" }),
			container.StageDir, syscall.ENOENT, "/no/such/dir")
		h.launchFails(with("stderr", func(s *container.Spec) { s.Stderr = "/no/such/err" }),
			container.StageStderr, syscall.ENOENT, "/no/such/err")
		if os.Geteuid() != 0 {
			h.launchFails(with("user", func(s *container.Spec) { s.User = &container.User{UID: 1} }),
				container.StageUser, syscall.EPERM, "")
		}
		if exits := h.endAll(); len(exits) != 0 {
			t.Errorf("failed launches left %v", exits)
		}
	})
}

func TestProgramIsFoundAsExecvpWould(t *testing.T) {
	h := start(t)
	script := h.box + "/greet"
	if err := os.WriteFile(script, []byte("echo hello $1\n"), 0o755); err != nil { // no #!
		t.Fatal(err)
	}
	for id, argv := range map[container.ID][]string{
		"path":     {"greet", "path"},
		"relative": {"./greet", "relative"},
		"absolute": {script, "absolute"},
	} {
		spec := h.shell(id, "")
		spec.Argv, spec.Env = argv, []string{"PATH=/no/such:" + h.box}
		if got, want := h.run(spec), "hello "+string(id)+"\n"; got != want {
			t.Errorf("%v printed %q, expected %q", argv, got, want)
		}
	}
	spec := h.shell("default", "")
	spec.Argv, spec.Env = []string{"echo", "found"}, nil
	if got := h.run(spec); got != "found\n" {
		t.Errorf("without PATH, echo printed %q", got)
	}
}

func TestUserIsSwitched(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can switch users")
	}
	eachWay(t, func(t *testing.T, h *host) {
		letThrough(h.box)
		os.Chmod(h.box, 0o777)
		spec := h.shell("a", "grep -E '^(Uid|Gid|Groups)' /proc/self/status")
		spec.User = &container.User{UID: 1234, GID: 2345, Groups: []uint32{10, 20}}
		out := h.run(spec)
		for field, want := range map[string]string{
			"Uid": "1234\t1234\t1234\t1234", "Gid": "2345\t2345\t2345\t2345", "Groups": "10 20",
		} {
			if got := status(t, out, field); got != want {
				t.Errorf("%s is %q, expected %q", field, got, want)
			}
		}
		info, err := os.Stat(h.path("a", "out"))
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != 1234 {
			t.Errorf("its output file is not its own: %v, %v", info, err)
		}
		os.Chmod(h.box, 0o700)
		spec.ID = "b"
		h.launchFails(spec, container.StageDir, syscall.EACCES, h.box)
	})
}

func TestContainerWithItsOwnUserNeedsNoRoot(t *testing.T) {
	h := start(t)
	spec := h.shell("a", "echo $(id -u):$(id -g)")
	spec.User = &container.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	if got, want := h.run(spec), strconv.Itoa(os.Geteuid())+":"+strconv.Itoa(os.Getegid())+"\n"; got != want {
		t.Errorf("it ran as %q, expected %q", got, want)
	}
}

func TestKillWaitsForTheGrace(t *testing.T) {
	const grace = 50 * time.Millisecond
	eachWay(t, func(t *testing.T, h *host) {
		h.launchReady("a", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
		before := time.Now()
		if err := h.Kill(h.ctx, "a", grace); err != nil {
			t.Fatal(err)
		}
		exit := h.wait("a")
		if took := exit.At.Sub(before); took < grace || exit.Status.Signal() != syscall.SIGKILL {
			t.Errorf("%v after %v, expected to be killed after %v", exit.Status, took, grace)
		}
	})
}

func TestStartTimeIdentifiesTheProcess(t *testing.T) {
	h := start(t)
	before := time.Now()
	started := h.launchReady("a", "echo ready; exec sleep "+mark())
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(started.PID) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if got := strconv.FormatUint(started.StartTime, 10); got != fields[19] {
		t.Errorf("start time %s, the kernel says %s", got, fields[19])
	}
	if started.At.Before(before.Round(0)) || started.At.After(time.Now()) {
		t.Errorf("started at %v, expected between %v and now", started.At, before)
	}
}
