package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/supervisor"
	"github.com/meseta/meseta/internal/container/track"
)

// The test binary is also the supervisor that the tests start, through
// /proc/self/exe, and a stranger who tries to connect to one.
func TestMain(m *testing.M) {
	if supervisor.Wanted(os.Args) {
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	if appetite := os.Getenv(envGlutton); appetite != "" {
		os.Exit(glutton(appetite))
	}
	if socket := os.Getenv("MESETA_TEST_DIAL"); socket != "" {
		os.Exit(dialAsStranger(socket))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // for the supervisors that we start
	goleak.VerifyTestMain(m)
}

// ways are the ways of tracking that work for this user on this machine; all tests
// of processes run once for each. Without root there are usually no cgroups.
var ways = sync.OnceValue(func() (names []string) {
	for name, kind := range map[string]track.Kind{"v2": track.KindCgroupV2, "v1": track.KindCgroupV1, "environ": track.KindEnviron} {
		if sets, err := track.Open(track.Config{Key: fmt.Sprint("test-", os.Getpid()), Only: kind}); err == nil {
			sets.Close()
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
})

// eachWay runs a test with a fresh supervisor for each way of tracking.
func eachWay(t *testing.T, test func(t *testing.T, h *host)) {
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) { test(t, start(t, "--tracking", way)) })
	}
}

// host is a supervisor under test.
type host struct {
	*supervisor.Client
	t   *testing.T
	dir string // the supervisor's
	box string // a directory for containers
	ctx context.Context
}

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

func start(t *testing.T, flags ...string) *host {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("nothing came for "+patience.String()))
	t.Cleanup(cancel)
	h := &host{t: t, dir: filepath.Join(t.TempDir(), "supervisor"), box: t.TempDir(), ctx: ctx}
	c, err := supervisor.Start(ctx, h.dir, flags...)
	if err != nil {
		t.Fatal(err)
	}
	h.Client = c
	t.Cleanup(func() {
		h.Close()
		h.endAll()
	})
	return h
}

// endAll ends the supervisor and everything it ran.
func (h *host) endAll() []container.Exit {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exits, err := supervisor.EndAll(ctx, h.dir)
	if err != nil {
		h.t.Error(err)
	}
	h.reap()
	if _, place, ok := strings.Cut(h.Tracking(), "/"); ok {
		if _, err := os.Stat("/" + place); !errors.Is(err, os.ErrNotExist) {
			h.t.Errorf("its cgroups are left: %v", err)
		}
	}
	return exits
}

// reap waits for the supervisor process to be gone.
func (h *host) reap() {
	h.t.Helper()
	h.eventually("the supervisor is gone", func() bool {
		pid, err := syscall.Wait4(h.Process().PID, nil, syscall.WNOHANG, nil)
		return pid > 0 || err == syscall.ECHILD
	})
}

// reconnect is what an agent does that comes back.
func (h *host) reconnect() {
	h.t.Helper()
	h.Close()
	c, err := supervisor.Connect(h.ctx, h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Client = c
}

func (h *host) eventually(what string, is func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			said, _ := filepath.Glob(filepath.Join(h.box, "*"))
			for i, path := range said {
				data, _ := os.ReadFile(path)
				said[i] = filepath.Base(path) + ": " + string(data)
			}
			h.t.Fatalf("not within %v: %s\n%s", patience, what, strings.Join(said, "\n"))
		}
	}
}

// shell makes a container that runs a script, with its output in the box.
func (h *host) shell(id container.ID, script string) container.Spec {
	return container.Spec{
		ID: id, Argv: []string{"/bin/sh", "-c", script}, Dir: h.box,
		Env:    []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
		Stdout: h.path(id, "out"), Stderr: h.path(id, "err"),
	}
}

func (h *host) path(id container.ID, kind string) string {
	return filepath.Join(h.box, string(id)+"."+kind)
}

func (h *host) launch(spec container.Spec) container.Started {
	h.t.Helper()
	started, err := h.Launch(h.ctx, spec)
	if err != nil {
		h.t.Fatal(err)
	}
	return started
}

// launchReady launches a script and waits until it has written something.
func (h *host) launchReady(id container.ID, script string) container.Started {
	h.t.Helper()
	started := h.launch(h.shell(id, script))
	h.eventually(string(id)+" says something", func() bool { return h.output(id) != "" })
	return started
}

func (h *host) output(id container.ID) string {
	data, _ := os.ReadFile(h.path(id, "out"))
	return string(data)
}

// wait returns the exit of a container.
func (h *host) wait(id container.ID) container.Exit {
	h.t.Helper()
	for exit, err := range h.Exits(h.ctx) {
		if err != nil {
			h.t.Fatalf("waiting for %s: %v", id, err)
		}
		if exit.ID == id {
			return exit
		}
	}
	panic("unreachable")
}

// run runs a container to its end and returns what it wrote.
func (h *host) run(spec container.Spec) string {
	h.t.Helper()
	h.launch(spec)
	if exit := h.wait(spec.ID); !exit.Status.Success() {
		errors, _ := os.ReadFile(h.path(spec.ID, "err"))
		h.t.Fatalf("%s %v: %s", spec.ID, exit.Status, errors)
	}
	return h.output(spec.ID)
}

var marks atomic.Uint64

// mark is a number of seconds to sleep by which the sleeper can be recognised,
// whatever else it has thrown away.
func mark() string {
	return fmt.Sprintf("%d.%d%06d", 100_000, os.Getpid(), marks.Add(1))
}

// sleepers counts the live processes that have a mark among their arguments.
func sleepers(t *testing.T, mark string) (n int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		args, _ := os.ReadFile(dir + "/cmdline")
		if argv := strings.Split(string(args), "\x00"); len(argv) > 1 && argv[0] == "sleep" && argv[1] == mark {
			n++
		}
	}
	return n
}

func (h *host) nothingSleeps(marks ...string) {
	h.t.Helper()
	for _, m := range marks {
		if n := sleepers(h.t, m); n != 0 {
			h.t.Errorf("%d processes with mark %s still run", n, m)
		}
	}
}

// status reads a field of /proc/<pid>/status as it was printed by a container.
func status(t *testing.T, text, field string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	t.Fatalf("no %s in %q", field, text)
	return ""
}

// dialAsStranger connects to a supervisor as another user, and exits with 0 if it
// was turned away.
func dialAsStranger(socket string) int {
	c, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Println(err)
		return 2
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write([]byte("\x05\x00\x00\x00\x01\x01\x01\x01\x01")) // Hello
	n, err := c.Read(make([]byte, 100))
	fmt.Println(strconv.Itoa(n)+" bytes,", err)
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return 1
	}
	return 0
}
