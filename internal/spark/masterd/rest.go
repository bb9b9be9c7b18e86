package masterd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/ui"
)

// serverVersion is the Spark whose submission server this is.
const serverVersion = "4.0.0"

// Spark's own status for a version of the protocol that it does not know.
const statusUnknownProtocol = 468

// submissions is Spark's REST submission server.
func (d *daemon) submissions(self endpoint.Address) http.Handler {
	r := rest{d: d, self: self}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/submissions/create", r.create)
	mux.HandleFunc("POST /v1/submissions/kill/{id}", r.kill)
	mux.HandleFunc("POST /v1/submissions/killall", r.killAll)
	mux.HandleFunc("POST /v1/submissions/clear", r.clear)
	mux.HandleFunc("GET /v1/submissions/status/{id}", r.status)
	mux.HandleFunc("GET /v1/submissions/readyz", r.readyz)
	mux.HandleFunc("/", r.unknown)
	return http.NewCrossOriginProtection().Handler(mux)
}

type rest struct {
	d    *daemon
	self endpoint.Address
}

// maxSubmission is the longest request that is read.
const maxSubmission = 4 << 20

func (r rest) create(w http.ResponseWriter, req *http.Request) {
	var s submission
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxSubmission)).Decode(&s); err != nil {
		r.fail(w, http.StatusBadRequest, "Malformed request: "+err.Error())
		return
	}
	if s.Action != "CreateSubmissionRequest" {
		r.fail(w, http.StatusBadRequest, fmt.Sprintf("Malformed request: the action is %q, expected CreateSubmissionRequest", s.Action))
		return
	}
	driver, err := s.driver(r.self)
	if err != nil {
		r.fail(w, http.StatusBadRequest, "Malformed request: "+err.Error())
		return
	}
	if answer, ok := ask[deploy.SubmitDriverResponse](r, w, req, deploy.RequestSubmitDriver{Driver: driver}, s.builds()); ok {
		fields := ui.Object{"success": answer.Success, "message": answer.Message}
		if answer.DriverID != nil {
			fields["submissionId"] = *answer.DriverID
		}
		r.answer(w, http.StatusOK, "CreateSubmissionResponse", fields)
	}
}

func (r rest) kill(w http.ResponseWriter, req *http.Request) {
	id := req.PathValue("id")
	if answer, ok := ask[deploy.KillDriverResponse](r, w, req, deploy.RequestKillDriver{DriverID: id}, nil); ok {
		r.answer(w, http.StatusOK, "KillSubmissionResponse", ui.Object{"success": answer.Success, "message": answer.Message, "submissionId": id})
	}
}

func (r rest) killAll(w http.ResponseWriter, req *http.Request) {
	if answer, ok := ask[deploy.KillAllDriversResponse](r, w, req, deploy.RequestKillAllDrivers{}, nil); ok {
		r.answer(w, http.StatusOK, "KillAllSubmissionResponse", ui.Object{"success": answer.Success, "message": answer.Message})
	}
}

func (r rest) clear(w http.ResponseWriter, req *http.Request) {
	if answer, ok := ask[bool](r, w, req, deploy.RequestClearCompletedDriversAndApps{}, nil); ok {
		r.answer(w, http.StatusOK, "ClearResponse", ui.Object{"success": answer, "message": ""})
	}
}

func (r rest) status(w http.ResponseWriter, req *http.Request) {
	id := req.PathValue("id")
	answer, ok := ask[deploy.DriverStatusResponse](r, w, req, deploy.RequestDriverStatus{DriverID: id}, nil)
	if !ok {
		return
	}
	fields := ui.Object{"success": answer.Found, "submissionId": id}
	if answer.State != nil {
		fields["driverState"] = answer.State.String()
	}
	if answer.WorkerID != nil {
		fields["workerId"], fields["workerHostPort"] = *answer.WorkerID, *answer.WorkerHostPort
	}
	if answer.Exception != nil {
		fields["message"] = "Exception from the cluster:\n" + answer.Exception.Error()
	}
	r.answer(w, http.StatusOK, "SubmissionStatusResponse", fields)
}

func (r rest) readyz(w http.ResponseWriter, req *http.Request) {
	ready, ok := ask[bool](r, w, req, deploy.RequestReadyz{}, nil)
	switch {
	case !ok:
	case ready:
		r.answer(w, http.StatusOK, "ReadyzResponse", ui.Object{"success": true, "message": ""})
	default:
		r.fail(w, http.StatusServiceUnavailable, "Master is not ready.")
	}
}

// unknown says what is wrong with a path.
func (r rest) unknown(w http.ResponseWriter, req *http.Request) {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	status, wrong := http.StatusBadRequest, "Missing an action: please specify one of /create, /kill, /killall, /clear, /status, or /readyz."
	switch {
	case parts[0] == "":
		wrong = "Missing protocol version."
	case parts[0] != "v1":
		status, wrong = statusUnknownProtocol, fmt.Sprintf("Unknown protocol version '%s'.", parts[0])
	case len(parts) == 1 || parts[1] != "submissions":
		wrong = "Missing the /submissions prefix."
	case len(parts) > 2 && (parts[2] == "kill" || parts[2] == "status") && len(parts) == 3:
		wrong = "Submission ID is missing in " + parts[2] + " request."
	}
	r.fail(w, status, wrong+" Please submit requests through http://[host]:[port]/v1/submissions/...")
}

// ask asks the Master; it is not ok if there is no answer, which has been told then.
func ask[T any](r rest, w http.ResponseWriter, req *http.Request, m deploy.Message, builds []*deploy.Build) (answer T, ok bool) {
	v, err := r.d.ask(req.Context(), m, builds)
	if err != nil {
		r.fail(w, http.StatusInternalServerError, err.Error())
		return answer, false
	}
	return v.(T), true
}

func (r rest) fail(w http.ResponseWriter, status int, message string) {
	fields := ui.Object{"message": message}
	if status == statusUnknownProtocol {
		fields["highestProtocolVersion"] = "v1"
	}
	r.answer(w, status, "ErrorResponse", fields)
}

func (r rest) answer(w http.ResponseWriter, status int, action string, fields ui.Object) {
	fields["action"], fields["serverSparkVersion"] = action, serverVersion
	ui.JSON(w, status, fields)
}
