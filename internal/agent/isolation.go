package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/node"
)

// defaultIsolation is what the machine can enforce without changing what a program sees of it: tasks keep the
// machine's processes and its /tmp, and nobody who is not root notices anything.
const defaultIsolation = "cgroups/cpu,cgroups/mem,cgroups/pids,disk/du,linux/capabilities,linux/nnp"

// isolators are those of Mesos that act here.
var isolators = map[string]func(*isolation){
	"cgroups/cpu":        func(i *isolation) { i.cpu = true },
	"cgroups/mem":        func(i *isolation) { i.mem = true },
	"cgroups/pids":       func(i *isolation) { i.pids = true },
	"cgroups/all":        func(i *isolation) { i.cpu, i.mem, i.pids = true, true, true },
	"disk/du":            func(i *isolation) { i.disk = true },
	"posix/disk":         func(i *isolation) { i.disk = true },
	"namespaces/pid":     func(i *isolation) { i.namespaces |= container.NamespacePID },
	"namespaces/ipc":     func(i *isolation) { i.namespaces |= container.NamespaceIPC },
	"filesystem/linux":   func(i *isolation) { i.namespaces |= container.NamespaceMount },
	"linux/capabilities": func(i *isolation) { i.capabilities = true },
	"linux/nnp":          func(i *isolation) { i.noNewPrivs = true },
	"posix/cpu":          func(*isolation) {},
	"posix/mem":          func(*isolation) {},
	"filesystem/posix":   func(*isolation) {},
}

// unneeded are isolators of Mesos for what a task has to ask for. One that does ask fails with a sentence.
var unneeded = map[string]string{
	"appc/runtime": "images", "docker/runtime": "images", "volume/image": "volumes", "docker/volume": "volumes",
	"volume/host_path": "volumes", "volume/sandbox_path": "volumes", "volume/secret": "secrets", "volume/csi": "volumes",
	"csi/volume": "volumes", "environment_secret": "secrets", "network/cni": "container networks", "gpu/nvidia": "gpus",
	"posix/rlimits": "rlimits", "linux/devices": "devices", "filesystem/shared": "volumes",
}

// unenforced are isolators of Mesos that would hold every task to something.
var unenforced = map[string]string{
	"cgroups/blkio": "", "cgroups/cpuset": "", "cgroups/devices": "", "cgroups/hugetlb": "", "cgroups/net_cls": "",
	"cgroups/net_prio": "", "cgroups/perf_event": "", "disk/xfs": "; disk/du works on every file system",
	"linux/seccomp": "", "network/port_mapping": "", "network/ports": "",
}

// isolation is how containers are kept apart.
type isolation struct {
	cpu, mem, pids bool
	disk           bool
	capabilities   bool
	noNewPrivs     bool
	namespaces     container.Namespaces
	warnings       []string // about what is named and means nothing here
}

// parseIsolation reads a list of isolators, with commas between, by the names of Mesos.
func parseIsolation(text string) (isolation, error) {
	var i isolation
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		act, acts := isolators[name]
		what, harmless := unneeded[name]
		instead, known := unenforced[name]
		switch {
		case acts:
			act(&i)
		case harmless:
			i.warnings = append(i.warnings, fmt.Sprintf("isolation %s: there are no %s yet, a task that asks for them fails and says so", name, what))
		case known:
			return i, fmt.Errorf("isolation %s: is not built yet, and tasks would not be held to it%s", name, instead)
		default:
			return i, fmt.Errorf("isolation %q: expected some of %s", name, strings.Join(slices.Sorted(maps.Keys(isolators)), ", "))
		}
	}
	return i, nil
}

// tmpName is the directory in a sandbox that its container sees as /tmp, if it has one of its own.
const tmpName = ".tmp"

// ownTmp tells whether containers have a /tmp of their own.
func (i isolation) ownTmp() bool { return i.namespaces&container.NamespaceMount != 0 }

// CheckIsolation says what is wrong with a Config.Isolation.
func CheckIsolation(text string) error {
	_, err := parseIsolation(text)
	return err
}

// rules is the part of it that the core reckons with.
func (i isolation) rules(c *Config) node.Isolation {
	rules := node.Isolation{CPU: i.cpu, HardCPU: i.cpu && c.EnableCFS, Mem: i.mem, NoSwap: i.mem && c.LimitSwap}
	if i.pids {
		rules.PIDs = int64(c.MaxPIDs)
	}
	return rules
}

// needs are the features of the machine without which something of it is not enforced.
func (i isolation) needs(c *Config) (needs []container.Feature) {
	for _, n := range [...]struct {
		wanted  bool
		feature container.Feature
	}{
		{i.cpu, container.FeatureCPUShares},
		{i.cpu && c.EnableCFS, container.FeatureCPUQuota},
		{i.mem, container.FeatureMemory},
		{i.pids, container.FeaturePIDs},
		{i.namespaces != 0, container.FeatureNamespaces},
		{i.capabilities, container.FeatureCapabilities},
	} {
		if n.wanted {
			needs = append(needs, n.feature)
		}
	}
	return needs
}

// without leaves out what a machine cannot do at all: to ask for it would fail every task.
func (i isolation) without(missing []container.Ability) isolation {
	for _, m := range missing {
		switch m.Feature {
		case container.FeatureNamespaces:
			i.namespaces = 0
		case container.FeatureCapabilities:
			i.capabilities = false
		}
	}
	return i
}

// missing are the abilities that are needed and do not work.
func missing(needs []container.Feature, abilities []container.Ability) (missing []container.Ability) {
	for _, a := range abilities {
		if !a.Works && slices.Contains(needs, a.Feature) {
			missing = append(missing, a)
		}
	}
	return missing
}

// isolate decides how the containers of this agent are kept apart, and says what of it the machine cannot do.
func (a *agent) isolate(abilities []container.Ability) {
	lacks := missing(a.isolation.needs(&a.config), abilities)
	for _, l := range lacks {
		a.log.Info(l.Feature.String()+" are not enforced", "why", l.How)
	}
	a.isolation = a.isolation.without(lacks)
}

// limitsOf gives the core's limits as supervisors take them.
func limitsOf(l node.Limits) container.Limits {
	limits := container.Limits{CPUShares: uint64(l.CPUShares), CPUQuota: l.CPUQuota, MemoryBytes: uint64(l.Mem),
		MemorySoftBytes: uint64(l.MemSoft), NoSwap: l.NoSwap, PIDs: uint64(l.PIDs)}
	if l.CPUQuota != 0 {
		limits.CPUPeriod = node.CPUPeriod
	}
	return limits
}
