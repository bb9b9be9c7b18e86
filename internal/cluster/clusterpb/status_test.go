package clusterpb

import (
	"bytes"
	"testing"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
)

// TestDataOfAStatusIsPassedOnAndNotRemembered follows what an executor attaches to a status: schedulers
// want it once, and a million tasks would keep it in the master's memory.
func TestDataOfAStatusIsPassedOnAndNotRemembered(t *testing.T) {
	data := bytes.Repeat([]byte("data"), 100)
	raw := Encode(&mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new("t")}, State: mesos.TaskState_TASK_RUNNING.Enum(),
		Message: new("hello"), Data: data})
	s, err := StatusFrom(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := StatusTo(&s); !bytes.Equal(got.Data, data) {
		t.Errorf("passed on: %d bytes of data, want %d", len(got.Data), len(data))
	}
	check := func(s cluster.Status) {
		t.Helper()
		if got := StatusTo(&s); got.Data != nil || got.GetMessage() != "hello" || bytes.Contains(s.Raw, data) || s.Lasting != nil {
			t.Errorf("remembered: %v in %d bytes, want everything but the data", got, len(s.Raw)+len(s.Lasting))
		}
	}
	check(s.Remembered())
	check(s.Remembered().Remembered())

	reported, err := agentTask(&linkpb.Task{Statuses: [][]byte{raw}, TaskInfo: Encode(&mesos.TaskInfo{Name: new("t"),
		TaskId: &mesos.TaskID{Value: new("t")}, AgentId: &mesos.AgentID{Value: new("a")}})})
	if err != nil {
		t.Fatal(err)
	}
	check(reported.Statuses[0])
}

func TestAMasterGivesReasonsOnlyWhereItHasOne(t *testing.T) {
	if m := StatusTo(&cluster.Status{Task: "t", State: mesos.TaskState_TASK_STAGING}); m.Reason != nil {
		t.Errorf("a status without a reason has %s", m.GetReason())
	}
	if m := StatusTo(&cluster.Status{Task: "t", Reason: mesos.TaskStatus_REASON_AGENT_REMOVED}); m.GetReason() != mesos.TaskStatus_REASON_AGENT_REMOVED {
		t.Errorf("a status with a reason has %s", m.GetReason())
	}
}
