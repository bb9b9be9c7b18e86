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
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// api is a master that takes every call, and gives every SUBSCRIBE a stream.
type api struct {
	streams chan *Stream
	calls   chan *schedulerpb.Call
	headers chan http.Header
}

func newAPI() *api {
	return &api{make(chan *Stream, 10), make(chan *schedulerpb.Call, 10), make(chan http.Header, 10)}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := new(schedulerpb.Call)
	accept, ok := DecodeCall(w, r, call, DefaultBodyLimit)
	if !ok {
		return
	}
	a.headers <- r.Header
	if call.GetType() != schedulerpb.Call_SUBSCRIBE {
		a.calls <- call
		Accepted(w)
		return
	}
	if s, err := Hold(w, r, HoldOptions{Codec: accept, StreamID: "stream-" + r.Host}); err == nil {
		a.streams <- s
	}
}

func heartbeat(t testing.TB, codec Codec) []byte {
	t.Helper()
	record, err := codec.Marshal(&schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// subscribe subscribes at an api.
func subscribe(t testing.TB, c *Client, a *api) (*EventStream, *Stream) {
	t.Helper()
	events, err := c.Subscribe(t.Context(), subscribeCall())
	if err != nil {
		t.Fatal(err)
	}
	s := <-a.streams
	t.Cleanup(func() {
		events.Close()
		<-s.Done()
	})
	return events, s
}

func TestSubscribeAndCall(t *testing.T) {
	for _, codec := range []Codec{JSON, Protobuf} {
		t.Run(codec.String(), func(t *testing.T) {
			a := newAPI()
			addr := server(t, a.ServeHTTP)
			c := client(t, ClientOptions{Servers: []string{addr}, Codec: codec, Authorization: BasicAuth("me", "secret")})
			events, s := subscribe(t, c, a)
			if events.ID != "stream-"+addr || events.Server != addr {
				t.Errorf("stream %q of %q", events.ID, events.Server)
			}
			header := <-a.headers
			if got := header.Values(StreamIDHeader); got != nil {
				t.Errorf("SUBSCRIBE with stream id %q", got)
			}
			if got := header.Get("Authorization"); got != "Basic bWU6c2VjcmV0" {
				t.Errorf("Authorization %q", got)
			}

			s.Send(heartbeat(t, codec))
			var event schedulerpb.Event
			if err := events.Next(&event); err != nil || event.GetType() != schedulerpb.Event_HEARTBEAT {
				t.Errorf("event %v (%v)", &event, err)
			}

			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(acknowledgeCall(), <-a.calls, protocmp.Transform()); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
			header = <-a.headers
			if got := header.Get(StreamIDHeader); got != events.ID {
				t.Errorf("call with stream id %q, expected %q", got, events.ID)
			}
		})
	}
}

func TestCallsShareOneConnectionInOrder(t *testing.T) {
	var connections sync.Map
	var next atomic.Int64
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		connections.Store(r.RemoteAddr, true)
		next.Add(1)
		Accepted(w)
	})
	c := client(t, ClientOptions{Servers: []string{addr}})
	for i := range 100 {
		if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
			t.Fatal(err)
		}
		if got := next.Load(); got != int64(i)+1 {
			t.Fatalf("call %d returned before it was answered", i)
		}
	}
	n := 0
	connections.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("100 calls took %d connections, expected 1", n)
	}
}

func TestConcurrentCallsAllArrive(t *testing.T) {
	var calls atomic.Int64
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		call := new(schedulerpb.Call)
		if _, ok := DecodeCall(w, r, call, DefaultBodyLimit); ok {
			calls.Add(1)
			Accepted(w)
		}
	})
	c := client(t, ClientOptions{Servers: []string{addr}, Codec: Protobuf})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := calls.Load(); got != 400 {
		t.Errorf("%d calls arrived, expected 400", got)
	}
}

func TestAsk(t *testing.T) {
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, ok := DecodeCall(w, r, schedulerCall(), DefaultBodyLimit); ok {
			Respond(w, acceptedCodec(r.Header["Accept"]), acknowledgeCall())
		}
	})
	for _, codec := range []Codec{JSON, Protobuf} {
		c := client(t, ClientOptions{Servers: []string{addr}, Codec: codec})
		for range 2 {
			got := schedulerCall()
			if err := c.Ask(t.Context(), subscribeCall(), got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(acknowledgeCall(), got, protocmp.Transform()); diff != "" {
				t.Errorf("%v: answer (-want +got):\n%s", codec, diff)
			}
		}
	}
}

