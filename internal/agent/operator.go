package agent

import (
	"net/http"

	agentpb "github.com/meseta/meseta/api/mesos/v1/agent"
	"github.com/meseta/meseta/internal/wire"
)

// serveOperator is the operator API: POST /api/v1. Most of it is not built yet.
func (a *agent) serveOperator(w http.ResponseWriter, r *http.Request) {
	call := new(agentpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, a.config.MaxCallBytes)
	if !ok {
		return
	}
	switch call.GetType() {
	case agentpb.Call_UNKNOWN:
		wire.Answer(w, http.StatusBadRequest, "Failed to validate agent::Call: Expecting 'type' to be present")
	case agentpb.Call_GET_HEALTH:
		wire.Respond(w, accept, &agentpb.Response{Type: agentpb.Response_GET_HEALTH.Enum(),
			GetHealth: &agentpb.Response_GetHealth{Healthy: new(a.trouble(r.Context()) == "")}})
	case agentpb.Call_GET_CONTAINERS:
		containers, err := a.getContainers(r.Context())
		if err != nil {
			wire.Answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		wire.Respond(w, accept, containers)
	default:
		wire.Answerf(w, http.StatusNotImplemented, "Call type %s is not implemented on this agent yet", call.GetType())
	}
}

// serveHealth answers 200, or says why no work is accepted.
func (a *agent) serveHealth(w http.ResponseWriter, r *http.Request) {
	if why := a.trouble(r.Context()); why != "" {
		wire.Answer(w, http.StatusServiceUnavailable, why)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// serveVersion tells the level of Mesos' API, in the form that version parsers expect, and our own version.
func (a *agent) serveVersion(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, map[string]string{"version": "1.11.0", "meseta_version": a.config.Release})
}
