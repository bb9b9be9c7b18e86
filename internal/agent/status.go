package agent

import (
	"fmt"
	"math"
	"net/netip"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// statusEncoder turns statuses of the core into mesos.v1.TaskStatus. It appends field by field, since it is
// what an agent encodes most; a test holds it against the generated code.
type statusEncoder struct {
	address []byte // NetworkInfo with the agent's address
}

func newStatusEncoder(ip string) statusEncoder {
	protocol := mesos.NetworkInfo_IPv4
	if a, err := netip.ParseAddr(ip); err == nil && a.Is6() && !a.Is4In6() {
		protocol = mesos.NetworkInfo_IPv6
	}
	info := &mesos.NetworkInfo{IpAddresses: []*mesos.NetworkInfo_IPAddress{{Protocol: protocol.Enum(), IpAddress: &ip}}}
	address, err := proto.Marshal(info)
	if err != nil {
		panic(fmt.Sprintf("agent: encode address %q: %v", ip, err))
	}
	return statusEncoder{address}
}

// append appends the status of a task.
func (e statusEncoder) append(b []byte, agent ids.AgentID, task ids.TaskID, s *node.Status) []byte {
	b = appendID(b, 1, string(task))
	b = appendVarint(b, 2, uint64(s.State))
	if s.Data != nil {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendBytes(b, s.Data)
	}
	if s.Message != "" {
		b = protowire.AppendTag(b, 4, protowire.BytesType)
		b = protowire.AppendString(b, validText(s.Message))
	}
	b = appendID(b, 5, string(agent))
	b = protowire.AppendTag(b, 6, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(s.Timestamp))
	if s.Executor != "" {
		b = appendID(b, 7, string(s.Executor))
	}
	b = appendVarint(b, 9, uint64(s.Source))
	if s.Reason != node.NoReason {
		b = appendVarint(b, 10, uint64(s.Reason))
	}
	if s.UUID != (node.UUID{}) {
		b = protowire.AppendTag(b, 11, protowire.BytesType)
		b = protowire.AppendBytes(b, s.UUID[:])
	}
	b = append(b, s.Rest...)
	b = appendLimited(b, s.Limited)
	if s.Container != "" {
		b = protowire.AppendTag(b, 13, protowire.BytesType)
		b = protowire.AppendBytes(b, e.container(s))
	}
	return b
}

// container is the agent's part of a ContainerStatus: what the executor did not say itself.
func (e statusEncoder) container(s *node.Status) []byte {
	var c []byte
	if !s.Addressed {
		c = protowire.AppendTag(c, 1, protowire.BytesType)
		c = protowire.AppendBytes(c, e.address)
	}
	if s.PID != 0 {
		c = appendVarint(c, 3, uint64(s.PID))
	}
	if !s.Named {
		c = appendID(c, 4, string(s.Container))
	}
	return c
}

// appendID appends a message whose first field is a string, as all of Mesos' ids are.
func appendID(b []byte, field protowire.Number, id string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(protowire.SizeTag(1)+protowire.SizeBytes(len(id))))
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	return protowire.AppendString(b, id)
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

// statusFrom takes an executor's status apart: the fields that the core knows, and the rest as it came.
func statusFrom(m *mesos.TaskStatus) (node.ExecutorUpdate, error) {
	s := node.Status{
		UUID:      uuidOf(m.Uuid),
		State:     m.GetState(),
		Source:    m.GetSource(),
		Reason:    node.NoReason,
		Message:   m.GetMessage(),
		Data:      m.Data,
		Executor:  ids.ExecutorID(m.ExecutorId.GetValue()),
		Timestamp: m.GetTimestamp(),
		Named:     m.ContainerStatus.GetContainerId() != nil,
		Addressed: len(m.ContainerStatus.GetNetworkInfos()) > 0,
	}
	if m.Reason != nil && mesos.TaskStatus_Reason_name[int32(*m.Reason)] != "" { // others have no name to be shown under
		s.Reason = *m.Reason
	}
	rest := proto.CloneOf(m)
	rest.Uuid, rest.State, rest.Source, rest.Reason, rest.Message, rest.Data = nil, nil, nil, nil, nil, nil
	rest.TaskId, rest.AgentId, rest.ExecutorId, rest.Timestamp = nil, nil, nil, nil
	var err error
	s.Rest, err = proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(rest)
	if err != nil {
		return node.ExecutorUpdate{}, fmt.Errorf("status of task %q: %w", m.TaskId.GetValue(), err)
	}
	return node.ExecutorUpdate{Task: ids.TaskID(m.TaskId.GetValue()), Status: s}, nil
}
