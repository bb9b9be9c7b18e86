package stage

import (
	"bytes"
	"slices"
	"strings"

	mesos "github.com/meseta/meseta/api/mesos/v1"
)

// Updates are status updates as somebody got them, in order, repetitions included. It is used inside Do.
type Updates struct {
	all          []*mesos.TaskStatus
	acknowledged [][]byte       // uuids
	waited       map[string]int // by task: the updates before this one have been found
}

// Add adds an update.
func (u *Updates) Add(s *mesos.TaskStatus) { u.all = append(u.all, s) }

// Acknowledge notes that the update of a uuid was acknowledged.
func (u *Updates) Acknowledge(uuid []byte) { u.acknowledged = append(u.acknowledged, uuid) }

// Find looks for a state that a task is in, or that it has come into since the last one that was found. What is
// found once is not found again, unless the task is still in that state: so one can wait for TASK_RUNNING,
// TASK_UNREACHABLE and TASK_RUNNING, and for TASK_RUNNING of a task that has finished meanwhile.
func (u *Updates) Find(task string, state mesos.TaskState) *mesos.TaskStatus {
	latest := -1
	for i, s := range u.all {
		if s.GetTaskId().GetValue() == task {
			latest = i
		}
	}
	if latest < 0 {
		return nil
	}
	if u.all[latest].GetState() == state {
		return u.found(task, latest)
	}
	for i := u.waited[task]; i < latest; i++ {
		if s := u.all[i]; s.GetTaskId().GetValue() == task && s.GetState() == state {
			return u.found(task, i)
		}
	}
	return nil
}

func (u *Updates) found(task string, i int) *mesos.TaskStatus {
	if u.waited == nil {
		u.waited = make(map[string]int)
	}
	u.waited[task] = max(u.waited[task], i+1)
	return u.all[i]
}

// Of gives the updates of a task.
func (u *Updates) Of(task string) (all []*mesos.TaskStatus) {
	for _, s := range u.all {
		if s.GetTaskId().GetValue() == task {
			all = append(all, s)
		}
	}
	return all
}

// Unacknowledged gives the updates that want an acknowledgement and have not got it, each once.
func (u *Updates) Unacknowledged() (owed []*mesos.TaskStatus) {
	for i, s := range u.all {
		same := func(uuid []byte) bool { return bytes.Equal(uuid, s.Uuid) }
		if len(s.Uuid) == 0 || slices.ContainsFunc(u.acknowledged, same) ||
			slices.ContainsFunc(u.all[:i], func(earlier *mesos.TaskStatus) bool { return same(earlier.Uuid) }) {
			continue
		}
		owed = append(owed, s)
	}
	return owed
}

// Words lists the states of a task, with their messages; empty if there are none.
func (u *Updates) Words(task string) string {
	var words []string
	for _, s := range u.Of(task) {
		word := s.GetState().String()
		if s.GetMessage() != "" {
			word += " (" + s.GetMessage() + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
