package track

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/spawn"
)

// environ tracks a set by the MESETA_CONTAINER variable that its processes
// inherit.
//
// Reading every environment on the machine for every container that ends would
// cost more than the container. So Vacant first looks at the orphans: when a main
// process has been reaped, whatever remains of its set descends from a process
// whose parent died and which the kernel made a child of this process, the
// subreaper. Usually there is none.
type environ struct {
	known func(pid int) bool
}

func (e *environ) Place() Place { return Place{Kind: KindEnviron} }

// Enlist does nothing: the variable is part of the environment of every container.
func (e *environ) Enlist(string, *spawn.Command) (func(), error) { return func() {}, nil }

func (e *environ) Vacant(id string) bool {
	orphans, ok := e.orphans()
	if ok && !slices.ContainsFunc(orphans, func(pid int) bool {
		owner := ownerOf(pid)
		return owner == id || owner == ""
	}) {
		return true
	}
	return len(scan([]string{id})) == 0
}

// orphans lists this process's children that are no main process. They are all
// listed with its first thread, to which the kernel gives them.
func (e *environ) orphans() (pids []int, ok bool) {
	if e.known == nil {
		return nil, false
	}
	self := strconv.Itoa(os.Getpid())
	list, err := readSmall("/proc/self/task/" + self + "/children")
	if err != nil {
		return nil, false // a kernel without CONFIG_PROC_CHILDREN
	}
	for word := range strings.FieldsSeq(list) {
		if pid, err := strconv.Atoi(word); err == nil && !e.known(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, true
}

func (e *environ) Signal(id string, sig syscall.Signal) (pids []int) {
	for _, m := range scan([]string{id}) {
		signalMember(m.pid, sig, func() bool { return ownerOf(m.pid) == id })
		pids = append(pids, m.pid)
	}
	return pids
}

func (e *environ) Destroy(ids []string) (vacant []string) {
	found := scan(ids)
	for _, m := range found {
		signalMember(m.pid, syscall.SIGKILL, func() bool { return ownerOf(m.pid) == m.owner })
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(m member) bool { return m.owner == id }) {
			vacant = append(vacant, id)
		}
	}
	return vacant
}

func (e *environ) IDs() []string { return nil }

func (e *environ) Close() error { return nil }

// member is a process and the id in its environment.
type member struct {
	pid   int
	owner string
}

// scan finds all processes whose environment carries one of the ids. A process in
// the middle of an exec has no environment for some microseconds: those are looked
// at again, for a while.
func scan(ids []string) []member {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var found []member
	undecided := processes()
	for try := range 20 {
		if try > 0 {
			time.Sleep(time.Millisecond << min(try, 4))
		}
		again := undecided[:0]
		for _, pid := range undecided {
			owner, known := readOwner(pid)
			if !known && execing(pid) {
				again = append(again, pid)
			} else if wanted[owner] && !dead(pid) {
				found = append(found, member{pid, owner})
			}
		}
		if undecided = again; len(undecided) == 0 {
			break
		}
	}
	return found
}

// processes lists the pids of this machine that may be looked into.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// ownerOf is the id in the environment of a process, or empty.
func ownerOf(pid int) string {
	owner, _ := readOwner(pid)
	return owner
}

// readOwner finds the id in a process's environment; known is false when the
// environment is empty, as it is for a moment during an exec.
func readOwner(pid int) (owner string, known bool) {
	env, err := readSmall("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return "", true
	}
	for kv := range strings.SplitSeq(env, "\x00") {
		if id, ok := strings.CutPrefix(kv, container.EnvID+"="); ok {
			return id, true
		}
	}
	return "", env != ""
}

// execing reports whether a process without environment is one that executes a
// program right now: it has no arguments either, and is neither dead nor part of
// the kernel.
func execing(pid int) bool {
	args, err := readSmall("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || args != "" {
		return false
	}
	st, err := readStat(pid)
	return err == nil && !st.dead() && !st.kthread()
}

func dead(pid int) bool {
	st, err := readStat(pid)
	return err != nil || st.dead()
}
