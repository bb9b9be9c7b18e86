package container

import (
	"fmt"
	"time"
)

// Limits are what a container may use, all its processes together; zero is
// unlimited.
type Limits struct {
	// CPUShares is the relative weight when cpus are scarce; 1024 is one cpu.
	CPUShares uint64

	// CPUQuota is a hard cap: cpu time per CPUPeriod, of which zero is
	// [DefaultCPUPeriod].
	CPUQuota  time.Duration
	CPUPeriod time.Duration

	// MemoryBytes is a hard cap. A container that cannot stay under it is ended as a
	// whole, with ReasonMemory.
	MemoryBytes uint64

	// MemorySoftBytes is what the kernel leaves a container when memory is scarce, as
	// far as it can.
	MemorySoftBytes uint64

	// NoSwap makes MemoryBytes a cap on memory and swap together.
	NoSwap bool

	// PIDs is how many processes and threads it may have at once. In cgroup version 2
	// one of them is the init of its pid namespace, if it has one.
	PIDs uint64
}

// DefaultCPUPeriod is over what time a CPUQuota is reckoned.
const DefaultCPUPeriod = 100 * time.Millisecond

// What the kernel takes for a quota and its period.
const (
	MinCPUQuota  = time.Millisecond
	MinCPUPeriod = time.Millisecond
	MaxCPUPeriod = time.Second
)

// Period is the CPUPeriod that counts.
func (l *Limits) Period() time.Duration {
	if l.CPUPeriod == 0 {
		return DefaultCPUPeriod
	}
	return l.CPUPeriod
}

// Validate complains about limits that no kernel takes, in one error that wraps
// [ErrInvalid].
func (l *Limits) Validate() error {
	switch {
	case l.CPUQuota != 0 && l.CPUQuota < MinCPUQuota:
		return fmt.Errorf("%w: cpu quota is %v, expected none or at least %v", ErrInvalid, l.CPUQuota, MinCPUQuota)
	case l.CPUPeriod != 0 && (l.CPUPeriod < MinCPUPeriod || l.CPUPeriod > MaxCPUPeriod):
		return fmt.Errorf("%w: cpu period is %v, expected %v to %v", ErrInvalid, l.CPUPeriod, MinCPUPeriod, MaxCPUPeriod)
	case l.MemoryBytes != 0 && l.MemorySoftBytes > l.MemoryBytes:
		return fmt.Errorf("%w: soft memory limit of %d bytes is above the hard one of %d", ErrInvalid, l.MemorySoftBytes, l.MemoryBytes)
	}
	return nil
}

// OutOfMemory is what is known of a container that the kernel killed for memory.
type OutOfMemory struct {
	// Limit is the hard limit it had, in bytes. Zero means that it had none: the
	// memory of the machine, or of a cgroup above, ran out.
	Limit uint64
	// Peak is the most it had used, in bytes, as far as the kernel tells.
	Peak uint64
}

// Statistics are what a container uses and may use at one moment. What the
// machine cannot measure is zero.
type Statistics struct {
	ID ID
	At time.Time

	CPUUser, CPUSystem time.Duration // used since its start
	CPUPeriods         uint64        // of its quota that have passed while it ran …
	CPUThrottled       uint64        // … and in how many of them it was stopped
	CPUThrottledTime   time.Duration

	Memory          uint64 // bytes charged to it, caches of files included
	MemoryAnonymous uint64 // of which its own: heaps and stacks
	MemoryFile      uint64 // of which caches of files
	MemoryMapped    uint64 // of which mapped files
	MemorySwap      uint64 // bytes swapped out
	MemoryPeak      uint64 // the most that Memory ever was
	MemoryFailures  uint64 // how often it ran into its hard limit
	MemoryKills     uint64 // how many of its processes the kernel killed for memory

	Processes uint64 // the init of its pid namespace included
	Threads   uint64

	Limits Limits // those in force
}

// Ability is something that a machine can do for containers, or cannot and why.
type Ability struct {
	Feature Feature
	Works   bool
	How     string // "cgroup v1 /sys/fs/cgroup/memory/meseta/…"; if it does not work, why, in a sentence
}

// Feature is what an Ability is about. They go over the wire: never renumber.
type Feature uint8

// The features.
const (
	FeatureUnknown      Feature = 0
	FeatureCPUShares    Feature = 1 // Limits.CPUShares
	FeatureCPUQuota     Feature = 2 // Limits.CPUQuota
	FeatureMemory       Feature = 3 // Limits.MemoryBytes
	FeaturePIDs         Feature = 4 // Limits.PIDs
	FeatureNamespaces   Feature = 5 // Spec.Namespaces and Spec.Binds
	FeatureCapabilities Feature = 6 // Spec.Capabilities
	FeatureUsers        Feature = 7 // Spec.User
)

var featureNames = [...]string{"unknown", "cpu shares", "cpu quotas", "memory limits", "pids limits", "namespaces", "capabilities", "users"}

// String names the feature in the plural, to be said before "are not enforced".
func (f Feature) String() string {
	if int(f) < len(featureNames) {
		return featureNames[f]
	}
	return featureNames[0]
}
