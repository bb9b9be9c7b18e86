package spawn_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container/spawn"
)

func command(argv ...string) *spawn.Command {
	return &spawn.Command{Programs: argv[:1], Argv: argv, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/"}
}

// run starts a command with its output in a file, waits, and returns the output.
func run(t *testing.T, c *spawn.Command) string {
	t.Helper()
	c.Stdout = filepath.Join(t.TempDir(), "out")
	pid, err := spawn.New().Start(c)
	if err != nil {
		t.Fatal(err)
	}
	if status := wait(t, pid); status.ExitStatus() != 0 {
		t.Fatalf("%v: %v", c.Argv, status)
	}
	out, err := os.ReadFile(c.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func wait(t testing.TB, pid int) (status syscall.WaitStatus) {
	t.Helper()
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if err == nil {
			return status
		}
		if err != syscall.EINTR {
			t.Fatalf("waiting for %d: %v", pid, err)
		}
	}
}

func TestProgramRunsWithItsArgumentsAndEnvironment(t *testing.T) {
	c := command("/bin/sh", "-c", `echo "$0 $1 $A"; pwd`, "zero", "one two")
	c.Env = append(c.Env, "A=three")
	c.Dir = "/usr"
	if got, want := run(t, c), "zero one two three\n/usr\n"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

func TestSignalsAreReset(t *testing.T) {
	// An ignored signal survives an exec, a blocked one too.
	ignore := struct{ handler, flags, restorer, mask uintptr }{handler: 1}
	old := ignore
	sigaction(syscall.SIGUSR1, &ignore, &old)
	defer sigaction(syscall.SIGUSR1, &old, nil)
	out := run(t, command("/bin/cat", "/proc/self/status"))
	for _, field := range []string{"SigIgn", "SigBlk", "SigCgt"} {
		if !strings.Contains(out, field+":\t0000000000000000\n") {
			t.Errorf("%s is not empty: %s", field, out)
		}
	}
}

func TestSignalMaskOfTheParentComesBack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := sigblk(t)
	run(t, command("/bin/true"))
	if after := sigblk(t); after != before {
		t.Errorf("blocked signals are %s, were %s", after, before)
	}
}

// sigblk reads which signals this thread blocks.
func sigblk(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "SigBlk:\t")
	mask, _, _ := strings.Cut(rest, "\n")
	return mask
}

func TestOOMScoreIsResetInTheChildOnly(t *testing.T) {
	const own = "/proc/self/oom_score_adj"
	before, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("300"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(own, before, 0)
	c := command("/bin/cat", own)
	if got := run(t, c); got != "300\n" {
		t.Errorf("the child has %q, expected what it inherited", got)
	}
	c.ResetOOM = true
	if got := run(t, c); got != "0\n" {
		t.Errorf("the child has %q, expected 0", got)
	}
	if got, _ := os.ReadFile(own); string(got) != "300\n" {
		t.Errorf("the parent has %q, expected 300 as before", got)
	}
}

func TestFirstProgramThatCanBeExecutedIs(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := command("echo", "found")
	c.Programs = []string{"/no/such/echo", plain, "/etc/passwd/echo", "/bin/echo"}
	if got := run(t, c); got != "found\n" {
		t.Errorf("got %q", got)
	}
	for _, order := range [][]string{{"/no/such", plain}, {plain, "/no/such"}} {
		c.Programs = order
		fails(t, c, spawn.StepExec, syscall.EACCES, plain)
	}
	c.Programs = []string{"/no/such", "/none/either"}
	fails(t, c, spawn.StepExec, syscall.ENOENT, "/no/such")
	c.Programs = nil
	fails(t, c, spawn.StepExec, syscall.ENOENT, "")
}

func fails(t *testing.T, c *spawn.Command, step spawn.Step, errno syscall.Errno, what string) {
	t.Helper()
	pid, err := spawn.New().Start(c)
	e, ok := errors.AsType[*spawn.Error](err)
	if !ok || e.Step != step || e.Errno != errno || e.What != what {
		t.Errorf("got %v, expected %v %q: %v", err, step, what, errno)
	}
	if pid > 0 {
		wait(t, pid)
	}
}

func TestEachStepSaysThatItFailed(t *testing.T) {
	c := command("/bin/true")
	c.Dir = "/no/such"
	fails(t, c, spawn.StepDir, syscall.ENOENT, "/no/such")
	c = command("/bin/true")
	c.Stdout = "/no/out"
	fails(t, c, spawn.StepStdout, syscall.ENOENT, "/no/out")
	c = command("/bin/true")
	c.Stderr = "/no/err"
	fails(t, c, spawn.StepStderr, syscall.ENOENT, "/no/err")
	c = command("/bin/true")
	c.JoinCgroups = []string{"/no/cgroup.procs"}
	fails(t, c, spawn.StepCgroup, syscall.ENOENT, "/no/cgroup.procs")
	c = command("/bin/true")
	c.CloneFlags = syscall.CLONE_THREAD // without CLONE_SIGHAND
	fails(t, c, spawn.StepFork, syscall.EINVAL, "")
}

func TestAChildThatIsKilledOnItsWayIsNoFailure(t *testing.T) {
	// A fifo without a writer holds the child in open(2), before it executes anything.
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	c := command("/bin/true")
	c.JoinCgroups = []string{fifo} // opened for writing
	s := spawn.New()
	var killer sync.WaitGroup
	killer.Go(func() {
		for s.Child() == 0 {
			runtime.Gosched()
		}
		runtime.GC() // a child that hangs does not stop the world for good
		syscall.Kill(s.Child(), syscall.SIGKILL)
	})
	pid, err := s.Start(c)
	killer.Wait()
	if err != nil || pid != s.Child() {
		t.Errorf("pid %d of child %d, %v; expected a start like any other", pid, s.Child(), err)
	}
	if status := wait(t, pid); status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v, expected SIGKILL", status)
	}
	if s.Forget(); s.Child() != 0 {
		t.Errorf("the child is still %d", s.Child())
	}
}

func TestManyStartAtOnce(t *testing.T) {
	stop := time.Now().Add(300 * time.Millisecond)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := spawn.New()
			for time.Now().Before(stop) {
				pid, err := s.Start(command("/bin/true"))
				if err != nil {
					t.Error(err)
					return
				}
				wait(t, pid)
			}
		})
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			runtime.GC()
		}
	})
	wg.Wait()
}

func BenchmarkStart(b *testing.B) {
	s := spawn.New()
	c := command("/bin/true")
	for b.Loop() {
		pid, err := s.Start(c)
		if err != nil {
			b.Fatal(err)
		}
		wait(b, pid)
	}
}

// BenchmarkForkExec is what BenchmarkStart is compared with.
func BenchmarkForkExec(b *testing.B) {
	for b.Loop() {
		pid, err := syscall.ForkExec("/bin/true", []string{"/bin/true"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
		if err != nil {
			b.Fatal(err)
		}
		wait(b, pid)
	}
}
