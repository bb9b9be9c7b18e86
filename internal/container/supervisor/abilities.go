package supervisor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/kernfile"
)

// The capabilities that a supervisor itself needs, as in capabilities(7).
const (
	capSetuid   = 7
	capSetpcap  = 8
	capSysAdmin = 21
)

// abilities tells what this process may do for containers, limits apart.
func abilities() []container.Ability {
	return []container.Ability{
		needing(container.FeatureNamespaces, capSysAdmin, "CAP_SYS_ADMIN"),
		needing(container.FeatureCapabilities, capSetpcap, "CAP_SETPCAP"),
		needing(container.FeatureUsers, capSetuid, "CAP_SETUID"),
	}
}

func needing(f container.Feature, capability int, name string) container.Ability {
	if ownCapabilities()&(1<<capability) == 0 {
		return container.Ability{Feature: f, How: fmt.Sprintf("this needs root with %s", name)}
	}
	return container.Ability{Feature: f, Works: true, How: name}
}

// lastCapability is the highest that this kernel knows.
func lastCapability() int {
	word, _ := kernfile.Read("/proc/sys/kernel/cap_last_cap")
	n, err := strconv.Atoi(strings.TrimSpace(word))
	if err != nil {
		return 40 // as of Linux 5.9
	}
	return min(n, 63)
}

// ownCapabilities are those in effect for this process.
func ownCapabilities() container.Capabilities {
	status, _ := kernfile.Read("/proc/self/status")
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return container.Capabilities(n)
		}
	}
	return 0
}
