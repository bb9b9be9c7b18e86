package operator

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"

	"github.com/meseta/meseta/internal/wire"
)

// ServeVersion answers /version. Clients parse version as dotted integers, so it is the level of Mesos' API
// and our own stands beside it.
func (m *Master) ServeVersion(w http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(struct {
		Release string `json:"meseta_version"`
		Version string `json:"version"`
	}{m.Release, MesosVersion})
	if err != nil {
		wire.Answer(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", wire.JSON.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// ServeRedirect answers /redirect with where the leader is, also on the leader itself: client libraries ask
// any master and follow.
func (m *Master) ServeRedirect(w http.ResponseWriter, _ *http.Request) {
	leader := net.JoinHostPort(m.Info.GetHostname(), strconv.Itoa(int(m.Info.GetPort())))
	w.Header()["Location"] = []string{"//" + leader}
	w.WriteHeader(http.StatusTemporaryRedirect)
}
