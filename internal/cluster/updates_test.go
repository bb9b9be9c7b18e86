package cluster

import (
	"strings"
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
)

func TestTheBooksKeepWhatLastsOfAStatus(t *testing.T) {
	s := newScript()
	for _, line := range []string{"subscribe id=F", "agent id=A", "wait 1s", "accept F O0 t1@A"} {
		s.do(t, strings.Fields(line))
	}
	status := Status{Task: "t1", State: mesos.TaskState_TASK_RUNNING, UUID: UUID{1}, Raw: []byte("with data"), Lasting: []byte("without")}
	if got := s.step(AgentUpdate{Link: 1, Framework: "F", Status: status, Latest: status.State}); got[0] != "s1: UPDATE t1 with data" {
		t.Errorf("the scheduler hears %q, want all of it", got)
	}
	task := s.c.tasks.Get(TaskKey{"F", "t1"})
	for _, kept := range append(task.Statuses, task.Shown) {
		if string(kept.Raw) != "without" || kept.Lasting != nil {
			t.Errorf("the books keep %q and %q, want what lasts", kept.Raw, kept.Lasting)
		}
	}
}
