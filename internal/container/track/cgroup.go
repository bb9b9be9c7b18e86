package track

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/kernfile"
	"github.com/meseta/meseta/internal/container/spawn"
)

// cgroups tracks each set by a directory of its own:
//
//	<hierarchy>/…/meseta/<key>/
//	    supervisor/     the supervisor itself
//	    run/<id>/       a container; it may hold cgroups the container made
type cgroups struct {
	kind    Kind
	dir     string // …/meseta/<key>
	clone   bool   // children can be cloned into a cgroup, else they enter it
	adopted bool   // this process is in there
}

const (
	selfDir = "supervisor"
	runDir  = "run"
)

// openCgroup makes the directories and proves with a process that they work. The
// process tries to execute a file that does not exist: to get as far as that
// error it must have been in the cgroup.
func openCgroup(kind Kind, dir string) (*cgroups, error) {
	c := &cgroups{kind: kind, dir: dir}
	err := os.MkdirAll(filepath.Join(dir, runDir), 0o755)
	for range 3 { // another supervisor may be removing what it shares with this one
		if !errors.Is(err, os.ErrNotExist) {
			break
		}
		err = os.MkdirAll(filepath.Join(dir, runDir), 0o755)
	}
	if err != nil {
		return nil, err
	}
	for _, c.clone = range []bool{true, false} {
		if c.clone && kind != KindCgroupV2 {
			continue
		}
		if err = c.probe(); err == nil {
			return c, nil
		}
	}
	c.Close()
	return nil, fmt.Errorf("%v %s: %w", kind, dir, err)
}

func (c *cgroups) probe() error {
	const id = ".probe"
	cmd := &spawn.Command{Programs: []string{"/proc/self/none"}, Argv: []string{"none"}, Dir: "/"}
	leave, err := c.Enlist(id, cmd)
	if err != nil {
		return err
	}
	defer c.Vacant(id)
	pid, err := spawn.New().Start(cmd)
	leave()
	for pid > 0 {
		if _, e := syscall.Wait4(pid, nil, 0, nil); e != syscall.EINTR {
			break
		}
	}
	if e, ok := errors.AsType[*spawn.Error](err); ok && e.Step == spawn.StepExec {
		return nil
	}
	return err
}

func (c *cgroups) Place() Place { return Place{Kind: c.kind, Path: c.dir} }

func (c *cgroups) path(id string) string { return c.dir + "/" + runDir + "/" + id }

func (c *cgroups) Enlist(id string, cmd *spawn.Command) (leave func(), err error) {
	path := c.path(id)
	if err := kernfile.Mkdir(path); err != nil && err != syscall.EEXIST {
		return nil, &os.PathError{Op: "mkdir", Path: path, Err: err}
	}
	if !c.clone {
		version := 2
		if c.kind == KindCgroupV1 {
			version = 1
		}
		cmd.JoinCgroups = []string{cgroup.Door(version, path)}
		return func() {}, nil
	}
	fd, err := kernfile.Open(path, syscall.O_DIRECTORY|oPath)
	if err != nil {
		syscall.Rmdir(path)
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	cmd.Cgroup = fd
	return func() { syscall.Close(fd) }, nil
}

// Vacant asks the kernel by way of rmdir: it refuses while anything lives there.
func (c *cgroups) Vacant(id string) bool {
	switch syscall.Rmdir(c.path(id)) {
	case nil, syscall.ENOENT:
		return true
	}
	return false
}

func (c *cgroups) Signal(id string, sig syscall.Signal) []int {
	return c.signalTree(c.path(id), sig)
}

func (c *cgroups) Destroy(ids []string) (vacant []string) {
	for _, id := range ids {
		if c.Vacant(id) || c.destroyTree(c.path(id)) {
			vacant = append(vacant, id)
		}
	}
	return vacant
}

// destroyTree kills what is in a directory and below it, and reports whether the
// directory could be removed.
func (c *cgroups) destroyTree(path string) bool {
	if kernfile.Write(path+"/cgroup.kill", "1") != nil { // since Linux 5.14, v2 only
		c.signalTree(path, syscall.SIGKILL)
	}
	return cgroup.RemoveTree(path)
}

// signalTree signals everything in a cgroup and below it.
func (c *cgroups) signalTree(path string, sig syscall.Signal) (pids []int) {
	pids = procs(path)
	for _, pid := range pids {
		signalMember(pid, sig, func() bool { return c.holds(path, pid) })
	}
	for _, child := range cgroup.Children(path) {
		pids = append(pids, c.signalTree(child, sig)...)
	}
	return pids
}

// procs reads the pids directly in a cgroup.
func procs(path string) (pids []int) {
	data, err := kernfile.Read(path + "/cgroup.procs")
	if err != nil {
		return nil
	}
	for word := range strings.FieldsSeq(data) {
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// holds asks whether a process is in the cgroup or below it. Paths are compared
// from the supervisor's key on, because what comes before looks different from
// where the hierarchy is mounted and from inside it.
func (c *cgroups) holds(path string, pid int) bool {
	lines, err := kernfile.Read("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return false
	}
	want := path[strings.LastIndexByte(c.dir, '/'):]
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		if _, rest, ok := strings.Cut(line, want); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func (c *cgroups) IDs() (ids []string) {
	for _, dir := range cgroup.Children(filepath.Join(c.dir, runDir)) {
		ids = append(ids, filepath.Base(dir))
	}
	return ids
}

// Close removes the directories, as far as nothing is in them; this process leaves
// for the top of the hierarchy, if it may.
func (c *cgroups) Close() error {
	if c.adopted {
		kernfile.Write(filepath.Join(c.dir, "../../cgroup.procs"), "0")
	}
	syscall.Rmdir(filepath.Join(c.dir, runDir))
	syscall.Rmdir(filepath.Join(c.dir, selfDir))
	if err := syscall.Rmdir(c.dir); err != nil && err != syscall.ENOENT {
		return &os.PathError{Op: "rmdir", Path: c.dir, Err: err}
	}
	return nil
}
