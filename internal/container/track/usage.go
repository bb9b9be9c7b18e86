package track

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/kernfile"
)

func (c *cgroups) Measure(id string, done cgroup.Measured, s *container.Statistics) {
	measure(c.members(c.path(id)), done, s)
}

// members lists the processes in a cgroup and below it.
func (c *cgroups) members(path string) []int {
	pids := procs(path)
	for _, child := range cgroup.Children(path) {
		pids = append(pids, c.members(child)...)
	}
	return pids
}

func (e *environ) Measure(id string, done cgroup.Measured, s *container.Statistics) {
	found, _ := e.scan(map[string]bool{id: true}, once)
	pids := make([]int, len(found))
	for i, m := range found {
		pids[i] = m.pid
	}
	measure(pids, done, s)
}

// measure sums up what processes use. Of those that have ended only the cpu time is
// known that their parents have inherited; and what several map is counted for each.
func measure(pids []int, done cgroup.Measured, s *container.Statistics) {
	s.Processes = uint64(len(pids))
	if done.CPU && done.Memory && done.Threads {
		return
	}
	var sum container.Statistics
	for _, pid := range pids {
		if st, err := readStat(pid); err == nil {
			sum.CPUUser += st.user
			sum.CPUSystem += st.system
			sum.Threads += st.threads
		}
		if !done.Memory {
			addMemory(pid, &sum)
		}
	}
	if !done.CPU {
		s.CPUUser, s.CPUSystem = sum.CPUUser, sum.CPUSystem
	}
	if !done.Memory {
		s.Memory, s.MemoryAnonymous, s.MemoryMapped = sum.Memory, sum.MemoryAnonymous, sum.MemoryMapped
	}
	if !done.Threads {
		s.Threads = sum.Threads
	}
}

// addMemory adds what a process has in memory: of the fields of statm, the second
// is all of it and the third what it shares with files.
func addMemory(pid int, sum *container.Statistics) {
	text, err := kernfile.Read("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return
	}
	f := strings.Fields(text)
	if len(f) < 3 {
		return
	}
	resident, _ := strconv.ParseUint(f[1], 10, 64)
	shared, _ := strconv.ParseUint(f[2], 10, 64)
	page := uint64(os.Getpagesize())
	sum.Memory += resident * page
	sum.MemoryAnonymous += (resident - min(shared, resident)) * page
	sum.MemoryMapped += shared * page
}

// ticks is a time as the kernel prints it, in hundredths of a second wherever Go
// runs.
func ticks(n uint64) time.Duration { return time.Duration(n) * (time.Second / 100) }
