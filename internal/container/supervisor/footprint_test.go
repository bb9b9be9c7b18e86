package supervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/supervisor"
)

// A supervisor is small: there is one on every machine, for as long as anything
// runs there.

// imports is what the supervisor's packages may import outside this module, and
// only these packages of the module.
var imports = strings.Fields(`
	bytes container/heap context encoding/binary errors flag fmt hash/fnv io io/fs iter log/slog maps net os
	os/signal path/filepath runtime runtime/debug slices strconv strings sync sync/atomic syscall time unsafe
	github.com/meseta/meseta/internal/container
	github.com/meseta/meseta/internal/container/cgroup
	github.com/meseta/meseta/internal/container/kernfile
	github.com/meseta/meseta/internal/container/ledger
	github.com/meseta/meseta/internal/container/protocol
	github.com/meseta/meseta/internal/container/spawn
	github.com/meseta/meseta/internal/container/track
	github.com/meseta/meseta/internal/core
`)

func TestImportsStayShort(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{join .Imports "\n"}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, name := range strings.Fields(string(out)) {
		if !slices.Contains(imports, name) {
			t.Errorf("imports %s: the supervisor stays small, and starts before everything else", name)
		}
	}
}

// TestFootprint bounds what a supervisor keeps for itself when it has started, and
// after much work. The test binary is larger than need be; NOTES.md has the figures
// of a plain one.
func TestFootprint(t *testing.T) {
	h := start(t)
	idle := private(t, h.Process().PID)
	for i := range 200 {
		h.launch(container.Spec{ID: container.ID("c" + strconv.Itoa(i)), Argv: []string{"/bin/true"}, Dir: "/"})
	}
	busy := private(t, h.Process().PID)
	t.Logf("private memory: %d KiB idle, %d KiB after 200 launches", idle, busy)
	limit := 10 << 10
	if raceEnabled {
		limit = 200 << 10
	}
	if idle > limit || busy > limit {
		t.Errorf("private memory is %d KiB idle and %d KiB after 200 launches, expected at most %d", idle, busy, limit)
	}
}

// private is what only this process uses, in KiB.
func private(t testing.TB, pid int) (kib int) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == "Private_Dirty:" || f[0] == "Private_Clean:") {
			n, _ := strconv.Atoi(f[1])
			kib += n
		}
	}
	return kib
}

func BenchmarkStartUp(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		begin := time.Now()
		c, err := supervisor.Start(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Microseconds())/1000, "ms-ready")
		c.Close()
		supervisor.EndAll(b.Context(), dir)
	}
}
