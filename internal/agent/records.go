package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	nodepb "github.com/meseta/meseta/api/meseta/node/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// encodeRecord gives a record of the core as the journal keeps it.
func encodeRecord(r node.Record) []byte {
	b, err := proto.Marshal(recordMessage(r))
	if err != nil {
		panic(fmt.Sprintf("agent: encode %T: %v", r, err)) // ids and texts are made valid where they come in
	}
	return b
}

func recordMessage(r node.Record) *nodepb.Record {
	switch r := r.(type) {
	case node.IdentityRecord:
		return &nodepb.Record{Body: &nodepb.Record_Identity{Identity: &nodepb.Identity{
			AgentId: string(r.Agent), ClusterId: r.Cluster, Epoch: r.Epoch, BootId: r.Boot}}}
	case node.FrameworkRecord:
		return &nodepb.Record{Body: &nodepb.Record_Framework{Framework: &nodepb.Framework{
			Info: r.Framework.Info, Ending: r.Ending}}}
	case node.FrameworkGone:
		return &nodepb.Record{Body: &nodepb.Record_FrameworkGone{FrameworkGone: &nodepb.FrameworkGone{
			FrameworkId: string(r.Framework)}}}
	case node.ExecutorRecord:
		return &nodepb.Record{Body: &nodepb.Record_Executor{Executor: &nodepb.Executor{
			FrameworkId: string(r.Framework), ExecutorId: string(r.Executor), ContainerId: string(r.Container),
			ShutdownGraceNs: int64(r.Grace), Info: r.Info}}}
	case node.ExecutorGone:
		return &nodepb.Record{Body: &nodepb.Record_ExecutorGone{ExecutorGone: &nodepb.ExecutorGone{
			FrameworkId: string(r.Framework), ExecutorId: string(r.Executor), ContainerId: string(r.Container)}}}
	case node.TaskRecord:
		return &nodepb.Record{Body: &nodepb.Record_Task{Task: &nodepb.Task{
			FrameworkId: string(r.Framework), TaskId: string(r.Task), ExecutorId: string(r.Executor),
			ContainerId: string(r.Container), KillGraceNs: int64(r.KillGrace), MaxCompletionNs: int64(r.MaxTime), Info: r.Info}}}
	case node.StatusRecord:
		return &nodepb.Record{Body: &nodepb.Record_Status{Status: statusRecord(r)}}
	case node.AckRecord:
		return &nodepb.Record{Body: &nodepb.Record_Ack{Ack: &nodepb.Ack{
			FrameworkId: string(r.Framework), TaskId: string(r.Task), Uuid: r.UUID[:]}}}
	}
	panic(fmt.Sprintf("agent: record of unknown type %T", r))
}

func statusRecord(r node.StatusRecord) *nodepb.Status {
	s := r.Status
	m := &nodepb.Status{
		FrameworkId:  string(r.Framework),
		TaskId:       string(r.Task),
		Uuid:         s.UUID[:],
		State:        int32(s.State),
		Source:       int32(s.Source),
		Message:      validText(s.Message),
		Data:         s.Data,
		ExecutorId:   string(s.Executor),
		Timestamp:    s.Timestamp,
		ContainerId:  string(s.Container),
		Pid:          int32(s.PID),
		Rest:         appendLimited(slices.Clone(s.Rest), s.Limited),
		Named:        s.Named,
		Addressed:    s.Addressed,
		Acknowledged: r.Acknowledged,
	}
	if s.Reason != node.NoReason {
		m.Reason = new(int32(s.Reason))
	}
	return m
}

// decodeRecord reads a record of the journal. A record of a later version that this one does not know is
// an error: passing over it would lose state.
func decodeRecord(data []byte) (node.Record, error) {
	m := new(nodepb.Record)
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("record of %d bytes: %w", len(data), err)
	}
	switch b := m.Body.(type) {
	case *nodepb.Record_Identity:
		return node.IdentityRecord{Agent: ids.AgentID(b.Identity.AgentId), Cluster: b.Identity.ClusterId,
			Epoch: b.Identity.Epoch, Boot: b.Identity.BootId}, nil
	case *nodepb.Record_Framework:
		f, err := decodeFramework(b.Framework.Info)
		return node.FrameworkRecord{Framework: f, Ending: b.Framework.Ending}, err
	case *nodepb.Record_FrameworkGone:
		return node.FrameworkGone{Framework: ids.FrameworkID(b.FrameworkGone.FrameworkId)}, nil
	case *nodepb.Record_Executor:
		return node.ExecutorRecord{Framework: ids.FrameworkID(b.Executor.FrameworkId), Executor: ids.ExecutorID(b.Executor.ExecutorId),
			Container: ids.ContainerID(b.Executor.ContainerId), Grace: time.Duration(b.Executor.ShutdownGraceNs), Info: b.Executor.Info,
			Demand: executorDemand(b.Executor.Info)}, nil
	case *nodepb.Record_ExecutorGone:
		return node.ExecutorGone{Framework: ids.FrameworkID(b.ExecutorGone.FrameworkId), Executor: ids.ExecutorID(b.ExecutorGone.ExecutorId),
			Container: ids.ContainerID(b.ExecutorGone.ContainerId)}, nil
	case *nodepb.Record_Task:
		return node.TaskRecord{Framework: ids.FrameworkID(b.Task.FrameworkId), Task: ids.TaskID(b.Task.TaskId),
			Executor: ids.ExecutorID(b.Task.ExecutorId), Container: ids.ContainerID(b.Task.ContainerId),
			KillGrace: time.Duration(b.Task.KillGraceNs), MaxTime: time.Duration(b.Task.MaxCompletionNs), Info: b.Task.Info,
			Demand: taskDemand(b.Task.Info)}, nil
	case *nodepb.Record_Status:
		return decodeStatusRecord(b.Status), nil
	case *nodepb.Record_Ack:
		return node.AckRecord{Framework: ids.FrameworkID(b.Ack.FrameworkId), Task: ids.TaskID(b.Ack.TaskId),
			UUID: uuidOf(b.Ack.Uuid)}, nil
	}
	return nil, fmt.Errorf("record of %d bytes has a kind that this version does not know", len(data))
}

func decodeStatusRecord(m *nodepb.Status) node.StatusRecord {
	s := &node.Status{
		UUID:      uuidOf(m.Uuid),
		State:     mesos.TaskState(m.State),
		Source:    mesos.TaskStatus_Source(m.Source),
		Reason:    node.NoReason,
		Message:   m.Message,
		Data:      m.Data,
		Executor:  ids.ExecutorID(m.ExecutorId),
		Timestamp: m.Timestamp,
		Container: ids.ContainerID(m.ContainerId),
		PID:       int(m.Pid),
		Rest:      m.Rest,
		Named:     m.Named,
		Addressed: m.Addressed,
	}
	if m.Reason != nil {
		s.Reason = mesos.TaskStatus_Reason(*m.Reason)
	}
	return node.StatusRecord{Framework: ids.FrameworkID(m.FrameworkId), Task: ids.TaskID(m.TaskId), Status: s, Acknowledged: m.Acknowledged}
}

// validText makes a text that strict readers accept.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// uuidOf takes a uuid from the wire; anything but 16 bytes names nothing.
func uuidOf(b []byte) (u node.UUID) {
	if len(b) == len(u) {
		copy(u[:], b)
	}
	return u
}
