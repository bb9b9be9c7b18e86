package operator

import (
	"net/http"

	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/wire"
)

// ServeOwnCall answers one call of POST /meseta/v1, our own operator API.
func (m *Master) ServeOwnCall(w http.ResponseWriter, r *http.Request) {
	call := new(operatorpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, m.MaxBytes)
	if !ok {
		return
	}
	if problem := ownProblem(call); problem != "" {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate meseta::Call: "+problem)
		return
	}
	if accept == 0 {
		wire.NotAcceptable(w)
		return
	}
	switch call.GetType() {
	case operatorpb.Call_KILL_TASK:
		m.killTask(w, r, accept, call.KillTask)
	case operatorpb.Call_RUN_TASKS:
		m.runTasks(w, r, accept, call.RunTasks)
	default:
		wire.Answerf(w, http.StatusNotImplemented, "%s is not implemented", call.GetType())
	}
}

// ownProblem says what is wrong with a call that can be seen without knowing the cluster; empty if nothing is.
func ownProblem(call *operatorpb.Call) string {
	switch call.GetType() {
	case operatorpb.Call_UNKNOWN:
		return "Expecting 'type' to be present"
	case operatorpb.Call_KILL_TASK:
		switch kill := call.KillTask; {
		case kill == nil:
			return "Expecting 'kill_task' to be present"
		case kill.GetTaskId().GetValue() == "":
			return "Expecting 'kill_task.task_id.value' to be the id of a task, not empty"
		case kill.GetKillPolicy().GetGracePeriod().GetNanoseconds() < 0:
			return "Expecting 'kill_task.kill_policy.grace_period' to be no negative duration"
		}
	case operatorpb.Call_RUN_TASKS:
		return runProblem(call.RunTasks)
	}
	return ""
}

// killTask answers KILL_TASK.
func (m *Master) killTask(w http.ResponseWriter, r *http.Request, accept wire.Codec, call *operatorpb.Call_KillTask) {
	order := cluster.OrderKill{Task: ids.TaskID(call.GetTaskId().GetValue()),
		Framework: ids.FrameworkID(call.GetFrameworkId().GetValue())}
	if call.KillPolicy != nil {
		order.Policy = clusterpb.Encode(call.KillPolicy)
	}
	answer, ok := m.order(w, r, order)
	if !ok {
		return
	}
	t := answer.Task
	kill := &operatorpb.Response_KillTask{FrameworkId: &mesos.FrameworkID{Value: new(string(t.Key.Framework))}, State: t.State.Enum()}
	if t.Info.Agent != "" {
		kill.AgentId = &mesos.AgentID{Value: new(string(t.Info.Agent))}
	}
	wire.Respond(w, accept, &operatorpb.Response{Type: operatorpb.Response_KILL_TASK.Enum(), KillTask: kill})
}

// order puts what an operator asks for to the core. If that says no, or cannot be asked, it has answered and
// ok is false.
func (m *Master) order(w http.ResponseWriter, r *http.Request, o cluster.Order) (_ cluster.Answer, ok bool) {
	answer, err := m.Order(r, o)
	switch {
	case err != nil:
		m.Refuse(w, err)
		return answer, false
	case answer.Code != cluster.Accepted:
		wire.Answer(w, int(answer.Code), answer.Text)
		return answer, false
	}
	return answer, true
}

// ServeTeardown answers POST /teardown, which has the framework's id in a form.
func (m *Master) ServeTeardown(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		wire.MethodNotAllowed(w, r, http.MethodPost)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		wire.Answerf(w, http.StatusBadRequest, "Unable to decode query string: %v", err)
		return
	}
	if !r.PostForm.Has("frameworkId") {
		wire.Answer(w, http.StatusBadRequest, "Missing 'frameworkId' query parameter")
		return
	}
	if _, ok := m.order(w, r, cluster.OrderTeardown{Framework: ids.FrameworkID(r.PostForm.Get("frameworkId"))}); ok {
		w.WriteHeader(http.StatusOK)
	}
}

// maxForm is the longest form that is read.
const maxForm = 64 << 10
