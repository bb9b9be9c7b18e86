package wire

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/proto"
)

// StreamIDHeader carries the id of a scheduler's event stream: in the answer
// to SUBSCRIBE, and in every call that belongs to that subscription.
const StreamIDHeader = "Mesos-Stream-Id"

var textType = []string{"text/plain; charset=utf-8"}

// Answer answers with a sentence in plain text. That is the form of every
// error on Mesos' v1 API.
func Answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h["Content-Type"] = textType
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// Answerf is Answer with a format.
func Answerf(w http.ResponseWriter, status int, format string, args ...any) {
	Answer(w, status, fmt.Sprintf(format, args...))
}

// Accepted answers a call that was taken: 202 with an empty body.
func Accepted(w http.ResponseWriter) {
	w.WriteHeader(http.StatusAccepted)
}

// NotAcceptable answers a request whose Accept header allows no codec. Mesos
// looks at that header only where there is something to encode: calls that are
// answered with 202 may carry any.
func NotAcceptable(w http.ResponseWriter) {
	Answer(w, http.StatusNotAcceptable,
		"Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'")
}

// MethodNotAllowed answers a request whose method is not the one that is
// expected.
func MethodNotAllowed(w http.ResponseWriter, r *http.Request, expected string) {
	w.Header()["Allow"] = []string{expected}
	Answerf(w, http.StatusMethodNotAllowed,
		"405 Method Not Allowed. Expecting one of { '%s' }, but received '%s'.", expected, r.Method)
}

// RedirectToLeader answers with the same path on the leader ("host:port").
func RedirectToLeader(w http.ResponseWriter, r *http.Request, leader string) {
	w.Header()["Location"] = []string{"//" + leader + r.URL.RequestURI()}
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// Respond answers with a message.
func Respond(w http.ResponseWriter, accept Codec, message proto.Message) {
	if accept == 0 {
		NotAcceptable(w)
		return
	}
	body, err := accept.Marshal(message)
	if err != nil {
		Answerf(w, http.StatusInternalServerError, "Failed to encode %s: %v", messageName(message), err)
		return
	}
	h := w.Header()
	h["Content-Type"] = []string{accept.ContentType()}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.Write(body)
}
