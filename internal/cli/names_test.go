package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
)

func task(id, name, framework string, state mesos.TaskState) *mesos.Task {
	return &mesos.Task{TaskId: &mesos.TaskID{Value: &id}, Name: &name, FrameworkId: &mesos.FrameworkID{Value: &framework},
		AgentId: &mesos.AgentID{Value: new("a")}, State: &state}
}

func TestTasksAreFoundByWhatPeopleCallThem(t *testing.T) {
	const running, finished = mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED
	known := &masterpb.Response_GetTasks{
		Tasks: []*mesos.Task{
			task("web-1", "web", "f", running), task("web-10", "web", "f", running), task("db-1", "db", "f", running),
			task("job", "nightly", "f", running), task("job", "nightly", "g", running), task("acked-soon", "x", "f", finished),
		},
		CompletedTasks: []*mesos.Task{
			task("db-0", "db", "f", finished), task("old-1", "old", "f", finished), task("old-2", "old", "f", finished),
		},
	}
	for _, test := range []struct{ called, want, complaint string }{
		{"web-1", "web-1", ""}, // whole, although another one begins like it
		{"web-10", "web-10", ""},
		{"d", "db-1", ""},    // one that lives, although one that ended begins like it
		{"db", "db-1", ""},   // by name
		{"db-0", "db-0", ""}, // ended
		{"old", "old-2", ""}, // the last one of the name
		{"acked", "acked-soon", ""},
		{"w…0", "web-10", ""}, // as tables show it
		{"w...0", "web-10", ""},
		{"web", "", "task \"web\": 2 are called like this:\n  web-1  (web, RUNNING, of framework f)\n  web-10  (web, RUNNING, of framework f)\ngive more of the id"},
		{"old-", "", "task \"old-\": 2 are called like this:\n  old-1  (old, FINISHED, of framework f)\n  old-2  (old, FINISHED, of framework f)\ngive more of the id"},
		{"job", "", "task \"job\": 2 are called like this:\n  job  (nightly, RUNNING, of framework f)\n  job  (nightly, RUNNING, of framework g)\ngive more of the id"},
		{"none", "", "task \"none\": not known; list them with: meseta tasks --all"},
		{"", "", "task \"\": not known; list them with: meseta tasks --all"},
	} {
		got, err := findTask(known, test.called)
		switch {
		case test.want != "" && (err != nil || got.GetTaskId().GetValue() != test.want):
			t.Errorf("%q: %v, %v; want %s", test.called, got.GetTaskId().GetValue(), err, test.want)
		case test.want == "" && (err == nil || err.Error() != test.complaint):
			t.Errorf("%q: %v\nwant %s", test.called, err, test.complaint)
		}
	}
}

func TestCandidatesAreNotEndless(t *testing.T) {
	var all []*mesos.Task
	for range 1000 {
		all = append(all, task("t", "n", "f", mesos.TaskState_TASK_RUNNING))
	}
	_, err := taskNaming.find(all, "t")
	if lines := strings.Count(err.Error(), "\n"); lines > 13 || !strings.Contains(err.Error(), "… and 990 more") || errors.Is(err, errUnknown) {
		t.Errorf("%v", err)
	}
}
