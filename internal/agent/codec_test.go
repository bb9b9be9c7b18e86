package agent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

func drawID[S ~string](t *rapid.T, label string) S {
	return S(rapid.StringMatching(`[a-z0-9]{0,8}`).Draw(t, label))
}

func drawBytes(t *rapid.T, label string) []byte {
	b := rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(t, label)
	if len(b) == 0 {
		return nil
	}
	return b
}

func drawUUID(t *rapid.T) node.UUID {
	return node.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
}

func drawStatus(t *rapid.T) *node.Status {
	return &node.Status{
		UUID:      drawUUID(t),
		State:     mesos.TaskState(rapid.IntRange(0, 13).Draw(t, "state")),
		Source:    mesos.TaskStatus_Source(rapid.IntRange(0, 2).Draw(t, "source")),
		Reason:    mesos.TaskStatus_Reason(rapid.IntRange(-1, 34).Draw(t, "reason")),
		Message:   rapid.String().Draw(t, "message"),
		Data:      drawBytes(t, "data"),
		Executor:  drawID[ids.ExecutorID](t, "executor"),
		Timestamp: rapid.Float64Range(0, 2e9).Draw(t, "timestamp"),
		Container: drawID[ids.ContainerID](t, "container"),
		PID:       rapid.IntRange(0, 1<<22).Draw(t, "pid"),
		Named:     rapid.Bool().Draw(t, "named"),
		Addressed: rapid.Bool().Draw(t, "addressed"),
	}
}

func drawRecord(t *rapid.T) node.Record {
	framework, task, executor := drawID[ids.FrameworkID](t, "framework"), drawID[ids.TaskID](t, "task"), drawID[ids.ExecutorID](t, "executor")
	container, d := drawID[ids.ContainerID](t, "container"), time.Duration(rapid.Int64().Draw(t, "duration"))
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return node.IdentityRecord{Agent: drawID[ids.AgentID](t, "agent"), Cluster: "c", Epoch: rapid.Uint64().Draw(t, "epoch"), Boot: "b"}
	case 1:
		info := frameworkInfo(mesos.FrameworkInfo_Capability_PARTITION_AWARE)
		raw, err := proto.Marshal(info)
		if err != nil {
			t.Fatal(err)
		}
		return node.FrameworkRecord{Framework: node.Framework{ID: "framework-1", User: "root", PartitionAware: true, Info: raw}, Ending: rapid.Bool().Draw(t, "ending")}
	case 2:
		return node.FrameworkGone{Framework: framework}
	case 3:
		return node.ExecutorRecord{Framework: framework, Executor: executor, Container: container, Grace: d, Info: drawBytes(t, "info")}
	case 4:
		return node.ExecutorGone{Framework: framework, Executor: executor, Container: container}
	case 5:
		return node.TaskRecord{Framework: framework, Task: task, Executor: executor, Container: container, KillGrace: d, MaxTime: d, Info: drawBytes(t, "info")}
	case 6:
		s := drawStatus(t)
		s.Rest = drawBytes(t, "rest")
		return node.StatusRecord{Framework: framework, Task: task, Status: s, Acknowledged: rapid.Bool().Draw(t, "acknowledged")}
	}
	return node.AckRecord{Framework: framework, Task: task, UUID: drawUUID(t)}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		got, err := decodeRecord(encodeRecord(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("it came back different:\n%s", diff)
		}
	})
}

func TestUnknownRecordIsAnError(t *testing.T) {
	if _, err := decodeRecord([]byte{0xfa, 0x01, 0x00}); err == nil {
		t.Error("a record of a later version was passed over")
	}
	if _, err := decodeRecord([]byte{0xff}); err == nil {
		t.Error("garbage was taken for a record")
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(encodeRecord(node.FrameworkGone{Framework: "f"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		record, err := decodeRecord(data)
		if err == nil {
			encodeRecord(record)
		}
	})
}

// TestStatusEncoderAgreesWithGeneratedCode holds the hand-written encoder against the message it writes.
func TestStatusEncoderAgreesWithGeneratedCode(t *testing.T) {
	encoder := newStatusEncoder("10.1.2.3")
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatus(t)
		s.Named, s.Addressed = false, false
		want := &mesos.TaskStatus{
			TaskId:    &mesos.TaskID{Value: new("t1")},
			AgentId:   &mesos.AgentID{Value: new("a1")},
			State:     s.State.Enum(),
			Source:    s.Source.Enum(),
			Timestamp: new(s.Timestamp),
			Data:      s.Data,
		}
		if s.Message != "" {
			want.Message = new(s.Message)
		}
		if s.Reason != node.NoReason {
			want.Reason = s.Reason.Enum()
		}
		if s.Executor != "" {
			want.ExecutorId = &mesos.ExecutorID{Value: new(string(s.Executor))}
		}
		if s.UUID != (node.UUID{}) {
			want.Uuid = s.UUID[:]
		}
		if s.Container != "" {
			want.ContainerStatus = &mesos.ContainerStatus{
				ContainerId: &mesos.ContainerID{Value: new(string(s.Container))},
				NetworkInfos: []*mesos.NetworkInfo{{IpAddresses: []*mesos.NetworkInfo_IPAddress{{
					Protocol: mesos.NetworkInfo_IPv4.Enum(), IpAddress: new("10.1.2.3")}}}},
			}
			if s.PID != 0 {
				want.ContainerStatus.ExecutorPid = new(uint32(s.PID))
			}
		}
		got := new(mesos.TaskStatus)
		if err := proto.Unmarshal(encoder.append(nil, "a1", "t1", s), got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("got %v, expected %v", got, want)
		}
	})
}

// TestExecutorsStatusKeepsWhatTheAgentDoesNotKnow: labels, checks and fields of later versions arrive, and
// what the executor says of its container wins.
func TestExecutorsStatusKeepsWhatTheAgentDoesNotKnow(t *testing.T) {
	m := status("t1", mesos.TaskState_TASK_RUNNING, 1)
	m.Labels = &mesos.Labels{Labels: []*mesos.Label{{Key: new("k"), Value: new("v")}}}
	m.ContainerStatus = &mesos.ContainerStatus{
		ContainerId:  &mesos.ContainerID{Value: new("nested"), Parent: &mesos.ContainerID{Value: new("c1")}},
		NetworkInfos: []*mesos.NetworkInfo{{Name: new("overlay")}},
	}
	m.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 0x01, 'x'})
	u, err := statusFrom(m)
	if err != nil {
		t.Fatal(err)
	}
	s := u.Status
	s.Container, s.PID, s.Timestamp = "c1", 42, 7
	got := new(mesos.TaskStatus)
	if err := proto.Unmarshal(newStatusEncoder("::1").append(nil, "a1", u.Task, &s), got); err != nil {
		t.Fatal(err)
	}
	want := proto.CloneOf(m)
	want.AgentId, want.Timestamp = &mesos.AgentID{Value: new("a1")}, new(7.0)
	want.ContainerStatus.ExecutorPid = new(uint32(42))
	if !proto.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
