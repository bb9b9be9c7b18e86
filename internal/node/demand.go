package node

import (
	"iter"
	"maps"
	"math"

	"github.com/meseta/meseta/internal/ids"
)

// Demand is what a task or an executor asked for, of what its container can be held to.
type Demand struct {
	CPUs int64 // thousandths of a processor
	Mem  int64 // bytes
	Disk int64 // bytes

	// CPULimit and MemLimit are what it may use at the most, where it says so itself. Zero: it does not;
	// Unlimited: as much as there is.
	CPULimit, MemLimit int64
}

// Unlimited is a limit that is none.
const Unlimited = math.MaxInt64

// plus adds a demand to that of others in the same container. Once one of them names a limit the limit of all
// is the sum of the limits, where what names none counts with what it asked for.
func (d Demand) plus(more Demand) Demand {
	return Demand{
		CPUs:     add(d.CPUs, more.CPUs),
		Mem:      add(d.Mem, more.Mem),
		Disk:     add(d.Disk, more.Disk),
		CPULimit: addLimits(d.CPULimit, d.CPUs, more.CPULimit, more.CPUs),
		MemLimit: addLimits(d.MemLimit, d.Mem, more.MemLimit, more.Mem),
	}
}

func addLimits(a, askedA, b, askedB int64) int64 {
	if a == 0 && b == 0 {
		return 0
	}
	if a == 0 {
		a = askedA
	}
	if b == 0 {
		b = askedB
	}
	return add(a, b)
}

// add adds two amounts that are not negative. What is too much is Unlimited, and stays it.
func add(a, b int64) int64 {
	if a > Unlimited-b {
		return Unlimited
	}
	return a + b
}

// demand is what everything in the executor's container may use together.
func (e *executor) demand() Demand {
	d := e.own
	for _, t := range e.tasks {
		d = d.plus(t.demand)
	}
	return d
}

// InUse are the containers whose sandboxes are in use: from before their launch until their recorded end, in no
// particular order.
func (n *Node) InUse() iter.Seq[ids.ContainerID] { return maps.Keys(n.containers) }

// ContainerView is a container from its launch until its end.
type ContainerView struct {
	Sandbox Sandbox
	Task    ids.TaskID // of a command task; empty for a custom executor
	Info    []byte     // mesos.v1.ExecutorInfo of a custom executor, mesos.v1.TaskInfo of a command task
	PID     int        // 0 while it does not run
	Demand  Demand
}

// Containers lists what has a container, in the order of creation.
func (n *Node) Containers() []ContainerView {
	var views []ContainerView
	for _, e := range byCreation(n.containers, func(e *executor) uint64 { return e.created }) {
		if e.state == executorGone {
			continue
		}
		v := ContainerView{Sandbox: n.sandbox(e), Info: e.info, PID: e.pid, Demand: e.demand()}
		if e.builtin {
			v.Task, v.Info = e.task().id, e.task().info
		}
		views = append(views, v)
	}
	return views
}
