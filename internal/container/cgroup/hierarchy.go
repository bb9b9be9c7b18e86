package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Hierarchy is a tree of cgroups that is mounted writably.
type Hierarchy struct {
	// Version is 1 or 2.
	Version int
	// Names are the controllers of a version 1 hierarchy, or its name as "name=x".
	// Version 2 has other controllers in each of its directories.
	Names []string
	// Mount is where its top is to be seen, Home the cgroup of this process.
	Mount, Home string
}

// Bases lists where cgroups could be made, best first. Root uses the top, outside
// the cgroup of the service that started it; others use their own cgroup, in case
// it was delegated to them.
func (h *Hierarchy) Bases() []string {
	if h.Home == h.Mount {
		return []string{h.Mount}
	}
	return []string{h.Mount, h.Home}
}

// Mounted lists the hierarchies of this machine as this process sees them.
func Mounted() []Hierarchy {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	return Parse(string(mounts), string(own))
}

// Parse reads the files mountinfo and cgroup of /proc/self.
func Parse(mountinfo, own string) []Hierarchy {
	homes := ownCgroups(own)
	var all []Hierarchy
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 || !slices.Contains(strings.Split(l[5], ","), "rw") {
			continue
		}
		h := Hierarchy{Mount: unescape(l[4])}
		home := ""
		switch r[0] {
		case "cgroup2":
			h.Version, home = 2, homes[""]
		case "cgroup":
			h.Version, h.Names = 1, strings.Split(r[2], ",")
			for _, name := range h.Names {
				if path, ok := homes[name]; ok {
					home = path
				}
			}
		default:
			continue
		}
		h.Home = h.Mount
		if home != "" && home != "/" {
			h.Home = filepath.Join(h.Mount, strings.TrimPrefix(home, unescape(l[3])))
		}
		all = append(all, h)
	}
	return all
}

// Find returns the last mounted hierarchy of a version that has a name, which
// version 2 has not.
func Find(all []Hierarchy, version int, name string) (Hierarchy, bool) {
	for _, h := range slices.Backward(all) {
		if h.Version == version && (version == 2 || slices.Contains(h.Names, name)) {
			return h, true
		}
	}
	return Hierarchy{}, false
}

// ownCgroups reads /proc/self/cgroup: controller or name to path, version 2 being
// the one without.
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