func TestUnexpectedStatusIsAnError(t *testing.T) {
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		Answer(w, http.StatusForbidden, "Framework is not subscribed")
	})
	c := client(t, ClientOptions{Servers: []string{addr, addr}})
	subscribe := func() error {
		_, err := c.Subscribe(t.Context(), subscribeCall())
		return err
	}
	for name, err := range map[string]error{
		"Call":      c.Call(t.Context(), acknowledgeCall()),
		"Ask":       c.Ask(t.Context(), acknowledgeCall(), schedulerCall()),
		"Subscribe": subscribe(),
	} {
		got, ok := errors.AsType[*StatusError](err)
		want := &StatusError{Server: addr, Code: 403, Body: "Framework is not subscribed"}
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if got, want := subscribe().Error(), addr+" answered 403 Forbidden: Framework is not subscribed"; got != want {
		t.Errorf("error %q, expected %q", got, want)
	}
}

func TestSubscribeFindsTheLeader(t *testing.T) {
	a := newAPI()
	leader := server(t, a.ServeHTTP)
	down := closedPort(t)
	leaderless := server(t, func(w http.ResponseWriter, r *http.Request) {
		Answer(w, http.StatusServiceUnavailable, "No leader elected")
	})
	redirect := func(location string) string {
		return server(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
	}
	for name, servers := range map[string][]string{
		"host and path": {redirect("//" + leader + "/api/v1/scheduler")},
		"only a host":   {redirect("//" + leader)},
		"full URL":      {redirect("http://" + leader + "/api/v1/scheduler")},
		"several hops":  {redirect("//" + redirect("//"+redirect("//"+leader)))},
		"several":       {down, leaderless, leader},
		"dead end":      {redirect("//" + down), redirect("//" + leaderless), redirect("ftp://x"), redirect(""), leader},
		"a URL":         {"http://" + leader + "/api/v1/scheduler"},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, ClientOptions{Servers: servers})
			events, _ := subscribe(t, c, a)
			if events.Server != leader {
				t.Errorf("subscribed at %s, expected %s", events.Server, leader)
			}
			<-a.headers
			if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
				t.Fatal(err)
			}
			if got := (<-a.headers).Get(StreamIDHeader); got != "stream-"+leader {
				t.Errorf("call with stream id %q", got)
			}
			<-a.calls
		})
	}
}

func closedPort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func TestSubscribeWithoutALeaderSaysWhatEachAnswered(t *testing.T) {
	down := closedPort(t)
	leaderless := server(t, func(w http.ResponseWriter, r *http.Request) {
		Answer(w, http.StatusServiceUnavailable, "No leader elected")
	})
	c := client(t, ClientOptions{Servers: []string{down, leaderless}})
	_, err := c.Subscribe(t.Context(), subscribeCall())
	status, ok := errors.AsType[*StatusError](err)
	if !ok || status.Code != 503 || !strings.Contains(err.Error(), "connect to "+down) {
		t.Errorf("%v, expected both answers", err)
	}
}

func TestRedirectsInCirclesEnd(t *testing.T) {
	var requests atomic.Int64
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		RedirectToLeader(w, r, r.Host)
	})
	c := client(t, ClientOptions{Servers: []string{addr}})
	err := c.Call(t.Context(), acknowledgeCall())
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Code != 307 || status.Location == "" {
		t.Errorf("%v, expected the redirect", err)
	}
	if got := requests.Load(); got != maxRedirects+1 {
		t.Errorf("%d requests, expected %d", got, maxRedirects+1)
	}
}

// A call belongs to its subscription: elsewhere, its stream id means nothing.
func TestCallOfASubscriptionIsNotRedirected(t *testing.T) {
	a := newAPI()
	var deposed atomic.Bool
	other := server(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the call went elsewhere") })
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		if deposed.Load() {
			RedirectToLeader(w, r, other)
			return
		}
		a.ServeHTTP(w, r)
	})
	c := client(t, ClientOptions{Servers: []string{addr, other}})
	subscribe(t, c, a)
	deposed.Store(true)
	err := c.Call(t.Context(), acknowledgeCall())
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Code != 307 || status.Location != "//"+other+"/api/v1/scheduler" {
		t.Errorf("%v, expected the redirect", err)
	}
}

