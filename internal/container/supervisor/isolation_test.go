package supervisor_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// What keeps a container apart from the machine and from others.

const apart = container.NamespacePID | container.NamespaceMount | container.NamespaceIPC

func TestNamespacesAreTheContainersOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	eachWay(t, func(t *testing.T, h *host) {
		spec := h.shell("a", "echo pid $$; echo /proc/[0-9]*; ls /dev/shm; readlink /proc/self/ns/ipc /proc/self/ns/mnt /proc/self/ns/pid; "+
			"touch /dev/shm/mine; sleep "+mark()+" & exit 0")
		spec.Namespaces = apart
		out := h.run(spec)
		if !strings.HasPrefix(out, "pid 2\n/proc/1 /proc/2\nipc:") {
			t.Errorf("expected to see only its init, itself and no shared memory: %q", out)
		}
		for _, ns := range []string{"ipc", "mnt", "pid"} {
			own, err := os.Readlink("/proc/self/ns/" + ns)
			if err != nil || strings.Contains(out, own) {
				t.Errorf("the container shares our %s namespace %s (%v)", ns, own, err)
			}
		}
		if _, err := os.Stat("/dev/shm/mine"); err == nil {
			t.Error("its shared memory is ours")
		}
	})
}

func TestAPIDNamespaceEndsWithItsMainProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	eachWay(t, func(t *testing.T, h *host) {
		m := mark()
		// Without an environment, and in a session of their own: nothing but the namespace
		// tells whose they are where there are no cgroups.
		spec := h.shell("a", "for i in 1 2 3; do setsid env -i sleep "+m+" & done; (sh -c 'exit 7' &); sleep 0.05; "+
			"for p in /proc/[0-9]*; do grep -q '^State:.Z' $p/status && echo zombie; done; exit 3")
		spec.Namespaces = apart
		h.launch(spec)
		if exit := h.wait("a"); exit.Status.ExitCode() != 3 {
			t.Errorf("it %v, expected an exit with 3", exit.Status)
		}
		if got := h.output("a"); got != "" {
			t.Errorf("orphans are not reaped: %s", got)
		}
		h.nothingSleeps(m)
	})
}

func TestSignalsHaveTheirUsualEffectInAPIDNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	h := start(t)
	for name, sig := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "ABRT": syscall.SIGABRT, "KILL": syscall.SIGKILL} {
		spec := h.shell(container.ID(name), "kill -"+name+" $$; sleep 1000")
		spec.Namespaces = apart
		h.launch(spec)
		if exit := h.wait(spec.ID); exit.Status.Signal() != sig || exit.Reason != container.ReasonExited {
			t.Errorf("after its own %s it %v, %v", name, exit.Status, exit.Reason)
		}
	}
}

func TestAFailedLaunchLeavesNoNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	eachWay(t, func(t *testing.T, h *host) {
		spec := h.shell("a", "")
		spec.Namespaces, spec.Program = apart, "/no/such/program"
		h.launchFails(spec, container.StageExec, syscall.ENOENT, "/no/such/program")
		h.eventually("its init is gone", func() bool { return len(h.children()) == 0 })
		spec = h.shell("b", "")
		spec.Namespaces, spec.Binds = apart, []container.Bind{{Source: "/no/such/source", Target: "/tmp"}}
		h.launchFails(spec, container.StageNamespaces, syscall.ENOENT, "/tmp")
	})
}

// children are the processes that the supervisor has started or inherited, and not
// reaped.
func (h *host) children() (pids []string) {
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(h.Process().PID) + "/task/*/children")
	for _, path := range lists {
		list, _ := os.ReadFile(path)
		pids = append(pids, strings.Fields(string(list))...)
	}
	return pids
}

func TestBindsAreSeenInTheContainerOnly(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	h := start(t)
	own, ro := t.TempDir(), t.TempDir()
	if err := os.Chmod(own, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ro+"/given", []byte("given\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The working directory and the output files lie in the /tmp that is hidden.
	spec := h.shell("a", "pwd; cat /mnt/given; touch /mnt/x 2>/dev/null || echo read-only; echo mine >/tmp/mine; test $(ls -A $PWD | wc -l) -ge 2 && echo outputs")
	spec.Namespaces = container.NamespaceMount
	spec.Binds = []container.Bind{{Source: ro, Target: "/mnt", ReadOnly: true}, {Source: own, Target: "/tmp"}}
	want := h.box + "\ngiven\nread-only\noutputs\n"
	if got := h.run(spec); got != want {
		t.Errorf("it printed %q, expected %q", got, want)
	}
	if data, _ := os.ReadFile(own + "/mine"); string(data) != "mine\n" {
		t.Errorf("what it wrote to /tmp is not in the directory that was bound there: %q", data)
	}
	if _, err := os.Stat("/mnt/given"); err == nil {
		t.Error("the bind is seen by all")
	}
}

func TestCapabilitiesAreDropped(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has capabilities to drop")
	}
	h := start(t)
	letThrough(h.box)
	os.Chmod(h.box, 0o777)
	const kept = container.CapChown | container.CapKill
	for _, c := range []struct {
		id        container.ID
		user      *container.User
		caps      *container.Capabilities
		effective string
		bounding  string
	}{
		{"root", nil, new(kept), "0000000000000021", "0000000000000021"},
		{"root-by-name", &container.User{}, new(kept), "0000000000000021", "0000000000000021"},
		{"root-usual", nil, new(container.RootCapabilities), "00000000000404fb", "00000000000404fb"},
		{"user", &container.User{UID: 1234, GID: 1234}, new(container.Capabilities(0)), "0000000000000000", "0000000000000000"},
		{"user-bound", &container.User{UID: 1234, GID: 1234}, new(kept), "0000000000000000", "0000000000000021"},
	} {
		spec := h.shell(c.id, "cat /proc/self/status")
		spec.User, spec.Capabilities, spec.NoNewPrivs = c.user, c.caps, true
		out := h.run(spec)
		for field, want := range map[string]string{
			"CapEff": c.effective, "CapPrm": c.effective, "CapBnd": c.bounding,
			"CapInh": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1",
		} {
			if got := status(t, out, field); got != want {
				t.Errorf("%s: %s is %s, expected %s", c.id, field, got, want)
			}
		}
	}
}

func TestKillOfAnIsolatedContainerIsPrompt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	eachWay(t, func(t *testing.T, h *host) {
		m := mark()
		spec := h.hydra("a", m, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
		spec.Namespaces = apart
		spec.Limits.PIDs = 200
		h.launch(spec)
		h.eventually("the heads grow", func() bool { return hydras(t, m) > 0 && h.output("a") != "" })
		if err := h.Kill(h.ctx, "a", 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if exit := h.wait("a"); exit.Status.Signal() != syscall.SIGKILL || exit.Reason != container.ReasonKilled {
			t.Errorf("ended with %v, %v", exit.Status, exit.Reason)
		}
		h.noHeads(m)
	})
}
