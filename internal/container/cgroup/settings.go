package cgroup

import (
	"strconv"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// controller is one of the kernel's that are used here.
type controller int

const (
	cpu controller = iota
	cpuacct
	memory
	pids
	controllers int = iota
)

var controllerNames = [controllers]string{"cpu", "cpuacct", "memory", "pids"}

func (c controller) String() string { return controllerNames[c] }

// wanted reports whether limits need a controller. What uses the cpu is counted
// where it is limited: that is by cpu itself in version 2, by cpuacct in version 1.
func (c controller) wanted(l *container.Limits) bool {
	switch c {
	case cpu, cpuacct:
		return l.CPUShares != 0 || l.CPUQuota != 0
	case memory:
		return l.MemoryBytes != 0 || l.MemorySoftBytes != 0
	case pids:
		return l.PIDs != 0
	}
	return false
}

// setting is a word for a file of a cgroup.
type setting struct {
	file, word string
	optional   bool // not every kernel has the file
}

// settings lists, in their order, what turns the limits that a cgroup has into
// those it shall have. A new cgroup has none.
func settings(version int, c controller, have, want *container.Limits) []setting {
	switch {
	case c == cpu && version == 1:
		return cpuSettings1(have, want)
	case c == cpu:
		return cpuSettings2(have, want)
	case c == memory && version == 1:
		return memorySettings1(have, want)
	case c == memory:
		return memorySettings2(have, want)
	case c == pids && have.PIDs != want.PIDs:
		return []setting{{"pids.max", bound(want.PIDs, "max"), false}}
	}
	return nil
}

// bound is a limit in words, of which none has a word of its own.
func bound(limit uint64, none string) string {
	if limit == 0 {
		return none
	}
	return strconv.FormatUint(limit, 10)
}

// What the kernel takes for shares and weights.
const (
	minShares, maxShares = 2, 1 << 18
	minWeight, maxWeight = 1, 10_000
	usualShares          = 1024 // also what one cpu is
	usualWeight          = 100
)

func shares(l *container.Limits) uint64 {
	if l.CPUShares == 0 {
		return usualShares
	}
	return min(max(l.CPUShares, minShares), maxShares)
}

// weight keeps the proportions of shares, to whatever is not a container too.
func weight(l *container.Limits) uint64 {
	return min(max(shares(l)*usualWeight/usualShares, minWeight), maxWeight)
}

func sameQuota(a, b *container.Limits) bool {
	return a.CPUQuota == b.CPUQuota && (a.CPUQuota == 0 || a.Period() == b.Period())
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func cpuSettings1(have, want *container.Limits) (list []setting) {
	if shares(have) != shares(want) {
		list = append(list, setting{"cpu.shares", bound(shares(want), ""), false})
	}
	switch {
	case sameQuota(have, want):
	case want.CPUQuota == 0:
		list = append(list, setting{"cpu.cfs_quota_us", "-1", true})
	default:
		if have.CPUQuota == 0 && want.Period() != container.DefaultCPUPeriod || have.CPUQuota != 0 && have.Period() != want.Period() {
			list = append(list, setting{"cpu.cfs_period_us", micros(want.Period()), true})
		}
		list = append(list, setting{"cpu.cfs_quota_us", micros(want.CPUQuota), true})
	}
	return list
}

func cpuSettings2(have, want *container.Limits) (list []setting) {
	if weight(have) != weight(want) {
		list = append(list, setting{"cpu.weight", bound(weight(want), ""), false})
	}
	switch {
	case sameQuota(have, want):
	case want.CPUQuota == 0:
		list = append(list, setting{"cpu.max", "max", true})
	default:
		list = append(list, setting{"cpu.max", micros(want.CPUQuota) + " " + micros(want.Period()), true})
	}
	return list
}

// swapBound is the bound on memory and swap together.
func swapBound(l *container.Limits) uint64 {
	if !l.NoSwap {
		return 0
	}
	return l.MemoryBytes
}

// memorySettings1 has to keep the bound on memory and swap at or above the one on
// memory at every moment.
func memorySettings1(have, want *container.Limits) (list []setting) {
	memory := []setting{{"memory.limit_in_bytes", bound(want.MemoryBytes, "-1"), false}}
	if have.MemoryBytes == want.MemoryBytes {
		memory = nil
	}
	swap := []setting{{"memory.memsw.limit_in_bytes", bound(swapBound(want), "-1"), true}}
	if swapBound(have) == swapBound(want) {
		swap = nil
	}
	if have.MemoryBytes != 0 && (want.MemoryBytes == 0 || want.MemoryBytes > have.MemoryBytes) {
		list = append(swap, memory...)
	} else {
		list = append(memory, swap...)
	}
	if have.MemorySoftBytes != want.MemorySoftBytes {
		list = append(list, setting{"memory.soft_limit_in_bytes", bound(want.MemorySoftBytes, "-1"), true})
	}
	return list
}

// memorySettings2 also has the kernel kill a container as a whole.
func memorySettings2(have, want *container.Limits) (list []setting) {
	if have.MemoryBytes == 0 && want.MemoryBytes != 0 {
		list = append(list, setting{"memory.oom.group", "1", true})
	}
	if (swapBound(have) == 0) != (swapBound(want) == 0) {
		word := "max"
		if swapBound(want) != 0 {
			word = "0"
		}
		list = append(list, setting{"memory.swap.max", word, true})
	}
	if have.MemoryBytes != want.MemoryBytes {
		list = append(list, setting{"memory.max", bound(want.MemoryBytes, "max"), false})
	}
	if have.MemorySoftBytes != want.MemorySoftBytes {
		list = append(list, setting{"memory.low", bound(want.MemorySoftBytes, "0"), true})
	}
	return list
}
