package track

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// candidate is a directory in a cgroup hierarchy in which cgroups may be made.
type candidate struct {
	kind Kind
	path string
}

// preferredV1 are the version 1 hierarchies in the order in which they are tried:
// first those in which being a member has no effect.
var preferredV1 = []string{"freezer", "name=systemd", "pids"}

// candidates lists where cgroups could be made, best first. Root uses the top of
// a hierarchy, outside the cgroup of the service that started it; others use
// their own cgroup, in case it was delegated to them.
func candidates(only Kind) []candidate {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	return candidatesFrom(string(mounts), string(own), only)
}

func candidatesFrom(mountinfo, own string, only Kind) []candidate {
	mounted := cgroupMounts(mountinfo)
	homes := ownCgroups(own)
	var found []candidate
	add := func(kind Kind, hierarchy string) {
		m, ok := mounted[hierarchy]
		if !ok || only != KindNone && only != kind {
			return
		}
		found = append(found, candidate{kind, m.point})
		if home, ok := homes[hierarchy]; ok && home != "/" {
			found = append(found, candidate{kind, filepath.Join(m.point, strings.TrimPrefix(home, m.root))})
		}
	}
	add(KindCgroupV2, "")
	for _, hierarchy := range preferredV1 {
		add(KindCgroupV1, hierarchy)
	}
	return found
}

// mount is where a hierarchy, from the cgroup root downwards, is to be seen.
type mount struct{ root, point string }

// cgroupMounts reads mountinfo. The hierarchy of version 2 is called "", those of
// version 1 by their controllers or name.
func cgroupMounts(mountinfo string) map[string]mount {
	mounted := map[string]mount{}
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 || !slices.Contains(strings.Split(l[5], ","), "rw") {
			continue
		}
		m := mount{root: unescape(l[3]), point: unescape(l[4])}
		switch r[0] {
		case "cgroup2":
			mounted[""] = m
		case "cgroup":
			for option := range strings.SplitSeq(r[2], ",") {
				mounted[option] = m
			}
		}
	}
	return mounted
}

// ownCgroups reads /proc/self/cgroup: hierarchy to path.
func ownCgroups(own string) map[string]string {
	homes := map[string]string{}
	for line := range strings.Lines(own) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(f) == 3 {
			for name := range strings.SplitSeq(f[1], ",") {
				homes[name] = f[2]
			}
		}
	}
	return homes
}

// unescape undoes the octal escapes of mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
