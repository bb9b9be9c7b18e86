package supervisor_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/container"
)

const outputCap = 1 << 20

// taken is what a file takes of the disk, in bytes.
func taken(t *testing.T, path string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

func TestOutputOverItsCapLosesItsHead(t *testing.T) {
	h := start(t)
	const total = 32 << 20
	modest := h.shell("modest", "head -c 1000000 /dev/zero; echo end; exec sleep "+mark())
	modest.OutputCap = outputCap
	h.launch(modest)
	spec := h.glutton("a", "output", strconv.Itoa(total))
	spec.OutputCap = outputCap
	h.launch(spec)
	h.eventually("it has written all", func() bool {
		info, err := os.Stat(h.path("a", "out"))
		return err == nil && info.Size() == total+int64(len("eaten\n"))
	})
	h.eventually("no more than the cap is left", func() bool { return taken(t, h.path("a", "out")) <= outputCap })
	out := h.output("a")
	if tail := out[len(out)-outputCap/2:]; strings.Contains(tail, "\x00") || !strings.HasSuffix(tail, "x\neaten\n") {
		t.Error("the last half of the cap is not as it was written")
	}
	if out[:100] != strings.Repeat("\x00", 100) {
		t.Error("the head is still there")
	}
	if out := h.output("modest"); len(out) != 1000000+len("end\n") || taken(t, h.path("modest", "out")) < 1000000 {
		t.Errorf("a file under its cap has %d bytes and takes %d", len(out), taken(t, h.path("modest", "out")))
	}
}

func TestOutputThatRestedIsStillBounded(t *testing.T) {
	h := start(t)
	go1 := h.path("go", "1")
	spec := h.shell("a", "echo first; while ! test -e "+go1+"; do sleep 0.01; done; head -c 8000000 /dev/zero; exec sleep "+mark())
	spec.OutputCap = outputCap
	h.launch(spec)
	h.eventually("the kernel watches it", func() bool { return h.watches() == 1 })
	if err := os.WriteFile(go1, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.eventually("it has written", func() bool { return len(h.output("a")) == 8000000+len("first\n") })
	h.eventually("no more than the cap is left", func() bool { return taken(t, h.path("a", "out")) <= outputCap })
	h.eventually("the kernel watches it again", func() bool { return h.watches() == 1 })
	if err := h.Kill(h.ctx, "a", 0); err != nil {
		t.Fatal(err)
	}
	h.wait("a")
	h.eventually("nothing is watched", func() bool { return h.watches() == 0 })
}

// watches counts the files that the kernel watches for the supervisor and that were
// not written to since.
func (h *host) watches() (n int) {
	h.t.Helper()
	dir := "/proc/" + strconv.Itoa(h.Process().PID) + "/fdinfo/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		info, _ := os.ReadFile(dir + e.Name())
		n += strings.Count(string(info), "\ninotify wd:")
	}
	return n
}

func TestOutputOfWhatEndsAtOnceIsBounded(t *testing.T) {
	h := start(t)
	spec := h.shell("a", "head -c 8000000 /dev/zero >&2")
	spec.OutputCap = outputCap
	h.run(spec)
	h.eventually("no more than the cap is left", func() bool { return taken(t, h.path("a", "err")) <= outputCap })
}

func TestAFileInThePlaceOfAnOutputIsLeftAlone(t *testing.T) {
	h := start(t)
	secret := h.path("secret", "file")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s", 4<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, put := range map[container.ID]string{"link": "ln -s", "hardlink": "ln"} {
		out := h.path(id, "out")
		spec := h.shell(id, "mv "+out+" "+out+".old; "+put+" "+secret+" "+out+"; head -c 3000000 /dev/zero; exit 0")
		spec.OutputCap = outputCap
		h.launch(spec)
		h.wait(id)
	}
	// It is looked at for the last time when its container ends: this one's turn is later.
	spec := h.shell("later", "head -c 8000000 /dev/zero")
	spec.OutputCap = outputCap
	h.run(spec)
	h.eventually("a later one was looked at", func() bool { return taken(t, h.path("later", "out")) <= outputCap })
	if data, _ := os.ReadFile(secret); strings.Contains(string(data), "\x00") {
		t.Error("another's file has a hole")
	}
}
