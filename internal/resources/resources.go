// Package resources is arithmetic on what a machine has to give: so many cpus,
// so much memory and disk, these ports.
//
// A [Resource] is a name with a value, which is a [Scalar], a number of
// [Ranges] or a [Set], and with everything that keeps it apart from another
// resource of the same name: to which role it is allocated, the stack of
// reservations on it, the disk behind it, whether it may be shared or revoked.
// A [List] is a bag of resources in which whatever can be added has been added.
//
// All values are immutable: an operation returns a new one, and both can be
// kept, published and read from anywhere. What is asked of most often (plain
// cpus, mem, disk and ports) is small and quick; the rarer properties of a
// resource sit together behind one pointer (traits.go).
//
// Amounts are fixed point with three decimals, as Mesos reckons them, so that
// sums are exact: a list minus what was added to it is the list again. Values
// from outside come in through [New], [Parse] or the package resourcepb, which
// refuse what is malformed or absurdly large; past these doors nothing can
// fail.
//
// The package decides nothing: who gets what is the allocator's business.
//
// Start with [List] in list.go; the rules of what can be added to what are in
// [Resource.matches].
package resources

// Names of the resources that every agent has.
const (
	CPUs  = "cpus"
	GPUs  = "gpus"
	Mem   = "mem"  // in MiB
	Disk  = "disk" // in MiB
	Ports = "ports"
)

// Limits on what comes from outside: they are far beyond any honest use, and
// keep one message from costing more than it is worth.
const (
	MaxResources = 2048  // resources in one list
	MaxRanges    = 10000 // ranges in one resource
	MaxItems     = 10000 // items in one set
	maxNesting   = 64    // reservations on top of each other
)

// wellKnown gives the constant for a common name, so that a million decoded
// resources do not keep a million copies of "cpus".
func wellKnown(name string) string {
	switch name {
	case CPUs:
		return CPUs
	case GPUs:
		return GPUs
	case Mem:
		return Mem
	case Disk:
		return Disk
	case Ports:
		return Ports
	}
	return name
}
