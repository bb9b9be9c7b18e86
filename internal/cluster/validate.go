package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// frameworkProblem says what is wrong with a framework's description, in Mesos' words; empty if nothing is.
func frameworkProblem(f *FrameworkInfo) string {
	multi := f.Capabilities.Has(mesos.FrameworkInfo_Capability_MULTI_ROLE)
	switch {
	case len(f.Roles) > maxRoles:
		return fmt.Sprintf("'FrameworkInfo.roles' has %d items, at most %d are taken", len(f.Roles), maxRoles)
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
	return descriptionProblem(f)
}

// subscribeProblem says what is wrong with a SUBSCRIBE; empty if nothing is.
func subscribeProblem(in *Subscribe) string {
	problem := cmp.Or(frameworkProblem(&in.Framework), in.Problem, tooMany("SUBSCRIBE", "suppressed roles", len(in.Suppressed), maxRoles))
	if problem != "" {
		return problem
	}
	mine := in.Framework.EffectiveRoles()
	var others []string
	for _, r := range in.Suppressed {
		if !slices.Contains(mine, r) {
			others = append(others, string(r))
		}
	}
	if len(others) > 0 {
		return "Suppressed roles { " + strings.Join(others, ", ") + " } are not contained in the set of roles"
	}
	return ""
}

// descriptionProblem says what of a framework's description cannot be kept; empty if all of it can.
func descriptionProblem(f *FrameworkInfo) string {
	for _, text := range []struct{ field, value string }{
		{"FrameworkInfo.name", f.Name}, {"FrameworkInfo.user", f.User}, {"FrameworkInfo.principal", f.Principal},
	} {
		if problem := nameProblem(text.field, text.value); problem != "" {
			return problem
		}
	}
	if len(f.Raw) > maxFrameworkInfo {
		return fmt.Sprintf("'FrameworkInfo' has %d bytes, at most %d are taken", len(f.Raw), maxFrameworkInfo)
	}
	return ""
}

// nameProblem says why a text cannot be somebody's name; empty if it can.
func nameProblem(field, text string) string {
	switch {
	case len(text) > maxName:
		return fmt.Sprintf("'%s' has %d bytes, at most %d are taken", field, len(text), maxName)
	case !utf8.ValidString(text):
		return fmt.Sprintf("'%s' is not UTF-8", field)
	}
	return ""
}

// agentProblem says why an agent cannot be let in; empty if it can.
func agentProblem(in *AgentSubscribe) string {
	if in.ID != "" {
		if problem := idProblem(string(in.ID)); problem != "" {
			return "agent id: " + problem
		}
	}
	if problem := nameProblem("AgentInfo.hostname", in.Info.Hostname); problem != "" {
		return problem
	}
	if len(in.Info.Raw) > maxAgentInfo {
		return fmt.Sprintf("'AgentInfo' has %d bytes, at most %d are taken", len(in.Info.Raw), maxAgentInfo)
	}
	for i := range in.Frameworks {
		f := &in.Frameworks[i]
		if problem := cmp.Or(idProblem(string(f.ID)), frameworkProblem(f)); problem != "" {
			return fmt.Sprintf("framework %.60q: %s", f.ID, problem)
		}
	}
	for i := range in.Executors {
		if problem := idProblem(string(in.Executors[i].Info.ID)); problem != "" {
			return fmt.Sprintf("executor %.60q: %s", in.Executors[i].Info.ID, problem)
		}
	}
	for i := range in.Tasks {
		if problem := idProblem(string(in.Tasks[i].Info.ID)); problem != "" {
			return fmt.Sprintf("task %.60q: %s", in.Tasks[i].Info.ID, problem)
		}
	}
	return ""
}

// callProblem says why a call is not looked at any further: it asks for too much at once, or names what
// could not be passed on to an agent; empty if there is no reason.
func callProblem(call Call) string {
	switch call := call.(type) {
	case Accept:
		return cmp.Or(tooMany("ACCEPT", "tasks", len(call.Tasks), maxTasks), tooMany("ACCEPT", "offers", len(call.Offers), maxNamed))
	case Decline:
		return tooMany("DECLINE", "offers", len(call.Offers), maxNamed)
	case Revive:
		return tooMany("REVIVE", "roles", len(call.Roles), maxRoles)
	case Suppress:
		return tooMany("SUPPRESS", "roles", len(call.Roles), maxRoles)
	case Reconcile:
		return tooMany("RECONCILE", "tasks", len(call.Tasks), maxNamed)
	case Kill:
		if problem := nameProblem("task_id", string(call.Task)); problem != "" || len(call.Policy) <= maxName {
			return problem
		}
		return fmt.Sprintf("'kill_policy' has %d bytes, at most %d are taken", len(call.Policy), maxName)
	case Acknowledge:
		return nameProblem("task_id", string(call.Task))
	case Shutdown:
		return nameProblem("executor_id", string(call.Executor))
	case Message:
		if problem := nameProblem("executor_id", string(call.Executor)); problem != "" || len(call.Data) <= maxMessage {
			return problem
		}
		return fmt.Sprintf("'message.data' has %d bytes, at most %d are taken", len(call.Data), maxMessage)
	}
	return ""
}

func tooMany(call, what string, n, most int) string {
	if n <= most {
		return ""
	}
	return fmt.Sprintf("%s names %d %s, at most %d are taken in one call", call, n, what, most)
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

// idProblem says why an id cannot be used, in Mesos' words; empty if it can.
func idProblem(id string) string {
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '/' || r == '\\' }
	switch {
	case id == "":
		return "ID must not be empty"
	case len(id) > maxID:
		return fmt.Sprintf("ID must not be greater than %d characters", maxID)
	case !utf8.ValidString(id):
		return fmt.Sprintf("'%s' is not UTF-8", strings.ToValidUTF8(id, "\uFFFD"))
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
	if problem := cmp.Or(t.Problem, nameProblem("TaskInfo.name", t.Name)); problem != "" {
		return problem
	}
	if size := len(t.Raw) + len(t.executorRaw()); size > maxTaskInfo {
		return fmt.Sprintf("Task and executor are described in %d bytes, at most %d are taken", size, maxTaskInfo)
	}
	if t.Resources.IsEmpty() {
		return "Task uses no resources"
	}
	if problem := togetherProblem("Task", t.Resources); problem != "" {
		return problem
	}
	if t.Executor == nil {
		return l.roomProblem(t.Resources, Resources{})
	}
	extra, problem := l.executor(t)
	return cmp.Or(problem, l.roomProblem(t.Resources, extra))
}

// togetherProblem says what of some resources cannot be used together; empty if all can.
func togetherProblem(who string, need Resources) string {
	if gpus := need.Scalar(resources.GPUs); gpus%resources.One != 0 {
		return fmt.Sprintf("%s uses %s of 'gpus', expected a whole number", who, gpus)
	}
	if allPlain(need) {
		return ""
	}
	revocable, volumes := make(map[string]bool), make(map[string]bool)
	for r := range need.All() {
		if before, other := revocable[r.Name()]; other && before != r.Revocable() {
			return fmt.Sprintf("%s uses both revocable and non-revocable '%s'", who, r.Name())
		}
		revocable[r.Name()] = r.Revocable()
		id, persistent := r.Persistent()
		role, _ := r.ReservedTo()
		if key := string(role) + "\x00" + id; persistent && volumes[key] {
			return fmt.Sprintf("%s uses the persistent volume '%s' of role '%s' twice", who, id, role)
		} else if persistent {
			volumes[key] = true
		}
	}
	return ""
}

// allPlain spares nearly every task the maps.
func allPlain(l Resources) bool {
	for r := range l.All() {
		if !r.Plain() {
			return false
		}
	}
	return true
}

// roomProblem says why what a task needs, and its executor beside it, cannot be taken from the rest of the
// offers; empty if it can.
func (l *launch) roomProblem(task, executor Resources) string {
	total := task.Add(executor)
	if problem := togetherProblem("Task with its executor", total); problem != "" {
		return problem
	}
	if !l.rest.Contains(total) {
		return fmt.Sprintf("Total resources %s required by task and its executor is more than available %s", total, l.rest)
	}
	if !l.rest.Sub(task).Contains(executor) {
		return fmt.Sprintf("Task and its executor overlap: the task uses %s, its executor %s", task, executor)
	}
	return ""
}

// executor says what the task's executor needs beside the task: nothing if it is there already.
func (l *launch) executor(t *TaskInfo) (need Resources, problem string) {
	e := t.Executor
	if problem := idProblem(string(e.ID)); problem != "" {
		return need, "Executor ID is invalid: " + problem
	}
	if problem := nameProblem("ExecutorInfo.name", e.Name); problem != "" {
		return need, problem
	}
	if e.Framework != "" && e.Framework != l.f.Info.ID {
		return need, fmt.Sprintf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)", e.Framework, l.f.Info.ID)
	}
	for r := range e.Resources.All() {
		if r.Shared() {
			return need, fmt.Sprintf("Executor uses the shared resource %s, which only tasks can", r)
		}
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
