package master

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestPathsThatClientsKnow asks for what clients ask for first, in the ways in which they do.
func TestPathsThatClientsKnow(t *testing.T) {
	address, _ := start(t, Config{Release: "9.9"})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	const version, health = `{"meseta_version":"9.9","version":"1.11.0"}`, `{"type":"GET_HEALTH","get_health":{"healthy":true}}`
	for _, test := range []struct {
		method, path, body string
		code               int
		want               string // the body, or the Location of a redirect
	}{
		{"GET", "/version", "", 200, version},
		{"GET", "/master/version/", "", 200, version},
		{"POST", "/version", "", 200, version},
		{"GET", "/health", "", 200, ""},
		{"POST", "/master/health", "", 200, ""},
		{"GET", "/redirect", "", 307, "//" + address},
		{"GET", "/master/redirect", "", 307, "//" + address},
		{"POST", "/api/v1", `{"type":"GET_HEALTH"}`, 200, health},
		{"POST", "/api/v1/operator", `{"type":"GET_HEALTH"}`, 200, health},
		{"POST", "/master/api/v1/", `{"type":"GET_HEALTH"}`, 200, health},
		{"POST", "//api/v1", `{"type":"GET_HEALTH"}`, 200, health},
		{"POST", "/api/v1/scheduler/", `{}`, 400, "Failed to validate scheduler::Call: Expecting 'type' to be present"},
		{"GET", "/nothing", "", 404, "404 Not Found."},
	} {
		r, err := http.NewRequest(test.method, "http://"+address+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if got := string(text) + answer.Header.Get("Location"); err != nil || answer.StatusCode != test.code || got != test.want {
			t.Errorf("%s %s: %d %q, %v; want %d %q", test.method, test.path, answer.StatusCode, got, err, test.code, test.want)
		}
	}
}
