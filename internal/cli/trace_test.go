package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// lockedBuffer may be read while somebody writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTraceShowsCallsAndAnswersWithoutSecrets(t *testing.T) {
	master := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "key=hidden")
		call := new(masterpb.Call)
		if accept, ok := wire.DecodeCall(w, r, call, 1000); ok {
			wire.Respond(w, accept, &masterpb.Response{Type: masterpb.Response_GET_HEALTH.Enum(),
				GetHealth: &masterpb.Response_GetHealth{Healthy: new(true)}})
		}
	}))
	defer master.Close()
	var out lockedBuffer
	c := NewClient(strings.TrimPrefix(master.URL, "http://"))
	c.Trace(NewTracer(&out))
	defer c.HTTP.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodGet, master.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Basic c2VjcmV0")
	answer, err := c.HTTP.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if _, err := c.Call(t.Context(), masterpb.Call_GET_HEALTH); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"* connected to " + c.Master + "\n", "> Authorization: (not shown)\n", "< Set-Cookie: (not shown)\n",
		"> POST /api/v1 HTTP/1.1\n", "> {\"type\":\"GET_HEALTH\"}\n", "< HTTP/1.1 200 OK\n",
		"< {\"type\":\"GET_HEALTH\",\"get_health\":{\"healthy\":true}}\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the trace does not have %q:\n%s", want, out.String())
		}
	}
	for _, secret := range []string{"c2VjcmV0", "hidden"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the trace has %s", secret)
		}
	}
}
