package framework

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// self is the binary that runs, even if its file has been replaced or removed since.
const self = "/proc/self/exe"

// binaryServer serves a file for agents to fetch.
type binaryServer struct {
	uri      string
	listener net.Listener
	server   *http.Server
}

// listen makes a server for the file. Nothing is answered before run.
func listen(ctx context.Context, addr, file string, log *slog.Logger) (*binaryServer, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve the executors: %w", err)
	}
	if at := listener.Addr().(*net.TCPAddr); !at.IP.IsLoopback() {
		log.Warn("this program can be downloaded from other machines", "address", at)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+executorFile, func(w http.ResponseWriter, r *http.Request) {
		serveFile(w, r, file, log)
	})
	return &binaryServer{
		uri:      "http://" + listener.Addr().String() + "/" + executorFile,
		listener: listener,
		server:   &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second},
	}, nil
}

func serveFile(w http.ResponseWriter, r *http.Request, name string, log *slog.Logger) {
	file, err := os.Open(name)
	if err != nil {
		log.Error("cannot serve the executors", "error", err)
		http.Error(w, "the binary cannot be read", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, executorFile, time.Time{}, file)
}

// run answers until close. An error of the listener shows in the tasks that fail to fetch.
func (s *binaryServer) run() { _ = s.server.Serve(s.listener) }

func (s *binaryServer) close() { _ = s.server.Close() }
