package cluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/meseta/meseta/internal/ids"
)

// remembered lists the tasks of a history, oldest first.
func remembered(h *history) (all []string) {
	for t := range h.tasks.All() {
		all = append(all, fmt.Sprintf("%s/%s", t.Key.Framework, t.Key.Task))
	}
	return all
}

func ended(f, t string) *Task {
	return &Task{Key: TaskKey{ids.FrameworkID(f), ids.TaskID(t)}}
}

func TestHistoryKeepsTheLatestOfEachFramework(t *testing.T) {
	h := newHistory()
	for _, task := range []string{"a", "b", "c"} {
		h.addTask(ended("F", task), 2)
	}
	h.addTask(ended("G", "a"), 2)
	if got, want := remembered(&h), []string{"F/b", "F/c", "G/a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHistoryRecallsWhatItDoesNotKnow(t *testing.T) {
	h := newHistory()
	h.addTask(ended("F", "a"), 10)
	h.recall(ended("F", "a"), true, 10, 2) // an agent that registers again tells what is known
	h.recall(ended("F", "b"), true, 10, 2)
	for _, f := range []string{"X", "Y", "Z"} { // of frameworks that ended long ago: two are enough
		h.recall(ended(f, "1"), false, 10, 2)
		h.recall(ended(f, "2"), false, 10, 2)
	}
	if got, want := remembered(&h), []string{"F/a", "F/b", "Y/1", "Y/2", "Z/1", "Z/2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(h.ended) != 6 || len(h.perFrame) != 3 {
		t.Errorf("%d tasks and %d frameworks are known, want 6 and 3", len(h.ended), len(h.perFrame))
	}
}