func TestAuthorizationDoesNotLeaveTLS(t *testing.T) {
	plain := server(t, func(w http.ResponseWriter, r *http.Request) { t.Error("redirected from https to http") })
	addr, config := secureServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+plain+"/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c := client(t, ClientOptions{Servers: []string{"https://" + addr}, TLS: config})
	if err := c.Call(t.Context(), acknowledgeCall()); err == nil {
		t.Error("no error")
	}
}

func TestClientUnderTLS(t *testing.T) {
	a := newAPI()
	addr, config := secureServer(t, a.ServeHTTP)
	c := client(t, ClientOptions{Servers: []string{"https://" + addr}, TLS: config})
	events, s := subscribe(t, c, a)
	s.Send(heartbeat(t, JSON))
	var event schedulerpb.Event
	if err := events.Next(&event); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := c.Call(t.Context(), acknowledgeCall()); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * restTime) // long enough to look whether the connection lives
	}
}

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
			time.Sleep(2 * restTime)
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

func TestCallThatCannotBeEncodedIsNotSent(t *testing.T) {
	addr, requests := scripted(t)
	c := client(t, ClientOptions{Servers: []string{addr}})
	incomplete := &schedulerpb.Call{Subscribe: &schedulerpb.Call_Subscribe{}}
	if err := c.Call(t.Context(), incomplete); err == nil || !strings.Contains(err.Error(), "framework_info") {
		t.Errorf("%v, expected the missing field", err)
	}
	if _, err := c.Subscribe(t.Context(), incomplete); err == nil {
		t.Error("subscribed without framework_info")
	}
	if requests.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestLargeCall(t *testing.T) {
	a := newAPI()
	c := client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}})
	for _, size := range []int{0, 9, 10, 99, 100, 5 << 20, 1} {
		call := acknowledgeCall()
		call.Acknowledge.Uuid = make([]byte, size)
		if err := c.Call(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		if got := len((<-a.calls).Acknowledge.Uuid); got != size {
			t.Errorf("%d bytes arrived, expected %d", got, size)
		}
		<-a.headers
	}
	if cap(c.buf) > keepBuffer {
		t.Errorf("the client keeps %d bytes after a large call", cap(c.buf))
	}
}

func TestEventStreamEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end func(*Stream)
		ok  func(error) bool
	}{
		"on purpose":       {func(s *Stream) { s.Finish(nil) }, func(err error) bool { return err == io.EOF }},
		"broken off":       {func(s *Stream) { s.Close(nil) }, func(err error) bool { return errors.Is(err, ErrPeerGone) }},
		"within a record":  {func(s *Stream) { s.raw([]byte("4\r\n10\nx\r\n0\r\n\r\n")) }, func(err error) bool { return errors.Is(err, ErrPeerGone) }},
		"malformed record": {func(s *Stream) { s.raw([]byte("4\r\n-1\nx\r\n")) }, func(err error) bool { return errors.Is(err, ErrMalformedRecord) }},
		"malformed chunk":  {func(s *Stream) { s.raw([]byte("zz\r\n")) }, func(err error) bool { return errors.Is(err, ErrPeerGone) }},
		"large record":     {func(s *Stream) { s.Send(make([]byte, 2<<20)) }, func(err error) bool { return errors.Is(err, ErrRecordTooLarge) }},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI()
			c := client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}, MaxRecord: 1 << 20})
			events, s := subscribe(t, c, a)
			s.Send(heartbeat(t, JSON))
			var event schedulerpb.Event
			if err := events.Next(&event); err != nil {
				t.Fatal(err)
			}
			test.end(s)
			if err := events.Next(&event); !test.ok(err) {
				t.Errorf("ended with %v", err)
			}
			events.Close()
		})
	}
}

