package track

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/spawn"
)

func TestWhereCgroupsCanBeMade(t *testing.T) {
	const (
		hybrid = `30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
33 30 0:29 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
34 30 0:30 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
`
		pure    = "31 30 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		inside  = "31 30 0:27 /docker/abc /my\\040cgroup rw - cgroup2 cgroup2 rw\n"
		nothing = "1 1 0:1 / / rw - ext4 /dev/vda rw\nnonsense\n"
	)
	for _, c := range []struct {
		name, mounts, own string
		only              Kind
		want              []string
	}{
		{"hybrid", hybrid, "9:name=systemd:/\n6:freezer:/\n0::/\n", KindNone,
			[]string{"v2 /sys/fs/cgroup/unified", "v1 /sys/fs/cgroup/freezer", "v1 /sys/fs/cgroup/systemd"}},
		{"hybrid, v1 only", hybrid, "9:name=systemd:/s\n6:freezer:/\n0::/\n", KindCgroupV1,
			[]string{"v1 /sys/fs/cgroup/freezer", "v1 /sys/fs/cgroup/systemd", "v1 /sys/fs/cgroup/systemd/s"}},
		{"a service", pure, "0::/system.slice/meseta.service\n", KindNone,
			[]string{"v2 /sys/fs/cgroup", "v2 /sys/fs/cgroup/system.slice/meseta.service"}},
		{"in a container that sees only its own part", inside, "0::/docker/abc/x\n", KindNone,
			[]string{"v2 /my cgroup", "v2 /my cgroup/x"}},
		{"none", nothing, "", KindNone, nil},
	} {
		var got []string
		for _, found := range candidates(cgroup.Parse(c.mounts, c.own), c.only) {
			got = append(got, map[Kind]string{KindCgroupV2: "v2 ", KindCgroupV1: "v1 "}[found.kind]+found.path)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, expected %q", c.name, got, c.want)
		}
	}
}

func TestStatIsReadWhateverTheNameIs(t *testing.T) {
	const rest = " S 12 1 1 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4711 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52"
	for _, name := range []string{"sh", "a b", "x) R 1 (y", ""} {
		st, ok := parseStat("99 (" + name + ")" + rest)
		if !ok || st.state != 'S' || st.parent != 12 || !st.kthread() || st.start != 4711 || st.env != 51 || st.dead() {
			t.Errorf("%q: %+v, %v", name, st, ok)
		}
	}
	for _, wrong := range []string{"", "1 (x", "1 (x)", "1 (x) S 1", "1 (x) S a 1 1 0 -1 1 0 0 0 0 0 0 0 0 0 0 0 0 1"} {
		if st, ok := parseStat(wrong); ok {
			t.Errorf("%q is read as %+v", wrong, st)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("99 (sh) S 12 1 1 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0")
	f.Fuzz(func(t *testing.T, data string) { parseStat(data) })
}

func FuzzCandidates(f *testing.F) {
	f.Add("31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/x\n")
	f.Fuzz(func(t *testing.T, mounts, own string) { candidates(cgroup.Parse(mounts, own), KindNone) })
}

func sleeper(t *testing.T) *os.Process {
	t.Helper()
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Wait() })
	return p
}

func TestOnlyTheIdenticalProcessIsSignalled(t *testing.T) {
	p := sleeper(t)
	id, err := Identify(p.Pid)
	if err != nil {
		t.Fatal(err)
	}
	other := id
	other.StartTime--
	other.Kill(syscall.SIGKILL)
	if other.Alive() || !id.Alive() {
		t.Fatal("a process was taken for another that had its pid")
	}
	id.Kill(syscall.SIGKILL)
	if state, _ := p.Wait(); state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v, expected SIGKILL", state)
	}
	if id.Alive() {
		t.Error("it is taken to be alive after its end")
	}
	id.Kill(syscall.SIGKILL) // is no error
}

func TestSignalByStartIsAsGood(t *testing.T) {
	p := sleeper(t)
	signalByStart(p.Pid, syscall.SIGKILL, func() bool { return false })
	if id, err := Identify(p.Pid); err != nil || !id.Alive() {
		t.Fatal("a process was killed that is no member")
	}
	signalByStart(p.Pid, syscall.SIGKILL, func() bool { return true })
	if state, _ := p.Wait(); state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v, expected SIGKILL", state)
	}
}

// each runs a test for all ways of tracking that work here.
func each(t *testing.T, test func(t *testing.T, s Sets)) {
	for _, kind := range []Kind{KindCgroupV2, KindCgroupV1, KindEnviron} {
		t.Run(kind.String(), func(t *testing.T) {
			s, err := Open(Config{Key: "test-" + strings.ReplaceAll(t.Name(), "/", "-"), Only: kind})
			if err != nil {
				t.Skip("not on this machine, for this user: ", err)
			}
			defer func() {
				if s.Close(); kind != KindEnviron {
					if _, err := os.Stat(s.Place().Path); !errors.Is(err, os.ErrNotExist) {
						t.Errorf("%s is left: %v", s.Place().Path, err)
					}
				}
			}()
			test(t, s)
		})
	}
}

func launch(t *testing.T, s Sets, id string) int {
	t.Helper()
	c := &spawn.Command{Programs: []string{"/bin/sleep"}, Argv: []string{"sleep", "1000"}, Dir: "/"}
	leave, err := s.Enlist(id, c)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := spawn.New().Start(c)
	leave()
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestASetIsDestroyedAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, s Sets) {
		a, b := launch(t, s, "a"), launch(t, s, "b")
		if s.Place().Kind != KindEnviron && s.Vacant("a") { // there it means nothing before the main process is reaped
			t.Error("a set with a process in it is vacant")
		}
		again, err := Reopen(s.Place()) // as after the death of who opened it
		if err != nil {
			t.Fatal(err)
		}
		destroy(t, again, "a")
		if status := wait(t, a); status.Signal() != syscall.SIGKILL {
			t.Errorf("a ended with %v", status)
		}
		if got := s.Signal("b", syscall.SIGTERM); !slices.Equal(got, []int{b}) {
			t.Errorf("signalled %v, expected %d", got, b)
		}
		if status := wait(t, b); status.Signal() != syscall.SIGTERM {
			t.Errorf("b ended with %v, expected SIGTERM", status)
		}
		if !s.Vacant("b") || !s.Vacant("b") || !s.Vacant("never") {
			t.Error("a set without a process in it is not vacant")
		}
	})
}

func TestBeforeLinux57AChildEntersItsCgroupByItself(t *testing.T) {
	s, err := Open(Config{Key: "test-entering", Only: KindCgroupV2})
	if err != nil {
		t.Skip("not on this machine, for this user: ", err)
	}
	defer s.Close()
	s.(*cgroups).clone = false
	if err := s.(*cgroups).probe(); err != nil {
		t.Errorf("the probe says: %v", err)
	}
	pid := launch(t, s, "a")
	if s.Vacant("a") {
		t.Error("the child is not in its cgroup")
	}
	destroy(t, s, "a")
	wait(t, pid)
}

func destroy(t *testing.T, s Sets, id string) {
	t.Helper()
	for range 10_000 {
		if len(s.Destroy([]string{id})) == 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s is not vacant after 10 s", id)
}

func wait(t *testing.T, pid int) (status syscall.WaitStatus) {
	t.Helper()
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}

func TestReopenRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := Reopen(Place{Kind: 77}); err == nil {
		t.Error("kind 77 was accepted")
	}
}
