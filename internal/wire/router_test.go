package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestRouterFindsTheLongestPath(t *testing.T) {
	router := NewRouter("slave(1)")
	for _, path := range []string{"/api/v1", "/api/v1/executor", "/health", "/slave"} {
		router.Handle(path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Method+" "+path) })
	}
	for _, test := range []struct{ method, path, want string }{
		{"POST", "/api/v1", "POST /api/v1"},
		{"POST", "/api/v1/", "POST /api/v1"},
		{"POST", "/api/v1/operator", "POST /api/v1"},
		{"POST", "/api/v1/operator/of/mine", "POST /api/v1"},
		{"POST", "/api/v1/executor", "POST /api/v1/executor"},
		{"POST", "/api/v1/executor/", "POST /api/v1/executor"},
		{"POST", "/api/v1/executors", "POST /api/v1"},
		{"POST", "/slave(1)/api/v1/executor", "POST /api/v1/executor"},
		{"POST", "//api//v1/executor", "POST /api/v1/executor"},
		{"POST", "/nothing/../api/v1", "POST /api/v1"},
		{"GET", "/health", "GET /health"},
		{"POST", "/health", "POST /health"},
		{"GET", "/slave(1)/health/", "GET /health"},
		{"GET", "/slave/health", "GET /slave"},
		{"GET", "/healthy", "404 Not Found."},
		{"GET", "/slave(1)", "404 Not Found."},
		{"GET", "/slave(1)/slave(1)/health", "404 Not Found."},
		{"GET", "/", "404 Not Found."},
		{"GET", "", "404 Not Found."},
		{"OPTIONS", "*", "404 Not Found."},
		{"GET", "/..", "404 Not Found."},
	} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, &http.Request{Method: test.method, URL: &url.URL{Path: test.path}})
		if got := w.Body.String(); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.method, test.path, got, test.want)
		}
		if want := map[bool]int{true: 404, false: 200}[test.want == "404 Not Found."]; w.Code != want {
			t.Errorf("%s %q: %d, want %d", test.method, test.path, w.Code, want)
		}
	}
}