func TestUndecodableEventCanBeSkipped(t *testing.T) {
	a := newAPI()
	events, s := subscribe(t, client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}}), a)
	s.Send([]byte("{nonsense"))
	s.Send(heartbeat(t, JSON))
	var event schedulerpb.Event
	if err, ok := errors.AsType[*UndecodableError](events.Next(&event)); !ok || string(err.Record) != "{nonsense" {
		t.Errorf("%v, expected the record", err)
	}
	if err := events.Next(&event); err != nil || event.GetType() != schedulerpb.Event_HEARTBEAT {
		t.Errorf("event %v (%v)", &event, err)
	}
}

func TestEventStreamEndsWithItsContext(t *testing.T) {
	a := newAPI()
	c := client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}})
	cause := errors.New("driver stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	events, err := c.Subscribe(ctx, subscribeCall())
	if err != nil {
		t.Fatal(err)
	}
	s := <-a.streams
	next := make(chan error)
	go func() { next <- events.Next(new(schedulerpb.Event)) }()
	cancel(cause)
	if err := <-next; !errors.Is(err, cause) {
		t.Errorf("%v, expected the cause", err)
	}
	wait(t, "the server's end", s.Done())

	if _, err := c.Subscribe(ctx, subscribeCall()); !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
		t.Errorf("subscribed with an ended context: %v", err)
	}
}

func TestSilenceEndsAnEventStream(t *testing.T) {
	a := newAPI()
	events, s := subscribe(t, client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}}), a)
	events.SetSilence(50 * time.Millisecond)
	s.Heartbeat(heartbeat(t, JSON), 0, 10*time.Millisecond)
	var event schedulerpb.Event
	for range 20 { // four times as long as the silence
		if err := events.Next(&event); err != nil {
			t.Fatal(err)
		}
	}
	events.SetSilence(time.Nanosecond)
	for {
		err := events.Next(&event)
		if err == nil {
			continue // was there already
		}
		if !errors.Is(err, ErrPeerGone) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v, expected ErrPeerGone and how long", err)
		}
		break
	}
}

func TestSubscribeChecksTheAnswer(t *testing.T) {
	for name, head := range map[string]string{
		"another codec":                          "Content-Type: application/x-protobuf\r\n",
		"no codec":                               "",
		"html":                                   "Content-Type: text/html\r\n",
		"a stream id that would not be one line": "Content-Type: application/json\r\nMesos-Stream-Id: a\tb\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := scripted(t, []string{"HTTP/1.1 200 OK\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n"})
			c := client(t, ClientOptions{Servers: []string{addr}})
			if _, err := c.Subscribe(t.Context(), subscribeCall()); err == nil {
				t.Error("subscribed")
			}
		})
	}
}

func TestClientOptionsAreChecked(t *testing.T) {
	for name, opts := range map[string]ClientOptions{
		"no codec":         {Servers: []string{"h:1"}},
		"unknown codec":    {Servers: []string{"h:1"}, Codec: 9},
		"no servers":       {Codec: JSON},
		"no host":          {Servers: []string{":5050"}, Codec: JSON},
		"another scheme":   {Servers: []string{"zk://h:1"}, Codec: JSON},
		"a user":           {Servers: []string{"http://u:p@h:1"}, Codec: JSON},
		"no URL":           {Servers: []string{"h:port"}, Codec: JSON},
		"two words":        {Servers: []string{"http://h/?a b"}, Codec: JSON},
		"two lines":        {Servers: []string{"http://h/?a\r\nb"}, Codec: JSON},
		"two header lines": {Servers: []string{"h:1"}, Codec: JSON, Authorization: "Basic x\r\nEvil: yes"},
	} {
		if _, err := NewClient(opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEndpoints(t *testing.T) {
	for server, want := range map[string]endpoint{
		"h:5050":                {false, "h:5050", "/api/v1/scheduler"},
		"h":                     {false, "h:80", "/api/v1/scheduler"},
		"[::1]:5050":            {false, "[::1]:5050", "/api/v1/scheduler"},
		"http://h:5050/":        {false, "h:5050", "/api/v1/scheduler"},
		"https://h":             {true, "h:443", "/api/v1/scheduler"},
		"http://h:1/slave(1)/x": {false, "h:1", "/slave(1)/x"},
		"http://h:1/a b?c=d":    {false, "h:1", "/a%20b?c=d"},
	} {
		got, err := parseEndpoint(server, "/api/v1/scheduler")
		if err != nil || got != want {
			t.Errorf("%q: %+v (%v), expected %+v", server, got, err, want)
		}
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
