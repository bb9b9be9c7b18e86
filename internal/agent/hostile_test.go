package agent

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

func TestTooLargeTaskIsRefused(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	task := shellTask("large", "true")
	task.Data = bytes.Repeat([]byte("x"), 9<<20)
	m.run(frameworkInfo(), task)
	refused := next(m, func(a *linkpb.AgentMessage) *linkpb.TaskRefused { return a.GetTaskRefused() })
	if refused.TaskId != "large" || mesos.TaskStatus_Reason(refused.Reason) != mesos.TaskStatus_REASON_TASK_INVALID ||
		!strings.Contains(refused.Message, "at most 8388608 are taken") {
		t.Errorf("refused: %v", refused)
	}
	m.run(frameworkInfo(), shellTask("small", "true"))
	m.statuses("small", mesos.TaskState_TASK_FINISHED)
}

func TestIdThatIsNoNameFailsItsTaskOnly(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	m.run(frameworkInfo(), shellTask("../../../escape", "true"))
	got := lastOf(m.statuses("../../../escape", mesos.TaskState_TASK_FAILED))
	if got.GetReason() != mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED || !strings.Contains(got.GetMessage(), "contains a slash") {
		t.Errorf("status: %v", got)
	}
}

// FuzzExecutorCall brings any bytes as far as the journal and the link would see them.
func FuzzExecutorCall(f *testing.F) {
	update := call(executorpb.Call_UPDATE)
	update.Update = &executorpb.Call_Update{Status: status("t1", mesos.TaskState_TASK_RUNNING, 1)}
	update.Update.Status.Message = new("not \xff text")
	for _, codec := range []wire.Codec{wire.JSON, wire.Protobuf} {
		if seed, err := codec.Marshal(update); err == nil {
			f.Add(seed, codec == wire.JSON)
		}
	}
	encoder := newStatusEncoder("127.0.0.1")
	f.Fuzz(func(t *testing.T, data []byte, json bool) {
		codec := wire.Protobuf
		if json {
			codec = wire.JSON
		}
		c := new(executorpb.Call)
		if codec.Unmarshal(data, c) != nil || callProblem(c) != "" {
			return
		}
		in, err := new(agent).callInput(c)
		if err != nil {
			return
		}
		u, ok := in.(node.ExecutorUpdates)
		if !ok {
			return
		}
		s := u.Update.Status
		s.Container, s.PID = "c1", 1
		encodeRecord(node.StatusRecord{Framework: "f", Task: "t", Status: &s})
		if err := proto.Unmarshal(encoder.append(nil, "a1", u.Update.Task, &s), new(mesos.TaskStatus)); err != nil {
			t.Errorf("a status that was taken cannot be read again: %v", err)
		}
	})
}

// FuzzMasterMessage brings any bytes as far as the core would see them.
func FuzzMasterMessage(f *testing.F) {
	framework, _ := proto.Marshal(frameworkInfo())
	task, _ := proto.Marshal(customTask("t1", "E"))
	seed, _ := proto.Marshal(&linkpb.MasterMessage{Body: &linkpb.MasterMessage_RunTask{RunTask: &linkpb.RunTask{FrameworkInfo: framework, TaskInfo: task}}})
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(linkpb.MasterMessage)
		if proto.Unmarshal(data, m) != nil {
			return
		}
		decoder := linkDecoder{accounts: &accounts{}}
		body, err := decoder.decode(m)
		if run, ok := body.(node.RunTask); ok && err == nil {
			encodeRecord(node.TaskRecord{Framework: run.Framework.ID, Task: run.Task.ID, Info: run.Task.Info})
			encodeRecord(node.FrameworkRecord{Framework: run.Framework})
		}
	})
}
