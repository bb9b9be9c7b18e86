package cgroup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/container"
)

func TestLimitsAreWrittenAsTheKernelWantsThem(t *testing.T) {
	none := container.Limits{}
	full := container.Limits{CPUShares: 2048, CPUQuota: 150 * time.Millisecond, MemoryBytes: 1 << 20, MemorySoftBytes: 1 << 19, PIDs: 9}
	with := func(change func(*container.Limits)) container.Limits {
		l := full
		change(&l)
		return l
	}
	for _, c := range []struct {
		name       string
		have, want container.Limits
		v1, v2     string
	}{
		{"none", none, none, "", ""},
		{"the same", full, full, "", ""},
		{"all", none, full,
			"cpu.shares=2048 cpu.cfs_quota_us=150000 memory.limit_in_bytes=1048576 memory.soft_limit_in_bytes=524288 pids.max=9",
			"cpu.weight=200 cpu.max=150000|100000 memory.oom.group=1 memory.max=1048576 memory.low=524288 pids.max=9"},
		{"lifted", full, none,
			"cpu.shares=1024 cpu.cfs_quota_us=-1 memory.limit_in_bytes=-1 memory.soft_limit_in_bytes=-1 pids.max=max",
			"cpu.weight=100 cpu.max=max memory.max=max memory.low=0 pids.max=max"},
		{"tiny share", none, container.Limits{CPUShares: 1}, "cpu.shares=2", "cpu.weight=1"},
		{"huge share", none, container.Limits{CPUShares: 1 << 40}, "cpu.shares=262144", "cpu.weight=10000"},
		{"other period", full, with(func(l *container.Limits) { l.CPUPeriod = 50 * time.Millisecond }),
			"cpu.cfs_period_us=50000 cpu.cfs_quota_us=150000", "cpu.max=150000|50000"},
		{"no swap", none, container.Limits{MemoryBytes: 4096, NoSwap: true},
			"memory.limit_in_bytes=4096 memory.memsw.limit_in_bytes=4096", "memory.oom.group=1 memory.swap.max=0 memory.max=4096"},
		{"no swap, more", container.Limits{MemoryBytes: 4096, NoSwap: true}, container.Limits{MemoryBytes: 8192, NoSwap: true},
			"memory.memsw.limit_in_bytes=8192 memory.limit_in_bytes=8192", "memory.max=8192"},
		{"no swap, less", container.Limits{MemoryBytes: 8192, NoSwap: true}, container.Limits{MemoryBytes: 4096, NoSwap: true},
			"memory.limit_in_bytes=4096 memory.memsw.limit_in_bytes=4096", "memory.max=4096"},
		{"swap again", container.Limits{MemoryBytes: 4096, NoSwap: true}, container.Limits{MemoryBytes: 8192},
			"memory.memsw.limit_in_bytes=-1 memory.limit_in_bytes=8192", "memory.swap.max=max memory.max=8192"},
	} {
		for version, want := range map[int]string{1: c.v1, 2: c.v2} {
			var got []string
			for k := range controller(controllers) {
				for _, s := range settings(version, k, &c.have, &c.want) {
					got = append(got, s.file+"="+strings.ReplaceAll(s.word, " ", "|"))
				}
			}
			if g := strings.Join(got, " "); g != want {
				t.Errorf("%s, version %d:\n got %s\nwant %s", c.name, version, g, want)
			}
		}
	}
}

// TestSwapIsNeverBoundedBelowMemory plays the settings of version 1 to a kernel that
// refuses a bound on memory and swap below that on memory, and the reverse.
func TestSwapIsNeverBoundedBelowMemory(t *testing.T) {
	limits := rapid.Custom(func(t *rapid.T) container.Limits {
		return container.Limits{MemoryBytes: rapid.SampledFrom([]uint64{0, 1, 2, 3}).Draw(t, "memory"), NoSwap: rapid.Bool().Draw(t, "no swap")}
	})
	const unbounded = 1 << 60
	rapid.Check(t, func(t *rapid.T) {
		bounds := map[string]uint64{"memory.limit_in_bytes": unbounded, "memory.memsw.limit_in_bytes": unbounded}
		have := container.Limits{}
		for _, want := range rapid.SliceOf(limits).Draw(t, "changes") {
			for _, s := range settings(1, memory, &have, &want) {
				n := uint64(unbounded)
				if s.word != "-1" {
					fmt.Sscan(s.word, &n)
				}
				bounds[s.file] = n
				if bounds["memory.memsw.limit_in_bytes"] < bounds["memory.limit_in_bytes"] {
					t.Fatalf("from %+v to %+v: %v", have, want, bounds)
				}
			}
			have = want
		}
		want := uint64(unbounded)
		if have.MemoryBytes != 0 {
			want = have.MemoryBytes
		}
		if bounds["memory.limit_in_bytes"] != want {
			t.Fatalf("bounds are %v, expected %d", bounds, want)
		}
	})
}
