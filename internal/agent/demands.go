package agent

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/node"
)

// demandOf reads what a container has to be held to from the resources and limits of a task or executor.
func demandOf(list []*mesos.Resource, limits map[string]*mesos.Value_Scalar) node.Demand {
	var d node.Demand
	for _, r := range list {
		v := r.GetScalar().GetValue()
		switch {
		case r.GetName() == "cpus":
			d.CPUs = atMost(d.CPUs, thousandths(v))
		case r.GetName() == "mem":
			d.Mem = atMost(d.Mem, mebibytes(v))
		case r.GetName() == "disk" && r.GetDisk().GetVolume() == nil: // a volume is no part of the sandbox
			d.Disk = atMost(d.Disk, mebibytes(v))
		}
	}
	if l := limits["cpus"]; l != nil {
		d.CPULimit = max(1, thousandths(l.GetValue()))
	}
	if l := limits["mem"]; l != nil {
		d.MemLimit = max(1, mebibytes(l.GetValue()))
	}
	return d
}

func atMost(a, b int64) int64 { return a + min(b, node.Unlimited-a) }

// thousandths is an amount with the three decimals that a scalar has.
func thousandths(v float64) int64 { return whole(math.Round(v * 1000)) }

// mebibytes turns them into bytes.
func mebibytes(v float64) int64 { return whole(math.Round(v*1000) / 1000 * (1 << 20)) }

func whole(v float64) int64 {
	switch {
	case !(v > 0): // also what is no number
		return 0
	case v >= node.Unlimited:
		return node.Unlimited
	}
	return int64(v)
}

// taskDemand is the demand of an encoded mesos.v1.TaskInfo; none if it cannot be read.
func taskDemand(info []byte) node.Demand {
	m := new(mesos.TaskInfo)
	if proto.Unmarshal(info, m) != nil {
		return node.Demand{}
	}
	return demandOf(m.Resources, m.Limits)
}

// executorDemand is the demand of an encoded mesos.v1.ExecutorInfo; none if it cannot be read.
func executorDemand(info []byte) node.Demand {
	m := new(mesos.ExecutorInfo)
	if proto.Unmarshal(info, m) != nil {
		return node.Demand{}
	}
	return demandOf(m.Resources, nil)
}

// appendLimited appends what there was too much of, as a field of a mesos.v1.TaskStatus.
func appendLimited(b []byte, l *node.Limited) []byte {
	if l == nil {
		return b
	}
	field, err := proto.Marshal(&mesos.TaskResourceLimitation{Resources: []*mesos.Resource{{
		Name: &l.Resource, Type: mesos.Value_SCALAR.Enum(),
		Scalar: &mesos.Value_Scalar{Value: new(math.Round(float64(l.Bytes)/(1<<20)*1000) / 1000)},
	}}})
	if err != nil {
		return b // a name and a number
	}
	b = protowire.AppendTag(b, 16, protowire.BytesType)
	return protowire.AppendBytes(b, field)
}
