package wire

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// FuzzHostileServer lets a client subscribe and call at a server that answers with any bytes. Both come to an
// end, and what is read as an event was one.
func FuzzHostileServer(f *testing.F) {
	const stream = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: s\r\n\r\n"
	f.Add([]byte(accepted))
	f.Add([]byte(stream + "17\r\n20\n{\"type\":\"HEARTBEAT\"}\r\n0\r\n\r\n"))
	f.Add([]byte(stream + "ffffffffffffffff\r\n"))
	f.Add([]byte(stream + "5\r\n99999\r\n5\r\n99999\r\n"))
	f.Add([]byte("HTTP/1.1 307 Temporary Redirect\r\nLocation: //127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\nno"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nbusy"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if strings.Contains(strings.ToLower(string(answer)), "location:") && !strings.Contains(string(answer), "127.0.0.1") {
			return // it would be followed
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			serveBytes(listener, answer)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, err := NewClient(ClientOptions{Servers: []string{listener.Addr().String()}, Path: "/api/v1/scheduler", Codec: JSON, MaxRecord: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if events, err := c.Subscribe(ctx, subscribeCall()); err == nil {
			event := new(schedulerpb.Event)
			for events.Next(event) == nil && len(answer) > 0 {
			}
			events.Close()
		}
		c.Call(ctx, acknowledgeCall())
		c.Close()
		cancel()
		listener.Close()
		<-served
	})
}

// serveBytes answers every request on every connection with the same bytes and hangs up.
func serveBytes(listener net.Listener, answer []byte) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.(*net.TCPConn).SetLinger(0)
		conn.SetDeadline(time.Now().Add(time.Second))
		if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			r.Body.Close()
			conn.Write(answer)
			conn.(*net.TCPConn).CloseWrite()
			conn.Read(make([]byte, 1)) // until the client has read it all and hangs up
		}
		conn.Close()
	}
}
