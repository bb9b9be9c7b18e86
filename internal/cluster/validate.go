package cluster

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// frameworkProblem says what is wrong with a framework's description, in Mesos' words; empty if nothing is.
func frameworkProblem(f *FrameworkInfo) string {
	multi := f.Capabilities.Has(mesos.FrameworkInfo_Capability_MULTI_ROLE)
	switch {
	case multi && f.RoleSet:
		return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"
	case !multi && len(f.Roles) > 0:
		return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"
	}
	if multi {
		if twice := duplicates(f.Roles); len(twice) > 0 {
			return "'FrameworkInfo.roles' contains duplicate items: { " + strings.Join(twice, ", ") + " }"
		}
		for _, r := range f.Roles {
			if err := r.Validate(); err != nil {
				return "'FrameworkInfo.roles' contains invalid role: " + err.Error()
			}
		}
	} else if err := f.Role.Validate(); f.RoleSet && err != nil {
		return "'FrameworkInfo.role' is not a valid role: " + err.Error()
	}
	if f.ID != "" {
		if problem := idProblem(string(f.ID)); problem != "" {
			return problem
		}
	}
	return ""
}

func duplicates(roles []ids.Role) (twice []string) {
	seen := make(map[ids.Role]int, len(roles))
	for _, r := range roles {
		if seen[r]++; seen[r] == 2 {
			twice = append(twice, string(r))
		}
	}
	return twice
}

// maxID is the longest id that is taken: ids become names of directories.
const maxID = 255

// idProblem says why an id cannot be used, in Mesos' words; empty if it can.
func idProblem(id string) string {
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '/' || r == '\\' }
	switch {
	case id == "":
		return "ID must not be empty"
	case len(id) > maxID:
		return fmt.Sprintf("ID must not be greater than %d characters", maxID)
	case id == "." || id == "..":
		return fmt.Sprintf("'%s' is disallowed", id)
	case strings.ContainsFunc(id, bad):
		return fmt.Sprintf("'%s' contains invalid characters", id)
	}
	return ""
}

// problem says what is wrong with a task, in Mesos' words; empty if nothing is.
func (l *launch) problem(t *TaskInfo) string {
	if problem := idProblem(string(t.ID)); problem != "" {
		return problem
	}
	if l.c.tasks.Get(TaskKey{l.f.Info.ID, t.ID}) != nil {
		return fmt.Sprintf("Task has duplicate ID: %s", t.ID)
	}
	if t.Agent != l.agent.ID {
		return fmt.Sprintf("Task uses invalid agent %s while agent %s is expected", t.Agent, l.agent.ID)
	}
	if (t.Executor != nil) == t.HasCommand {
		return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"
	}
	if t.Problem != "" {
		return t.Problem
	}
	if t.Resources.IsEmpty() {
		return "Task uses no resources"
	}
	need := t.Resources
	if t.Executor != nil {
		extra, problem := l.executor(t)
		if problem != "" {
			return problem
		}
		need = need.Add(extra)
	}
	if !l.rest.Contains(need) {
		return fmt.Sprintf("Total resources %s required by task and its executor is more than available %s", need, l.rest)
	}
	return ""
}

// executor says what the task's executor needs beside the task: nothing if it is there already.
func (l *launch) executor(t *TaskInfo) (need Resources, problem string) {
	e := t.Executor
	if problem := idProblem(string(e.ID)); problem != "" {
		return need, "Executor ID is invalid: " + problem
	}
	if e.Framework != "" && e.Framework != l.f.Info.ID {
		return need, fmt.Sprintf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)", e.Framework, l.f.Info.ID)
	}
	have := l.c.executors.Get(executorKey{l.agent.ID, l.f.Info.ID, e.ID})
	if have == nil {
		return e.Resources, ""
	}
	if string(have.Info.Raw) != string(e.Raw) || !have.Info.Resources.Equal(e.Resources) {
		return need, fmt.Sprintf("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '%s'", e.ID)
	}
	return need, ""
}
