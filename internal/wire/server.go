package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What a server takes from strangers. A request beyond maxRequestHead is answered 431 by net/http, and one
// that is not here in time loses its connection.
const (
	maxRequestHead = 64 << 10         // bytes of a request's line and headers
	headTime       = 10 * time.Second // for these to come in
	requestTime    = time.Minute      // for the whole request
	idleTime       = 30 * time.Minute // between two requests on a connection

	// MaxConnections are the connections that a server has at a time, beside those that are held as
	// streams and links. Further ones are told to try again.
	MaxConnections = 20_000

	// MaxBodiesTogether are the bytes of all bodies that a server is reading, or deciding about, at a time. Calls that
	// would go beyond are told to try again.
	MaxBodiesTogether = 256 << 20
)

// NewServer returns an HTTP server that is set up for what this package does:
// HTTP/1.1 only, also under TLS, because a stream takes its connection over;
// a request must be complete within a minute; and connections may rest for
// long, because a client that finds its own closed cannot know whether the call
// that it had just sent was taken.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	visitors := &visitors{most: MaxConnections}
	return &http.Server{
		Handler:           &intake{handler: handler, most: MaxBodiesTogether},
		Protocols:         protocols,
		ReadHeaderTimeout: headTime,
		ReadTimeout:       requestTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxRequestHead,
		ConnState:         visitors.changed,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Listen listens on a TCP port of an address, a free one if port is negative, and warns when others
// than this machine can reach it.
func Listen(ip string, port int, log *slog.Logger) (net.Listener, error) {
	network := "tcp"
	if strings.Contains(ip, ".") {
		network = "tcp4" // Go would take 0.0.0.0 for all addresses of IPv6 too
	}
	l, err := net.Listen(network, net.JoinHostPort(ip, strconv.Itoa(max(port, 0))))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s:%d is in use: does it run already? Another port can be chosen with --port", ip, port)
	}
	if err != nil {
		return nil, err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn("listening beyond this machine without authentication: whoever reaches this address can run commands",
			"address", l.Addr())
	}
	return l, nil
}
