package site

import (
	"net/http"
	"net/http/httptest"
	"time"
)

// Client gives a client to whom a handler is the whole web: for tests, which then open no port and may run on
// virtual time. A request takes as long as the handler does, or as the timeout allows.
func Client(web http.Handler, timeout time.Duration) *http.Client {
	return &http.Client{Transport: inProcess{web}, Timeout: timeout}
}

type inProcess struct{ web http.Handler }

// RoundTrip implements http.RoundTripper. The handler has to heed the request's context.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	t.web.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}
