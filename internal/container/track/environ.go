package track

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
	"github.com/meseta/meseta/internal/container/spawn"
)

// environ tracks a set by the MESETA_CONTAINER variable that its processes
// inherit, and MESETA_SUPERVISOR beside it: ids are unique to one supervisor only.
//
// Reading every environment on the machine for every container that ends would
// cost more than the container. So what counts are the orphans: when a main process
// has been reaped, whatever remains of its set descends from a process whose parent
// died and which the kernel made a child of this process, the subreaper. Usually
// there is none. The set is peeled: what is killed hands its children to us, until
// nothing comes any more. That also finds what a scan of all processes may miss:
// one that forks and exits without pause, and so is always elsewhere than where one
// looks.
type environ struct {
	key   string
	still func(look func(known func(pid int) bool)) // nil when reopened: then there are no orphans of ours

	mu      sync.Mutex
	orphans map[int]orphan       // by pid, as of the last survey; guarded by mu
	begun   map[string]time.Time // sets being destroyed, since something was last found; guarded by mu
}

// orphan is what is known of one. Until it is waited for, its pid is its own.
type orphan struct {
	owner string
	dead  bool
}

func newEnviron(key string, still func(func(known func(pid int) bool))) *environ {
	return &environ{key: key, still: still, begun: map[string]time.Time{}}
}

func (e *environ) Place() Place { return Place{Kind: KindEnviron, Path: e.key} }

const envKey = "MESETA_SUPERVISOR"

// Marks are those variables of an environment by which the processes of a container
// are known.
func Marks(env []string) (marks []string) {
	for _, kv := range env {
		if strings.HasPrefix(kv, container.EnvID+"=") || strings.HasPrefix(kv, envKey+"=") {
			marks = append(marks, kv)
		}
	}
	return marks
}

// Enlist puts the variables in front, where they are found first.
func (e *environ) Enlist(id string, c *spawn.Command) (func(), error) {
	c.Env = append([]string{container.EnvID + "=" + id, envKey + "=" + e.key}, c.Env...)
	return func() {}, nil
}

// Vacant takes one look at the orphans and no more: whoever waits for children asks,
// and must not be kept from that. In doubt the set is not vacant.
func (e *environ) Vacant(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, sure := e.survey(map[string]bool{id: true})
	return sure && len(found) == 0
}

func (e *environ) Signal(id string, sig syscall.Signal) (pids []int) {
	found, _ := e.scan(map[string]bool{id: true}, quick)
	for _, m := range found {
		signalMember(m.pid, sig, e.isStill(m))
		pids = append(pids, m.pid)
	}
	return pids
}

// Destroy looks through all processes when it is first asked for a set, to kill it
// at one blow; after that, the orphans tell.
func (e *environ) Destroy(ids []string) (vacant []string) {
	now := time.Now()
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var left []member
	if fresh := e.begin(ids, now); len(fresh) > 0 {
		left, _ = e.scan(fresh, quick)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found, sure := e.survey(wanted)
	alive := map[string]bool{}
	for _, m := range append(left, found...) {
		signalMember(m.pid, syscall.SIGKILL, e.isStill(m))
		alive[m.owner], e.begun[m.owner] = true, now
	}
	for _, id := range ids {
		if !alive[id] && (sure || now.Sub(e.begun[id]) > doubtful) {
			delete(e.begun, id)
			vacant = append(vacant, id)
		}
	}
	return vacant
}

// begin notes which sets are being destroyed, and returns those that are new.
func (e *environ) begin(ids []string, now time.Time) map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	fresh := map[string]bool{}
	for _, id := range ids {
		if _, ok := e.begun[id]; !ok {
			fresh[id], e.begun[id] = true, now
		}
	}
	return fresh
}

// doubtful is how long no set is thought vacant because of a process of which it
// cannot be said whose it is. That takes microseconds, as long as it executes a
// program; but one that hangs in that may not hold up all containers for good.
const doubtful = 10 * time.Second

