package container

// Capabilities is a set of the kernel's capabilities; capability n is bit n.
type Capabilities uint64

// The capabilities of which a set is made here by name, as in capabilities(7).
const (
	CapChown          Capabilities = 1 << 0
	CapDACOverride    Capabilities = 1 << 1
	CapFowner         Capabilities = 1 << 3
	CapFsetid         Capabilities = 1 << 4
	CapKill           Capabilities = 1 << 5
	CapSetgid         Capabilities = 1 << 6
	CapSetuid         Capabilities = 1 << 7
	CapNetBindService Capabilities = 1 << 10
	CapSysChroot      Capabilities = 1 << 18
)

// RootCapabilities is what root keeps in a container where nobody says otherwise:
// enough to own files, to become other users, to signal them and to serve low
// ports; nothing that reaches the kernel, its devices or its networks.
const RootCapabilities = CapChown | CapDACOverride | CapFowner | CapFsetid | CapKill |
	CapSetgid | CapSetuid | CapNetBindService | CapSysChroot
