package agent

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/node"
)

// The list of all tasks is one record, which has to stay below what a master takes.
func TestListOfTasksLeavesTheirDataOut(t *testing.T) {
	m := newTestMaster(t)
	startAgent(t, m)
	m.subscribed()
	task := shellTask("large", "true")
	task.Data = bytes.Repeat([]byte("x"), 5<<20)
	m.run(frameworkInfo(), task)
	m.statuses("large", mesos.TaskState_TASK_FINISHED)
	m.cut()
	tasks := m.subscribed().Tasks
	if len(tasks) != 1 {
		t.Fatalf("%d tasks, expected 1", len(tasks))
	}
	got := new(mesos.TaskInfo)
	if err := proto.Unmarshal(tasks[0].TaskInfo, got); err != nil {
		t.Fatal(err)
	}
	task.Data = nil
	if diff := cmp.Diff(task, got, protocmp.Transform()); diff != "" {
		t.Errorf("the task (-want +got):\n%s", diff)
	}
}

func TestDataIsCutOutWhereverItStands(t *testing.T) {
	rest := []byte("\x0a\x01n")
	data := []byte("\x32\x03abc")
	for name, info := range map[string][]byte{
		"nowhere": rest, "in front": append(bytes.Clone(data), rest...), "behind": append(bytes.Clone(rest), data...),
		"twice": bytes.Join([][]byte{data, rest, data}, nil),
	} {
		if got := withoutData(info); !bytes.Equal(got, rest) {
			t.Errorf("%s: %q, expected %q", name, got, rest)
		}
	}
	if got := withoutData([]byte("\x32\x7fabc")); string(got) != "\x32\x7fabc" {
		t.Errorf("what cannot be read became %q", got)
	}
}

// What a slow master does not get now it has to get later.
func TestOnlyWhatComesAgainMayBeDropped(t *testing.T) {
	for _, c := range []struct {
		body node.AgentBody
		want bool
	}{
		{node.ExecutorMessage{}, true},
		{node.Update{Status: &node.Status{UUID: node.UUID{1}}}, true},
		{node.Update{Status: &node.Status{}}, false},
		{node.ExecutorExited{}, false},
		{node.TaskRefused{}, false},
		{node.AgentFrameworkGone{}, false},
		{node.Subscribe{}, false},
	} {
		if got := droppable(c.body); got != c.want {
			t.Errorf("%T: %v, expected %v", c.body, got, c.want)
		}
	}
}
