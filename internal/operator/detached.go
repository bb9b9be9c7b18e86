package operator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/wire"
)

// runProblem says what is wrong with a RUN_TASKS; empty if nothing is.
func runProblem(run *operatorpb.Call_RunTasks) string {
	if run == nil {
		return "Expecting 'run_tasks' to be present"
	}
	c := run.Command
	_, err := demandOf(run)
	switch {
	case c.GetValue() == "" && (c.GetShell() || len(c.GetArguments()) == 0):
		return "Expecting 'run_tasks.command.value' to be a command, not empty"
	case c.GetUser() == "":
		return "Expecting 'run_tasks.command.user' to be the name of who is to run it"
	case len(run.GetName()) > maxTaskName || !utf8.ValidString(run.GetName()):
		return fmt.Sprintf("Expecting 'run_tasks.name' to be at most %d bytes of UTF-8", maxTaskName)
	case !utf8.ValidString(run.GetRole()):
		return "Expecting 'run_tasks.role' to be UTF-8"
	case run.Instances != nil && (run.GetInstances() == 0 || run.GetInstances() > detached.MaxTasks):
		return fmt.Sprintf("Expecting 'run_tasks.instances' to be a number from 1 to %d, not %d", detached.MaxTasks, run.GetInstances())
	case run.GetPorts() > demand.MaxPorts:
		return fmt.Sprintf("Expecting 'run_tasks.ports' to be a number from 0 to %d, not %d", demand.MaxPorts, run.GetPorts())
	case err != nil:
		return "'run_tasks': " + err.Error()
	case run.GetMaxCompletionTime().GetNanoseconds() < 0:
		return "Expecting 'run_tasks.max_completion_time' to be no negative duration"
	case run.GetKillPolicy().GetGracePeriod().GetNanoseconds() < 0:
		return "Expecting 'run_tasks.kill_policy.grace_period' to be no negative duration"
	}
	if err := roleOf(run).Validate(); err != nil {
		return "'run_tasks.role': " + err.Error()
	}
	if size := len(specOf(run)); size > detached.MaxSpec {
		return fmt.Sprintf("Expecting 'run_tasks' to be described in %d bytes at most, not %d", detached.MaxSpec, size)
	}
	return ""
}

func roleOf(run *operatorpb.Call_RunTasks) ids.Role {
	return ids.Role(cmp.Or(run.GetRole(), string(ids.AnyRole)))
}

func demandOf(run *operatorpb.Call_RunTasks) (demand.Demand, error) {
	return demand.Of(run.GetCpus(), run.GetMem(), run.GetDisk(), run.GetGpus(), int(min(run.GetPorts(), demand.MaxPorts)))
}

// specOf is what the tasks of a call have in common, but for their resources: a mesos.v1.TaskInfo.
func specOf(run *operatorpb.Call_RunTasks) []byte {
	return clusterpb.Encode(&mesos.TaskInfo{Name: new(nameOf(run)), Command: run.Command,
		MaxCompletionTime: run.MaxCompletionTime, KillPolicy: run.KillPolicy})
}

// maxTaskName is the longest name of a task, in bytes: the cluster's core takes no longer ones.
const maxTaskName = 1024

// nameOf is the name of the tasks: what they are called, or the first word of their command.
func nameOf(run *operatorpb.Call_RunTasks) string {
	if run.GetName() != "" {
		return run.GetName()
	}
	word := "task"
	if words := strings.Fields(run.Command.GetValue()); len(words) > 0 {
		word = words[0]
	}
	return strings.ToValidUTF8(word[:min(len(word), maxTaskName)], "")
}

// runTasks answers RUN_TASKS.
func (m *Master) runTasks(w http.ResponseWriter, r *http.Request, accept wire.Codec, run *operatorpb.Call_RunTasks) {
	needs, err := demandOf(run)
	if err != nil {
		wire.Answer(w, http.StatusBadRequest, err.Error())
		return
	}
	answer, err := m.Run(r, detached.Run{Name: nameOf(run), Role: roleOf(run), Demand: needs, Spec: specOf(run),
		Instances: int(max(1, run.GetInstances()))})
	switch {
	case err != nil:
		m.Refuse(w, err)
		return
	case answer.Verdict != detached.Done:
		wire.Answer(w, http.StatusConflict, answer.Text)
		return
	}
	response := &operatorpb.Response_RunTasks{FrameworkId: &mesos.FrameworkID{Value: new(string(answer.Framework))}}
	for _, id := range answer.Tasks {
		response.TaskIds = append(response.TaskIds, &mesos.TaskID{Value: new(string(id))})
	}
	wire.Respond(w, accept, &operatorpb.Response{Type: operatorpb.Response_RUN_TASKS.Enum(), RunTasks: response})
}