// survey lists this process's orphans and finds those that belong to the wanted
// sets. sure is false when there is one of which it cannot be said whose it is, or
// one that has died since the last survey and may have left children, which are
// orphans from now on.
func (e *environ) survey(wanted map[string]bool) (found []member, sure bool) {
	pids, ok := e.listOrphans()
	if !ok {
		return e.scan(wanted, thorough)
	}
	sure = true
	before := e.orphans
	e.orphans = make(map[int]orphan, len(pids))
	for _, pid := range pids {
		o, known := before[pid]
		if known && (o.dead || !wanted[o.owner]) {
			e.orphans[pid] = o
			continue
		}
		owner, state := e.look(pid)
		switch {
		case state == execing:
			sure = false
			continue // to be looked at again
		case state == gone:
			sure = false
			o.dead = true
		case !known:
			o.owner = owner
		}
		e.orphans[pid] = o
		if !o.dead && wanted[o.owner] {
			found = append(found, member{pid, o.owner})
		}
	}
	return found, sure
}

// listOrphans lists this process's children that are no main process. They are all
// listed with its first thread, to which the kernel gives them. The kernel may leave
// some out when others are waited for meanwhile, hence still. ok is false on a kernel
// without CONFIG_PROC_CHILDREN, or when reopened.
func (e *environ) listOrphans() (pids []int, ok bool) {
	if e.still == nil {
		return nil, false
	}
	self := strconv.Itoa(os.Getpid())
	e.still(func(known func(int) bool) {
		list, err := kernfile.Read("/proc/self/task/" + self + "/children")
		if err != nil {
			return
		}
		ok = true
		for word := range strings.FieldsSeq(list) {
			if pid, err := strconv.Atoi(word); err == nil && !known(pid) {
				pids = append(pids, pid)
			}
		}
	})
	return pids, ok
}

func (e *environ) IDs() []string { return nil }

func (e *environ) Close() error { return nil }

// member is a process and the id in its environment.
type member struct {
	pid   int
	owner string
}

// isStill makes the question whether a member is what it was found to be.
func (e *environ) isStill(m member) func() bool {
	return func() bool {
		owner, state := e.look(m.pid)
		return state == alive && owner == m.owner
	}
}

// How often a scan reads the list of processes: enough to see what was forked
// meanwhile, or until nothing is new.
const (
	once     = 1
	quick    = 3
	thorough = 50
)

// scan finds the live processes whose environment carries a wanted id. sure is
// false when there were some that executed a program all the while.
func (e *environ) scan(wanted map[string]bool, rounds int) (found []member, sure bool) {
	seen := map[int]bool{}
	for range rounds {
		news := false
		sure = true
		for _, pid := range processes() {
			if seen[pid] {
				continue
			}
			owner, state := e.look(pid)
			if state == execing {
				sure = false
				continue
			}
			seen[pid], news = true, true
			if state == alive && wanted[owner] {
				found = append(found, member{pid, owner})
			}
		}
		if !sure {
			time.Sleep(time.Millisecond)
		} else if !news {
			break
		}
	}
	return found, sure
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

// look finds the id in a process's environment, if it is one of this supervisor.
func (e *environ) look(pid int) (owner string, state liveness) {
	const tries = 5
	for range tries {
		env, err := kernfile.Read("/proc/" + strconv.Itoa(pid) + "/environ")
		if err == syscall.ENOENT || err == syscall.ESRCH {
			return "", gone
		}
		if err != nil {
			return "", alive // another user's
		}
		if env != "" {
			if variable(env, envKey) == e.key {
				owner = variable(env, container.EnvID)
			}
			return owner, alive
		}
		switch st, err := readStat(pid); {
		case err != nil || st.dead():
			return "", gone
		case st.kthread():
			return "", alive
		case st.env == 0:
			return "", execing
		}
		// It has no environment; or an exec was over between our two questions.
	}
	return "", alive
}

// variable is the first value a variable has in an environment, or empty.
func variable(env, name string) string {
	for kv := range strings.SplitSeq(env, "\x00") {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:]
		}
	}
	return ""
}
