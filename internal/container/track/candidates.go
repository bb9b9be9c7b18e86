package track

import "github.com/meseta/meseta/internal/container/cgroup"

// candidate is a directory in a cgroup hierarchy in which cgroups may be made.
type candidate struct {
	kind Kind
	path string
}

// preferredV1 are the version 1 hierarchies in the order in which they are tried:
// first those in which being a member has no effect.
var preferredV1 = []string{"freezer", "name=systemd", "pids"}

// candidates lists where cgroups could be made, best first.
func candidates(mounted []cgroup.Hierarchy, only Kind) (found []candidate) {
	add := func(kind Kind, version int, name string) {
		h, ok := cgroup.Find(mounted, version, name)
		if !ok || only != KindNone && only != kind {
			return
		}
		for _, base := range h.Bases() {
			found = append(found, candidate{kind, base})
		}
	}
	add(KindCgroupV2, 2, "")
	for _, name := range preferredV1 {
		add(KindCgroupV1, 1, name)
	}
	return found
}
