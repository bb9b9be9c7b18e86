// Package cgroup bounds and measures what containers use, by the kernel's
// controllers for cpu, memory and processes, wherever on this machine they are:
// all in the one hierarchy of version 2, each in one of its own of version 1, or
// some here and some there. It owns which controller is where, what the files are
// called and what is written in them; which processes are in a container is not
// its business but package track's, which is why a container may be tracked in one
// cgroup and limited in others.
//
// A container has the same place in every hierarchy that it uses,
//
//	<base>/meseta/<key>/run/<id>
//
// where key is the supervisor's and base is the top of the hierarchy or, for those
// who may not write there, the cgroup this process was given. Where that is
// version 2 and delegated, this process and its ancestors move out of the way,
// into <base>/meseta/agent: a cgroup that gives controllers to its children may
// not hold processes itself.
//
// What costs is done when it is first asked for: a container without limits has no
// cgroup here.
//
// Start reading at [Limiter], then settings.go.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/meseta/meseta/internal/container/kernfile"
)

const (
	mesetaDir = "meseta"
	runDir    = "run"
	agentDir  = "agent"
)

// seat is where one controller is to be had.
type seat struct {
	version int
	key     string // the directory <base>/meseta/<key>
	given   bool   // of version 2: the children of run have the controller
	err     error  // why it is nowhere to be had
}

func (s *seat) path(id string) string { return s.key + "/" + runDir + "/" + id }

// has reports whether the controller has a file here.
func (s *seat) has(file string) bool {
	_, err := os.Stat(filepath.Join(s.key, file))
	return err == nil
}

// takeSeat finds a place for a controller. tracked is the directory in which
// containers are tracked if that is of version 2.
func takeSeat(all []Hierarchy, c controller, key, tracked string) seat {
	if h, ok := Find(all, 1, c.String()); ok {
		return firstSeat(h.Bases(), func(base string) (seat, error) { return takeSeat1(base, key) })
	}
	h, ok := Find(all, 2, "")
	if !ok {
		return seat{err: errors.New("no cgroups are mounted here that can be written")}
	}
	bases := h.Bases()
	if tracked != "" {
		bases = []string{filepath.Dir(filepath.Dir(tracked))}
	}
	return firstSeat(bases, func(base string) (seat, error) { return takeSeat2(base, key, c.String()) })
}

func firstSeat(bases []string, take func(base string) (seat, error)) seat {
	var tried []error
	for _, base := range bases {
		s, err := take(base)
		if err == nil {
			return s
		}
		tried = append(tried, err)
	}
	if !slices.ContainsFunc(tried, func(err error) bool { return !errors.Is(err, fs.ErrPermission) }) {
		return seat{err: fmt.Errorf("this user may not make cgroups in %s: that needs root, or a cgroup that is delegated to the user", strings.Join(bases, " or "))}
	}
	return seat{err: errors.Join(tried...)}
}

func takeSeat1(base, key string) (seat, error) {
	dir := filepath.Join(base, mesetaDir, key)
	return seat{version: 1, key: dir}, os.MkdirAll(filepath.Join(dir, runDir), 0o755)
}

func takeSeat2(base, key, controller string) (seat, error) {
	if !lists(base+"/cgroup.controllers", controller) {
		return seat{}, fmt.Errorf("%s does not offer the %s controller", base, controller)
	}
	dir := filepath.Join(base, mesetaDir, key)
	if err := os.MkdirAll(filepath.Join(dir, runDir), 0o755); err != nil {
		return seat{}, err
	}
	err := give(base, controller)
	if errors.Is(err, syscall.EBUSY) {
		if err = stepAside(base); err == nil {
			err = give(base, controller)
		}
	}
	if err == nil {
		err = give(filepath.Join(base, mesetaDir), controller)
	}
	return seat{version: 2, key: dir}, err
}

// lists reports whether a file of words has one.
func lists(path, word string) bool {
	words, _ := kernfile.Read(path)
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// give gives a controller to the children of a cgroup of version 2.
func give(dir, controller string) error {
	path := dir + "/cgroup.subtree_control"
	if lists(path, controller) {
		return nil
	}
	if err := kernfile.Write(path, "+"+controller); err != nil {
		return &fs.PathError{Op: "giving the " + controller + " controller in", Path: path, Err: err}
	}
	return nil
}

// stepAside moves this process and those of its ancestors that are directly in a
// cgroup into one below it. Others are left alone: they are somebody else's.
func stepAside(base string) error {
	leaf := filepath.Join(base, mesetaDir, agentDir)
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return err
	}
	for pid := os.Getpid(); pid > 0; pid = parent(pid) {
		if !lists(base+"/cgroup.procs", strconv.Itoa(pid)) {
			continue
		}
		if err := kernfile.Write(leaf+"/cgroup.procs", strconv.Itoa(pid)); err != nil && err != syscall.ESRCH {
			return &fs.PathError{Op: "moving a process to", Path: leaf, Err: err}
		}
	}
	return nil
}

// parent is the process that started another, or 0.
func parent(pid int) int {
	status, _ := kernfile.Read("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(status) {
		if ppid, ok := strings.CutPrefix(line, "PPid:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(ppid))
			return n
		}
	}
	return 0
}

// Door is the file of a cgroup to which a process with one thread writes "0" to enter
// it. That of version 1 is the one for threads: there, the kernel need not stop all
// forks of the machine, for which it waits some milliseconds.
func Door(version int, dir string) string {
	if version == 1 {
		return dir + "/tasks"
	}
	return dir + "/cgroup.procs"
}

// RemoveTree removes a directory of cgroups from the leaves up, as far as they are
// empty, and reports whether nothing is left.
func RemoveTree(path string) bool {
	switch syscall.Rmdir(path) {
	case nil, syscall.ENOENT:
		return true
	}
	for _, child := range Children(path) {
		RemoveTree(child)
	}
	err := syscall.Rmdir(path)
	return err == nil || err == syscall.ENOENT
}

// Children lists the cgroups directly below one.
func Children(path string) (dirs []string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(path, e.Name()))
		}
	}
	return dirs
}

// Sweep removes what a supervisor that is gone has left in any hierarchy, as far as
// it is empty.
func Sweep(key string) {
	for _, h := range Mounted() {
		for _, base := range h.Bases() {
			RemoveTree(filepath.Join(base, mesetaDir, key))
		}
	}
}
