package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// errBodiesTogether means that there is no room for a body beside those that are being read.
var errBodiesTogether = errors.New("the calls that are being read are too large together")

// intake counts the bytes of bodies until their handlers return. Each of a thousand clients may send the largest
// body that there is, but not all of them at once.
type intake struct {
	handler http.Handler
	most    int64
	taken   atomic.Int64
}

// ServeHTTP implements http.Handler.
func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		in.handler.ServeHTTP(w, r)
		return
	}
	body := &countedBody{ReadCloser: r.Body, in: in}
	r.Body = body
	defer func() { in.taken.Add(-body.read) }()
	in.handler.ServeHTTP(w, r)
}

// countedBody is a body of which every byte is counted.
type countedBody struct {
	io.ReadCloser
	in   *intake
	read int64
}

// Read implements io.Reader.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if b.in.taken.Add(int64(n)) > b.in.most {
		return n, errBodiesTogether
	}
	return n, err
}

// visitors counts the connections of a server, but for those that were taken over.
type visitors struct {
	most int

	mu  sync.Mutex
	all map[net.Conn]struct{} // guarded by mu
}

const tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 46\r\n\r\nTry again: there are too many connections here"

// changed follows a connection's life. One too many is answered and closed before anything is read of it.
func (v *visitors) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateActive || state == http.StateIdle {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(v.all) < v.most {
			if v.all == nil {
				v.all = make(map[net.Conn]struct{})
			}
			v.all[conn] = struct{}{}
			return
		}
		conn.SetDeadline(time.Now().Add(time.Millisecond)) // what does not fit into an empty buffer is not worth waiting
		io.WriteString(conn, tooManyConnections)
		conn.Close()
	case http.StateHijacked, http.StateClosed:
		delete(v.all, conn)
	}
}
