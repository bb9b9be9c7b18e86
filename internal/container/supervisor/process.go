package supervisor

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// prepareProcess makes this process fit to be the parent of all containers, and
// reports whether it is protected from the kernel's memory killer, which those
// must not be.
func prepareProcess() (protected bool, err error) {
	const prSetChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return false, fmt.Errorf("becoming the parent of orphans: %w", errno)
	}
	syscall.Umask(0o022)
	closeOnExec()

	// There is little Go code to run here and much waiting: with more, the runtime
	// wakes threads that find nothing to do, which was a tenth of the cost of a launch.
	runtime.GOMAXPROCS(2)
	// The default would let the heap grow to 4 MiB before it is looked at.
	debug.SetGCPercent(25)

	const oomScoreAdj = "/proc/self/oom_score_adj"
	os.WriteFile(oomScoreAdj, []byte("-999"), 0) // needs CAP_SYS_RESOURCE
	adj, err := os.ReadFile(oomScoreAdj)
	return err == nil && strings.HasPrefix(string(adj), "-"), nil
}

// closeOnExec keeps what was inherited from reaching the containers.
func closeOnExec() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// childrenOfSelf lists the children of this process, dead ones included.
func childrenOfSelf() (pids []int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		list, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for word := range strings.FieldsSeq(string(list)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
