package supervisor_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/supervisor"
)

// The agent's side: it dies, comes back, asks much at once.

func TestAnAgentThatComesBackFindsEverythingAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, h *host) {
		running := h.launchReady("runs", "echo ready; exec sleep "+mark())
		h.launch(h.shell("ended", "exit 4"))
		h.wait("ended")
		h.reconnect()
		infos, err := h.List(h.ctx)
		if err != nil || len(infos) != 2 {
			t.Fatalf("listed %v, %v; expected two containers", infos, err)
		}
		if infos[0].Started != running || infos[0].State != container.StateRunning {
			t.Errorf("found %+v, expected what was launched: %+v", infos[0], running)
		}
		if exit := h.wait("ended"); exit.Status.ExitCode() != 4 {
			t.Errorf("found %v, expected 4", exit.Status)
		}
		if again := h.launch(h.shell("runs", "exit 1")); again != running {
			t.Errorf("its launch repeated gave %+v, expected %+v", again, running)
		}
	})
}

func TestTwoAgentsAtOnceShareOneLaunch(t *testing.T) {
	h := start(t)
	other, err := supervisor.Connect(h.ctx, h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	started := make([]container.Started, 20)
	for i := range started {
		wg.Go(func() {
			c := h.Client
			if i%2 == 0 {
				c = other
			}
			s, err := c.Launch(h.ctx, h.shell("a", "echo once; exec sleep "+mark()))
			if err != nil {
				t.Error(err)
			}
			started[i] = s
		})
	}
	wg.Wait()
	for _, s := range started {
		if s != started[0] {
			t.Errorf("launches gave %+v and %+v", s, started[0])
		}
	}
	h.eventually("it runs", func() bool { return h.output("a") != "" })
	if got := h.output("a"); got != "once\n" {
		t.Errorf("it printed %q, expected to be started once", got)
	}
}

func TestAThousandLaunchesUnderwayAtOnce(t *testing.T) {
	const n = 1000
	h := start(t)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			spec := container.Spec{ID: container.ID(fmt.Sprint("c", i)), Argv: []string{"/bin/true"}, Dir: "/"}
			if _, err := h.Launch(h.ctx, spec); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[container.ID]bool{}
	for exit, err := range h.Exits(h.ctx) {
		if err != nil {
			t.Fatalf("after %d exits: %v", len(seen), err)
		}
		if seen[exit.ID] || !exit.Status.Success() {
			t.Errorf("%s: %v, seen before: %v", exit.ID, exit.Status, seen[exit.ID])
		}
		if seen[exit.ID] = true; len(seen) == n {
			break
		}
	}
	infos, err := h.List(h.ctx) // in several frames
	if err != nil || len(infos) != n {
		t.Fatalf("listed %d, %v; expected %d", len(infos), err, n)
	}
	h.reconnect()
	again := 0
	for range h.Exits(h.ctx) {
		if again++; again == n {
			break
		}
	}
}

func TestALargeEnvironmentArrives(t *testing.T) {
	h := start(t)
	spec := h.shell("a", "echo ${#BIG} $#")
	spec.Env = append(spec.Env, "BIG="+strings.Repeat("x", 100_000))
	spec.Argv = append(spec.Argv, strings.Split(strings.Repeat("argument ", 50_000), " ")...)
	if got := h.run(spec); got != "100000 50000\n" {
		t.Errorf("it saw %q", got)
	}
	spec = h.shell("b", "true")
	spec.Env = append(spec.Env, "BIG="+strings.Repeat("x", 1<<20)) // more than the kernel takes for one
	h.launchFails(spec, container.StageExec, syscall.E2BIG, "/bin/sh")
}

func TestADirectoryMayHaveALongName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	c, err := supervisor.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Client: c, t: t, dir: dir}
	defer h.endAll()
	defer c.Close()
	info, err := os.Stat(filepath.Join(dir, "socket"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v; expected mode 0600", info, err)
	}
}

func TestOneSupervisorPerDirectory(t *testing.T) {
	h := start(t)
	if _, err := supervisor.Start(h.ctx, h.dir); !errors.Is(err, supervisor.ErrRunning) {
		t.Errorf("a second one: %v, expected ErrRunning", err)
	}
}

func TestNobodyAnswersWhereNoSupervisorIs(t *testing.T) {
	for _, dir := range []string{t.TempDir(), t.TempDir() + "/none"} {
		if _, err := supervisor.Connect(t.Context(), dir); !errors.Is(err, container.ErrUnavailable) {
			t.Errorf("connecting: %v, expected ErrUnavailable", err)
		}
	}
}

func TestASupervisorThatCannotBeginSaysWhy(t *testing.T) {
	_, err := supervisor.Start(t.Context(), t.TempDir(), "--tracking", "magic")
	if err == nil || !strings.Contains(err.Error(), "did not come up") {
		t.Errorf("got %v, expected a complaint", err)
	}
	syscall.Wait4(-1, nil, 0, nil)
}

func TestRequestsEndWhenTheSupervisorDies(t *testing.T) {
	h := start(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, err := range h.Exits(h.ctx) {
			if !errors.Is(err, container.ErrUnavailable) {
				t.Errorf("exits end with %v, expected ErrUnavailable", err)
			}
		}
	})
	syscall.Kill(h.Process().PID, syscall.SIGKILL)
	wg.Wait()
	if _, err := h.List(h.ctx); !errors.Is(err, container.ErrUnavailable) {
		t.Errorf("list: %v, expected ErrUnavailable", err)
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	h := start(t)
	// Let them reach the socket: the supervisor has to look itself.
	os.Chmod(h.dir, 0o755)
	letThrough(filepath.Dir(h.dir))
	socket := filepath.Join(h.dir, "socket")
	os.Chmod(socket, 0o777)
	exe := executableForAll(t)
	p, err := os.StartProcess(exe, []string{exe}, &os.ProcAttr{
		Env:   []string{"MESETA_TEST_DIAL=" + socket},
		Files: []*os.File{nil, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}},
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.Wait()
	if err != nil || !state.Success() {
		t.Errorf("a stranger's connection: %v, %v; expected to be turned away", state, err)
	}
}
