package registry_test

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
)

// BenchmarkOpen is what a restart of the master pays, with a hundred agents in the registry.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 100)
	for b.Loop() {
		r, err := registry.Open(b.Context(), registry.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Campaign(b.Context()); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkApply is one op, durable; a bare write and fdatasync is in the journal's benchmarks.
func BenchmarkApply(b *testing.B) { benchmarkApply(b, 1) }

// BenchmarkApplyBatch is a hundred ops at once.
func BenchmarkApplyBatch(b *testing.B) { benchmarkApply(b, 100) }

func benchmarkApply(b *testing.B, n int) {
	r := open(b, b.TempDir())
	if _, err := r.Campaign(b.Context()); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		ops := make([]registry.Op, n)
		for k := range ops {
			ops[k] = registry.AdmitAgent{ID: ids.AgentID(fmt.Sprint(k)), Info: fmt.Appendf(make([]byte, 500), "%d", i)}
		}
		if err := r.Apply(b.Context(), ops); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConfirm is a check of leadership that writes nothing.
func BenchmarkConfirm(b *testing.B) {
	r := open(b, b.TempDir())
	if _, err := r.Campaign(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := r.Apply(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory reports the anonymous memory of this process, which is what nobody can take from
// it, with nothing open, with an idle registry, and with one of ten thousand agents of 1 kB.
func BenchmarkMemory(b *testing.B) {
	before := anonymous(b)
	empty := open(b, b.TempDir())
	if _, err := empty.Campaign(b.Context()); err != nil {
		b.Fatal(err)
	}
	idle := anonymous(b)
	dir := b.TempDir()
	fill(b, dir, 10_000)
	full := open(b, dir)
	if _, err := full.Campaign(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := full.Apply(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	both := anonymous(b)
	for b.Loop() {
	}
	b.ReportMetric(before, "MiB-before")
	b.ReportMetric(idle, "MiB-idle")
	b.ReportMetric(both, "MiB-both")
}

func fill(b *testing.B, dir string, agents int) {
	b.Helper()
	r, err := registry.Open(b.Context(), registry.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Campaign(b.Context()); err != nil {
		b.Fatal(err)
	}
	for from := 0; from < agents; from += 100 {
		var ops []registry.Op
		for i := range 100 {
			ops = append(ops, registry.AdmitAgent{ID: ids.AgentID(fmt.Sprintf("5d1bbc2c-6cbd-4d29-8d24-1b3d6f2c9b63-S%d", from+i)), Info: make([]byte, 1000)})
		}
		if err := r.Apply(b.Context(), ops); err != nil {
			b.Fatal(err)
		}
	}
}

func anonymous(b *testing.B) float64 {
	b.Helper()
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("no RssAnon in /proc/self/status")
	return 0
}
