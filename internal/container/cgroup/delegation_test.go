package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/container/kernfile"
)

// TestADelegatedCgroupIsMadeRoomIn puts this process where a service manager puts a
// service: directly into a cgroup of its own, of version 2, which gives its children
// no controller as long as there is a process in it.
func TestADelegatedCgroupIsMadeRoomIn(t *testing.T) {
	h, ok := Find(Mounted(), 2, "")
	if !ok || os.Geteuid() != 0 {
		t.Skip("needs root and cgroups of version 2")
	}
	offered, _ := kernfile.Read(h.Mount + "/cgroup.controllers")
	controllers := strings.Fields(offered)
	if len(controllers) == 0 {
		t.Skip("all controllers are in hierarchies of version 1")
	}
	// Any of them will do: how they are given does not depend on what they do.
	controller := controllers[0]
	given := lists(h.Mount+"/cgroup.subtree_control", controller)
	if err := give(h.Mount, controller); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(h.Mount, "meseta-test-"+strconv.Itoa(os.Getpid()))
	t.Cleanup(func() {
		kernfile.Write(h.Mount+"/cgroup.procs", "0")
		if !RemoveTree(base) {
			t.Errorf("%s is left", base)
		}
		if !given {
			kernfile.Write(h.Mount+"/cgroup.subtree_control", "-"+controller)
		}
	})
	if err := os.Mkdir(base, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := kernfile.Write(base+"/cgroup.procs", "0"); err != nil {
		t.Fatal(err)
	}
	s, err := takeSeat2(base, "key", controller)
	if err != nil {
		t.Fatal(err)
	}
	if !lists(base+"/meseta/agent/cgroup.procs", strconv.Itoa(os.Getpid())) {
		t.Error("this process has not moved out of the way")
	}
	if !lists(s.key+"/cgroup.controllers", controller) {
		t.Errorf("%s has no %s controller", s.key, controller)
	}
	if err := give(s.key+"/run", controller); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("giving what was not given above: %v", err)
	}
}
