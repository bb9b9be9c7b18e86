package container_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

func TestStatusReadsAsMesosSaysIt(t *testing.T) {
	for _, c := range []struct {
		raw  container.Status
		want string
		code int
		sig  syscall.Signal
	}{
		{container.ExitStatus(0), "exited with status 0", 0, 0},
		{container.ExitStatus(3), "exited with status 3", 3, 0},
		{1024, "exited with status 4", 4, 0},
		{container.SignalStatus(syscall.SIGSEGV), "terminated with signal Segmentation fault", -1, syscall.SIGSEGV},
		{container.SignalStatus(syscall.SIGTERM), "terminated with signal Terminated", -1, syscall.SIGTERM},
		{container.SignalStatus(syscall.SIGKILL), "terminated with signal Killed", -1, syscall.SIGKILL},
		{0x86, "terminated with signal Aborted (core dumped)", -1, syscall.SIGABRT},
		{36, "terminated with signal Real-time signal 2", -1, 36},
	} {
		if got := c.raw.String(); got != c.want || c.raw.ExitCode() != c.code || c.raw.Signal() != c.sig {
			t.Errorf("status %#x: %q, code %d, signal %d; expected %q, %d, %d",
				uint32(c.raw), got, c.raw.ExitCode(), c.raw.Signal(), c.want, c.code, c.sig)
		}
	}
}

func TestSpecComplaintsNameTheField(t *testing.T) {
	good := func() container.Spec {
		return container.Spec{ID: "a-1", Argv: []string{"true"}, Env: []string{"A=b"}, Dir: "/"}
	}
	if spec := good(); spec.Validate() != nil {
		t.Fatalf("a good spec is refused: %v", spec.Validate())
	}
	for _, c := range []struct {
		name  string
		wrong func(*container.Spec)
		want  string
	}{
		{"no id", func(s *container.Spec) { s.ID = "" }, "id is empty"},
		{"dot id", func(s *container.Spec) { s.ID = ".." }, "begins with a dot"},
		{"slash in id", func(s *container.Spec) { s.ID = "a/b" }, `'/'`},
		{"long id", func(s *container.Spec) { s.ID = container.ID(strings.Repeat("a", 129)) }, "129 bytes"},
		{"no program", func(s *container.Spec) { s.Argv = nil }, "argv is empty"},
		{"zero byte", func(s *container.Spec) { s.Argv = []string{"a", "b\x00"} }, "argv[1]"},
		{"env", func(s *container.Spec) { s.Env = []string{"A"} }, "env[0]"},
		{"dir", func(s *container.Spec) { s.Dir = "x" }, "dir"},
		{"stdout", func(s *container.Spec) { s.Stdout = "out" }, "stdout"},
		{"stderr", func(s *container.Spec) { s.Stderr = "err" }, "stderr"},
		{"args", func(s *container.Spec) { s.Argv = []string{"a", strings.Repeat("x", container.MaxArgs)} }, "argv and env hold"},
		{"namespaces", func(s *container.Spec) { s.Namespaces = 1 << 20 }, "namespaces 0x100000"},
		{"zero byte in program", func(s *container.Spec) { s.Program = "a\x00" }, "program contains a zero byte"},
		{"binds of all", func(s *container.Spec) { s.Binds = []container.Bind{{Source: "/a", Target: "/b"}} }, "mount namespace"},
		{"relative bind", func(s *container.Spec) {
			s.Namespaces, s.Binds = container.NamespaceMount, []container.Bind{{Source: "a", Target: "/b"}}
		}, `binds[0] shows "a"`},
		{"quota", func(s *container.Spec) { s.Limits.CPUQuota = 1 }, "cpu quota is 1ns"},
		{"period", func(s *container.Spec) { s.Limits.CPUPeriod = time.Hour }, "cpu period is 1h"},
		{"soft over hard", func(s *container.Spec) { s.Limits.MemoryBytes, s.Limits.MemorySoftBytes = 1, 2 }, "soft memory limit of 2 bytes"},
		{"groups", func(s *container.Spec) { s.User = &container.User{Groups: make([]uint32, 2000)} }, "2000 groups"},
	} {
		spec := good()
		c.wrong(&spec)
		err := spec.Validate()
		if err == nil || !errors.Is(err, container.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, expected an ErrInvalid that says %q", c.name, err, c.want)
		}
	}
}

func TestLaunchErrorTellsWhatIsMissing(t *testing.T) {
	var err error = &container.LaunchError{ID: "x", Stage: container.StageExec, Errno: syscall.ENOENT, What: "nope"}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	if want := `container "x": cannot execute "nope": no such file or directory`; err.Error() != want {
		t.Errorf("got %q, expected %q", err, want)
	}
}
