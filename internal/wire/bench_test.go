//go:build unix

package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// BenchmarkCall posts acknowledgements, one after the other: how, and to what.
// cpu-ns/op is the CPU of both ends together.
//
//   - bare: a server that only writes the answer; what remains is the client
//   - empty: net/http with a handler that only says 202
//   - decoding: the same, with the call decoded
func BenchmarkCall(b *testing.B) {
	servers := []struct {
		name  string
		start func(testing.TB) string
	}{
		{"bare", bareServer},
		{"empty", func(t testing.TB) string {
			return server(t, func(w http.ResponseWriter, r *http.Request) { Accepted(w) })
		}},
		{"decoding", func(t testing.TB) string {
			return server(t, decoding(DefaultBodyLimit, schedulerCall))
		}},
	}
	for _, codec := range []Codec{JSON, Protobuf} {
		for _, s := range servers {
			b.Run(fmt.Sprintf("%v/Client/%s", codec, s.name), func(b *testing.B) { benchClient(b, codec, s.start(b)) })
			b.Run(fmt.Sprintf("%v/nethttp/%s", codec, s.name), func(b *testing.B) { benchNetHTTP(b, codec, s.start(b)) })
		}
	}
}

func benchClient(b *testing.B, codec Codec, addr string) {
	c := client(b, ClientOptions{Servers: []string{addr}, Codec: codec})
	// As if subscribed.
	c.settle(target{endpoint: c.servers[0], head: c.head(c.servers[0], "39bb7504-83f4-4eaf-a1d6-e548c09fb2f3"), streamed: true})
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
		req.Header.Set(StreamIDHeader, "39bb7504-83f4-4eaf-a1d6-e548c09fb2f3")
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	reportCPU(b, start)
}

// bareServer answers whatever it reads with 202.
func bareServer(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for buf := make([]byte, 4096); err == nil; {
			if _, err = conn.Read(buf); err == nil {
				_, err = io.WriteString(conn, accepted)
			}
		}
	}()
	return l.Addr().String()
}

// BenchmarkRecords moves status updates of a usual size from a stream, or a
// link, to its reader. One operation is one record.
func BenchmarkRecords(b *testing.B) {
	record := bytes.Repeat([]byte("x"), 467)
	b.Run("Stream", func(b *testing.B) {
		a := newAPI()
		c := client(b, ClientOptions{Servers: []string{server(b, a.ServeHTTP)}})
		events, s := subscribe(b, c, a)
		benchRecords(b, s, record, events.Receive)
	})
	b.Run("Link", func(b *testing.B) {
		master, agent := linked(b, LinkOptions{})
		benchRecords(b, master, record, agent.Receive)
	})
}

func benchRecords(b *testing.B, s interface {
	Send([]byte) error
	Queued() int
}, record []byte, receive func() ([]byte, error)) {
	b.ReportAllocs()
	b.SetBytes(int64(len(record)))
	start := cpuTime()
	done := make(chan error)
	go func() {
		for range b.N {
			if _, err := receive(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range b.N {
		for s.Queued() > DefaultMaxQueued/2 {
			time.Sleep(time.Millisecond)
		}
		if err := s.Send(record); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	reportCPU(b, start)
}

// BenchmarkRoundTrip is one record there and one back.
func BenchmarkRoundTrip(b *testing.B) {
	master, agent := linked(b, LinkOptions{})
	record := bytes.Repeat([]byte("x"), 467)
	go func() {
		for {
			record, err := agent.Receive()
			if err != nil || agent.Send(record) != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		master.Send(record)
		if _, err := master.Receive(); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, start)
}

// BenchmarkIdleStream is the memory of a held stream.
func BenchmarkIdleStream(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(idleStreamSize(b, 500)), "B/stream")
}

// BenchmarkDecodeCall is the decoding alone.
func BenchmarkDecodeCall(b *testing.B) {
	for _, codec := range []Codec{JSON, Protobuf} {
		b.Run(codec.String(), func(b *testing.B) {
			body, _ := codec.Marshal(acknowledgeCall())
			reader := bytes.NewReader(body)
			r, _ := http.NewRequest("POST", "/", io.NopCloser(reader))
			r.Header = http.Header{"Content-Type": {codec.ContentType()}, "Accept": {codec.ContentType()}}
			r.ContentLength = int64(len(body))
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				var call schedulerpb.Call
				if _, ok := DecodeCall(nil, r, &call, DefaultBodyLimit); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
