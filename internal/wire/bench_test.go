package wire

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// BenchmarkCall posts acknowledgements: with what, to what.
func BenchmarkCall(b *testing.B) {
	empty := func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) }
	decode := func(w http.ResponseWriter, r *http.Request) {
		var call schedulerpb.Call
		if _, ok := DecodeCall(w, r, &call, DefaultBodyLimit); ok {
			Accepted(w)
		}
	}
	for _, codec := range []Codec{JSON, Protobuf} {
		b.Run(codec.String()+"/Client/raw", func(b *testing.B) { benchClient(b, codec, rawServer(b)) })
		b.Run(codec.String()+"/Client/empty", func(b *testing.B) { benchClient(b, codec, server(b, empty)) })
		b.Run(codec.String()+"/Client/DecodeCall", func(b *testing.B) { benchClient(b, codec, server(b, decode)) })
		b.Run(codec.String()+"/nethttp/raw", func(b *testing.B) { benchNetHTTP(b, codec, rawServer(b)) })
		b.Run(codec.String()+"/nethttp/empty", func(b *testing.B) { benchNetHTTP(b, codec, server(b, empty)) })
		b.Run(codec.String()+"/nethttp/DecodeCall", func(b *testing.B) { benchNetHTTP(b, codec, server(b, decode)) })
	}
}

func benchClient(b *testing.B, codec Codec, addr string) {
	c := client(b, ClientOptions{Servers: []string{addr}, Codec: codec})
	call := acknowledgeCall()
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		if err := c.Call(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, start)
}

func benchNetHTTP(b *testing.B, codec Codec, addr string) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	call := acknowledgeCall()
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		body, err := codec.Marshal(call)
		if err != nil {
			b.Fatal(err)
		}
		req, err := http.NewRequestWithContext(b.Context(), "POST", "http://"+addr+"/api/v1/scheduler", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", codec.ContentType())
		req.Header.Set("Accept", codec.ContentType())
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	reportCPU(b, start)
}

// rawServer answers each write with 202: the floor under every client.
func rawServer(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 4096)
				answer := []byte("HTTP/1.1 202 Accepted\r\nDate: Fri, 20 Nov 2026 09:18:14 GMT\r\nContent-Length: 0\r\n\r\n")
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

var _ = proto.Equal
