package cgroup

import (
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
)

// Measured says what a measurement has covered.
type Measured struct{ CPU, Memory, Threads bool }

// Measure fills in what the kernel counts for a container, and says what that
// covers: only what is limited is counted, and in version 2 the use of the cpu of
// all.
func (l *Limiter) Measure(id string, s *container.Statistics) (m Measured) {
	dirs, limits := l.member(id)
	s.Limits = limits
	if dir := dirs[cpu]; dir != "" {
		measureThrottling(l.version(cpu), dir, s)
	}
	switch {
	case dirs[cpuacct] != "":
		m.CPU = measureCPU1(dirs[cpuacct], s)
	case l.tracked != "":
		m.CPU = measureCPU2(l.tracked+"/"+runDir+"/"+id, s)
	}
	if dir := dirs[memory]; dir != "" {
		m.Memory = measureMemory(l.version(memory), dir, s)
	}
	if dir := dirs[pids]; dir != "" {
		s.Threads = number(dir + "/pids.current")
		m.Threads = s.Threads != 0
	}
	return m
}

func (l *Limiter) version(c controller) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seats[c].version
}

func (l *Limiter) member(id string) (dirs [controllers]string, limits container.Limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.members[id]; m != nil {
		return m.dirs, m.limits
	}
	return dirs, limits
}

func measureThrottling(version int, dir string, s *container.Statistics) {
	t := table(dir + "/cpu.stat")
	s.CPUPeriods, s.CPUThrottled = t["nr_periods"], t["nr_throttled"]
	s.CPUThrottledTime = time.Duration(t["throttled_time"])
	if version == 2 {
		s.CPUThrottledTime = time.Duration(t["throttled_usec"]) * time.Microsecond
	}
}

func measureCPU1(dir string, s *container.Statistics) bool {
	s.CPUUser = time.Duration(number(dir + "/cpuacct.usage_user"))
	s.CPUSystem = time.Duration(number(dir + "/cpuacct.usage_sys"))
	if s.CPUUser+s.CPUSystem == 0 { // before Linux 4.6
		t := table(dir + "/cpuacct.stat")
		const tick = time.Second / 100
		s.CPUUser, s.CPUSystem = time.Duration(t["user"])*tick, time.Duration(t["system"])*tick
	}
	return true
}

func measureCPU2(dir string, s *container.Statistics) bool {
	t := table(dir + "/cpu.stat")
	s.CPUUser = time.Duration(t["user_usec"]) * time.Microsecond
	s.CPUSystem = time.Duration(t["system_usec"]) * time.Microsecond
	return len(t) > 0
}

func measureMemory(version int, dir string, s *container.Statistics) bool {
	t := table(dir + "/memory.stat")
	if version == 2 {
		s.Memory = number(dir + "/memory.current")
		s.MemoryAnonymous, s.MemoryFile, s.MemoryMapped = t["anon"], t["file"], t["file_mapped"]
		s.MemorySwap = number(dir + "/memory.swap.current")
		s.MemoryPeak = number(dir + "/memory.peak")
		events := table(dir + "/memory.events")
		s.MemoryFailures, s.MemoryKills = events["max"], events["oom_kill"]
		return len(t) > 0
	}
	s.Memory = number(dir + "/memory.usage_in_bytes")
	s.MemoryAnonymous, s.MemoryFile = t["total_rss"], t["total_cache"]
	s.MemoryMapped, s.MemorySwap = t["total_mapped_file"], t["total_swap"]
	s.MemoryPeak = number(dir + "/memory.max_usage_in_bytes")
	s.MemoryFailures = number(dir + "/memory.failcnt")
	s.MemoryKills = table(dir + "/memory.oom_control")["oom_kill"]
	return len(t) > 0
}

// number reads a file that holds one number; no file, no number and "max" are 0.
func number(path string) uint64 {
	word, _ := kernfile.Read(path)
	n, _ := strconv.ParseUint(strings.TrimSpace(word), 10, 64)
	return n
}

// table reads a file of lines that each hold a name and a number.
func table(path string) map[string]uint64 {
	text, _ := kernfile.Read(path)
	t := map[string]uint64{}
	for line := range strings.Lines(text) {
		name, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if n, err := strconv.ParseUint(word, 10, 64); err == nil {
			t[name] = n
		}
	}
	return t
}
