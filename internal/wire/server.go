package wire

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns an HTTP server that is set up for what this package does:
// HTTP/1.1 only, also under TLS, because a stream takes its connection over;
// a request must be complete within a minute; and connections may rest for
// long, because a client that finds its own closed cannot know whether the call
// that it had just sent was taken.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       30 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
