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
// cost more than the container. So what counts are the orphans: when a main process
// has been reaped, whatever remains of its set descends from a process whose parent
// died and which the kernel made a child of this process, the subreaper. Usually
// there is none. Orphans also find what a scan may miss: processes that fork and
// exit without pause, and so are always elsewhere than where one looks.
type environ struct {
	known func(pid int) bool // nil when reopened: then there are no orphans of ours
}

func (e *environ) Place() Place { return Place{Kind: KindEnviron} }

// Enlist does nothing: the variable is part of the environment of every container.
func (e *environ) Enlist(string, *spawn.Command) (func(), error) { return func() {}, nil }

func (e *environ) Vacant(id string) bool {
	if e.known == nil {
		return len(scan([]string{id}, thorough)) == 0
	}
	const passes = 10
	left, quiet := e.orphans([]string{id}, passes)
	return quiet && len(left) == 0
}

func (e *environ) Signal(id string, sig syscall.Signal) (pids []int) {
	for _, m := range scan([]string{id}, quick) {
		signalMember(m.pid, sig, m.is)
		pids = append(pids, m.pid)
	}
	return pids
}

func (e *environ) Destroy(ids []string) (vacant []string) {
	rounds := thorough
	if e.known != nil {
		rounds = quick
	}
	left := scan(ids, rounds)
	if e.known != nil {
		const passes = 100
		orphans, _ := e.orphans(ids, passes)
		left = append(left, orphans...)
	}
	found := map[string]bool{}
	for _, m := range left {
		signalMember(m.pid, syscall.SIGKILL, m.is)
		found[m.owner] = true
	}
	for _, id := range ids {
		if !found[id] {
			vacant = append(vacant, id)
		}
	}
	return vacant
}

// orphans finds the orphans that belong to certain sets. One that dies while it is
// looked at may have left a child, which then is an orphan as well: if none was
// found, the list is read again until nobody in it has died meanwhile. quiet is
// false when that did not come to pass.
func (e *environ) orphans(ids []string, passes int) (found []member, quiet bool) {
	dead := map[int]bool{}
	for range passes {
		pids, ok := e.listOrphans()
		if !ok {
			return scan(ids, thorough), true
		}
		quiet = true
		for _, pid := range pids {
			if dead[pid] {
				continue
			}
			switch owner, state := look(pid); {
			case state == gone:
				dead[pid], quiet = true, false
			case state == execing:
				quiet = false
			case slices.Contains(ids, owner):
				found = append(found, member{pid, owner})
			}
		}
		if quiet || len(found) > 0 {
			break
		}
		time.Sleep(50 * time.Microsecond)
	}
	return found, quiet
}

// listOrphans lists this process's children that are no main process. They are all
// listed with its first thread, to which the kernel gives them. ok is false on a
// kernel without CONFIG_PROC_CHILDREN.
func (e *environ) listOrphans() (pids []int, ok bool) {
	self := strconv.Itoa(os.Getpid())
	list, err := readSmall("/proc/self/task/" + self + "/children")
	if err != nil {
		return nil, false
	}
	for word := range strings.FieldsSeq(list) {
		if pid, err := strconv.Atoi(word); err == nil && !e.known(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, true
}

func (e *environ) IDs() []string { return nil }

func (e *environ) Close() error { return nil }

// member is a process and the id in its environment.
type member struct {
	pid   int
	owner string
}

// is looks again.
func (m member) is() bool {
	owner, state := look(m.pid)
	return state == alive && owner == m.owner
}

// How often a scan reads the list of processes: enough to see what was forked
// meanwhile, or until nothing is new.
const (
	quick    = 3
	thorough = 50
)

// scan finds the live processes whose environment carries one of the ids.
func scan(ids []string, rounds int) (found []member) {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	seen := map[int]bool{}
	for range rounds {
		news, undecided := false, false
		for _, pid := range processes() {
			if seen[pid] {
				continue
			}
			owner, state := look(pid)
			if state == execing {
				undecided = true
				continue
			}
			seen[pid], news = true, true
			if state == alive && wanted[owner] {
				found = append(found, member{pid, owner})
			}
		}
		if undecided {
			time.Sleep(time.Millisecond)
		} else if !news {
			break
		}
	}
	return found
}

// processes lists the pids of this machine.
func processes() (pids []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// liveness is what can be said of a process by looking at it.
type liveness uint8

const (
	alive   liveness = iota
	execing          // executing a program: its environment cannot be read right now
	gone             // dead, or a zombie
)

// look finds the id in a process's environment.
func look(pid int) (owner string, state liveness) {
	path := "/proc/" + strconv.Itoa(pid)
	env, err := readSmall(path + "/environ")
	if err != nil {
		if err == syscall.ENOENT || err == syscall.ESRCH {
			return "", gone
		}
		return "", alive // another user's
	}
	for kv := range strings.SplitSeq(env, "\x00") {
		if id, ok := strings.CutPrefix(kv, container.EnvID+"="); ok {
			return id, alive
		}
	}
	if env != "" {
		return "", alive
	}
	return "", lookWithoutEnvironment(pid)
}

// lookWithoutEnvironment tells the processes apart that show no environment: the
// dead, those of the kernel, those that cleared it, and those that execute a
// program in this moment, which show no arguments either.
func lookWithoutEnvironment(pid int) liveness {
	st, err := readStat(pid)
	if err != nil || st.dead() {
		return gone
	}
	if st.kthread() {
		return alive
	}
	args, err := readSmall("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || args != "" {
		return alive
	}
	return execing
}
