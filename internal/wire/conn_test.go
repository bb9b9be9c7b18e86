package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scripted is a server that answers the n-th request of its n-th connection
// with bytes, and then closes. It counts the requests.
func scripted(t testing.TB, connections ...[]string) (addr string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int64)
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, answers := range connections {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			for _, answer := range answers {
				r, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				io.Copy(io.Discard, r.Body)
				requests.Add(1)
				io.WriteString(conn, answer)
			}
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String(), requests
}

const accepted = "HTTP/1.1 202 Accepted\r\nDate: Fri, 20 Nov 2026 09:18:14 GMT\r\nContent-Length: 0\r\n\r\n"

func TestCallUnderstandsEveryWayToSayAccepted(t *testing.T) {
	for _, answer := range []string{
		accepted,
		"HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\ncontent-length:0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + accepted,
		"HTTP/1.1 202 Accepted\r\nX-Long: " + strings.Repeat("x", 8<<10) + "\r\nContent-Length: 0\r\n\r\n",
	} {
		addr, _ := scripted(t, []string{answer, accepted})
		c := client(t, ClientOptions{Servers: []string{addr}})
		for i := range 2 {
			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Errorf("%q: call %d: %v", answer, i, err)
			}
		}
	}
}

// rested makes the client look whether its connection is alive.
func rested(c *Client) {
	if c.line != nil {
		c.line.rested = time.Time{}
	}
}

func TestServerThatClosesAfterAnAnswerGetsANewConnection(t *testing.T) {
	for _, answer := range []string{
		accepted, // closed without a word: seen when the connection has rested
		"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 202 Accepted\r\n\r\n", // the end of the connection is the end of the body
		"HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n",
	} {
		addr, requests := scripted(t, []string{answer}, []string{answer})
		c := client(t, ClientOptions{Servers: []string{addr}})
		for i := range 2 {
			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Errorf("%q: call %d: %v", answer, i, err)
			}
			for begin := time.Now(); c.line != nil && !hungUp(c.line.Conn); runtime.Gosched() {
				if time.Since(begin) > patience {
					t.Fatalf("%q: the server has not hung up", answer)
				}
			}
			rested(c)
		}
		if got := requests.Load(); got != 2 {
			t.Errorf("%q: %d requests, expected 2", answer, got)
		}
	}
}

// Repeating a call whose answer was lost could launch its tasks twice.
func TestCallIsNeverRepeated(t *testing.T) {
	for name, answer := range map[string]string{
		"no answer":   "",
		"half a line": "HTTP/1.1 20",
		"half a body": "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nok",
		"half a head": "HTTP/1.1 202 Accepted\r\nContent-Le",
		"nonsense":    "220 smtp ready\r\n\r\n",
		"endless 100": strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			addr, requests := scripted(t, []string{accepted, answer}, []string{accepted})
			c := client(t, ClientOptions{Servers: []string{addr, addr}})
			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Fatal(err)
			}
			if err := c.Call(t.Context(), acknowledgeCall()); !errors.Is(err, ErrNoAnswer) {
				t.Errorf("%v, expected ErrNoAnswer", err)
			}
			if got := requests.Load(); got != 2 {
				t.Errorf("%d requests for two calls", got)
			}
			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Errorf("next call: %v", err)
			}
		})
	}
}

func TestEndlessAnswerIsBounded(t *testing.T) {
	for name, begin := range map[string]string{
		"head":       "HTTP/1.1 202 Accepted\r\n",
		"error text": "HTTP/1.1 500 No\r\n\r\n",
		"answer":     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr := server(t, func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, begin)
				line := "x: " + strings.Repeat("x", 4<<10) + "\r\n"
				for err == nil {
					_, err = io.WriteString(conn, line)
				}
			})
			c := client(t, ClientOptions{Servers: []string{addr}, MaxRecord: 1 << 20})
			if err := c.Ask(t.Context(), acknowledgeCall(), schedulerCall()); err == nil || len(err.Error()) > 2*maxErrorText {
				t.Errorf("error of %d bytes", len(fmt.Sprint(err)))
			}
		})
	}
}

// silent is a server that takes requests and never answers.
func silent(t testing.TB) (addr string, arrived <-chan struct{}) {
	requests := make(chan struct{}, 10)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		requests <- struct{}{}
		<-r.Context().Done()
	}), requests
}

func TestCallEndsWithItsContext(t *testing.T) {
	addr, arrived := silent(t)
	c := client(t, ClientOptions{Servers: []string{addr}})
	cause := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-arrived
		cancel(cause)
	}()
	err := c.Call(ctx, acknowledgeCall())
	if !errors.Is(err, ErrNoAnswer) || !errors.Is(err, cause) {
		t.Errorf("%v, expected ErrNoAnswer and the cause", err)
	}
	// One that waits for its turn was never sent.
	if err := c.Call(ctx, acknowledgeCall()); errors.Is(err, ErrNoAnswer) || !errors.Is(err, cause) {
		t.Errorf("%v, expected the cause only", err)
	}
}

func TestCallEndsAfterItsTimeout(t *testing.T) {
	addr, _ := silent(t)
	c := client(t, ClientOptions{Servers: []string{addr}, CallTimeout: 10 * time.Millisecond})
	if err := c.Call(t.Context(), acknowledgeCall()); !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("%v, expected ErrNoAnswer and a timeout", err)
	}
	if _, err := c.Subscribe(t.Context(), subscribeCall()); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("Subscribe: %v, expected ErrNoAnswer", err)
	}
}

func TestCloseEndsACall(t *testing.T) {
	addr, arrived := silent(t)
	c := client(t, ClientOptions{Servers: []string{addr}})
	go func() {
		<-arrived
		c.Close()
	}()
	if err := c.Call(t.Context(), acknowledgeCall()); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("%v, expected ErrNoAnswer", err)
	}
	if err := c.Call(t.Context(), acknowledgeCall()); !errors.Is(err, ErrClosed) {
		t.Errorf("call of a closed client: %v, expected ErrClosed", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(accepted))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nX: y\r\n Content-Length: 0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		n := plainAccepted(answer)
		if n == 0 {
			return
		}
		// What the shortcut takes for an empty 202 is one to net/http as well.
		resp, rest := readResponse(answer)
		if resp == nil || resp.StatusCode != 202 || resp.Close || resp.ContentLength != 0 || rest != len(answer)-n {
			t.Errorf("%q: shortcut takes %d bytes, net/http sees %+v and leaves %d", answer, n, resp, rest)
		}
	})
}

// readResponse is net/http's opinion, and how many bytes it leaves.
func readResponse(answer []byte) (*http.Response, int) {
	in := bufio.NewReaderSize(bytes.NewReader(answer), len(answer)+16)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, 0
	}
	io.Copy(io.Discard, resp.Body)
	return resp, in.Buffered()
}
