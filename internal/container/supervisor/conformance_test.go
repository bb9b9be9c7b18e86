package supervisor_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/containertest"
)

func TestSupervisorIsASupervisor(t *testing.T) {
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) {
			containertest.Run(t, start(t).limits(), func(t *testing.T) containertest.Subject {
				h := start(t, "--tracking", way)
				return containertest.Subject{
					Supervisor: h,
					Spec:       h.behaving,
					Ready: func(id container.ID) {
						h.eventually(string(id)+" is ready", func() bool { return h.output(id) != "" })
					},
					Pass: func(time.Duration) {},
				}
			})
		})
	}
}

// TestIsolatedContainersDoNoOtherwise has the program of each container in namespaces
// of its own. It is not their init, so signals have the effect they have elsewhere.
func TestIsolatedContainersDoNoOtherwise(t *testing.T) {
	if !start(t).can(container.FeatureNamespaces) {
		t.Skip("only root can make namespaces")
	}
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) {
			containertest.Run(t, start(t).limits(), func(t *testing.T) containertest.Subject {
				h := start(t, "--tracking", way)
				return containertest.Subject{
					Supervisor: h,
					Spec: func(id container.ID, does containertest.Behaviour) container.Spec {
						spec := h.behaving(id, does)
						spec.Namespaces = container.NamespacePID | container.NamespaceMount | container.NamespaceIPC
						spec.Capabilities = new(container.RootCapabilities)
						return spec
					},
					Ready: func(id container.ID) {
						h.eventually(string(id)+" is ready", func() bool { return h.output(id) != "" })
					},
					Pass: func(time.Duration) {},
				}
			})
		})
	}
}

// limits reports whether this machine enforces them all.
func (h *host) limits() bool {
	return h.can(container.FeatureMemory) && h.can(container.FeatureCPUQuota) && h.can(container.FeaturePIDs)
}

// behaving makes a script that does as it should.
func (h *host) behaving(id container.ID, does containertest.Behaviour) container.Spec {
	if does.Fail != 0 {
		spec := h.shell(id, "")
		spec.Argv = []string{"/no/such/program"}
		return spec
	}
	if does.Memory != 0 {
		return h.glutton(id, "memory", strconv.FormatUint(does.Memory, 10))
	}
	if does.Exit != nil && does.Exit.Exited() {
		return h.shell(id, fmt.Sprintf("exit %d", does.Exit.ExitCode()))
	}
	if does.Exit != nil {
		return h.shell(id, fmt.Sprintf("kill -%d $$", does.Exit.Signal()))
	}
	trap := ""
	if does.IgnoreTerm {
		trap = "trap '' TERM; "
	}
	return h.shell(id, trap+"echo ready; while :; do sleep 0.01; done")
}
