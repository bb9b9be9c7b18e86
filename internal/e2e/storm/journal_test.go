package storm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// entry is one line of the framework's journal: a launch that is about to be asked for, or a status.
type entry struct {
	Launch *plan   `json:",omitempty"`
	Status *status `json:",omitempty"`
}

// plan is what a task is to do.
type plan struct {
	Task     string
	Executor string // empty for a command
	Millis   int    // how long it runs
	Exit     int    // of a command its exit status; an executor's task fails unless it is 0
}

// status is what the framework was told of a task.
type status struct {
	Task, State, Reason, Message, UUID string
}

// journal is what the framework knows, on disk: a line is written with one call, so that SIGKILL leaves whole
// ones.
type journal struct{ file *os.File }

func journalPath(dir string) string { return filepath.Join(dir, "framework.journal") }

func openJournal(dir string) (journal, error) {
	f, err := os.OpenFile(journalPath(dir), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	return journal{f}, err
}

func (j journal) add(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

func readJournal(dir string) (all []entry, err error) {
	text, err := os.ReadFile(journalPath(dir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		all = append(all, e)
	}
	return all, err
}

// trace is the file in which a task says that it began, and that it came to its end.
func trace(dir, task string) string { return filepath.Join(dir, "traces", task) }
