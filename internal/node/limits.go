package node

import "time"

// Isolation says to what containers are held. The zero value holds them to nothing.
type Isolation struct {
	CPU     bool  // to their share of the processors when these are scarce, and to limits of tasks
	HardCPU bool  // to their share of the processors always
	Mem     bool  // to their memory
	NoSwap  bool  // to the same memory with what is swapped out
	PIDs    int64 // to so many processes and threads; 0: any number
}

// Limits are what a container is held to. Zero is no limit.
type Limits struct {
	CPUShares int64         // weight when processors are scarce; 1024 for each that was asked for
	CPUQuota  time.Duration // processor time in each CPUPeriod
	Mem       int64         // bytes; more ends the container
	MemSoft   int64         // bytes that it keeps when memory is scarce
	NoSwap    bool          // Mem counts what is swapped out too
	PIDs      int64
}

// CPUPeriod is over what a CPUQuota is reckoned.
const CPUPeriod = 100 * time.Millisecond

// What a container has at the least, whatever it asked for: the kernel's least share, the least that a program
// can be expected to run in.
const (
	minShares = 2
	minQuota  = time.Millisecond
	minMem    = 32 << 20

	sharesPerCPU = 1024
	maxShares    = 1 << 18
)

// limits is to what a container with this demand is held.
func (i Isolation) limits(d Demand) Limits {
	l := Limits{PIDs: i.PIDs}
	if i.CPU {
		l.CPUShares = max(minShares, min(d.CPUs, maxShares*1000/sharesPerCPU)*sharesPerCPU/1000)
		switch {
		case d.CPULimit != 0:
			l.CPUQuota = quota(d.CPULimit)
		case i.HardCPU:
			l.CPUQuota = quota(d.CPUs)
		}
	}
	if i.Mem {
		l.MemSoft, l.NoSwap = max(minMem, d.Mem), i.NoSwap
		switch d.MemLimit {
		case 0:
			l.Mem = l.MemSoft
		case Unlimited:
		default:
			l.Mem = max(l.MemSoft, d.MemLimit)
		}
	}
	return l
}

// quota is the time of so many thousandths of a processor.
func quota(cpus int64) time.Duration {
	const most = 1 << 20 * 1000 // more processors than there are
	if cpus >= most {
		return 0
	}
	return max(minQuota, time.Duration(cpus)*(CPUPeriod/1000))
}

// demandChanged notes that the container of an executor may have to be held to something else.
func (n *Node) demandChanged(e *executor) {
	if !e.builtin && !e.changed {
		e.changed = true
		n.changed = append(n.changed, e)
	}
}

// limitChanged holds the containers to what is right after the Step. A container that does not run yet is held
// to what is right when it starts.
func (n *Node) limitChanged() {
	for _, e := range n.changed {
		e.changed = false
		if !e.launched || e.state >= executorTerminating {
			continue
		}
		if l := n.config.Isolation.limits(e.demand()); l != e.limits {
			e.limits = l
			n.emit(LimitContainer{Container: e.container, Limits: l})
		}
	}
	clear(n.changed)
	n.changed = n.changed[:0]
}
