package wire

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

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
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		line := &conn{Conn: here}
		line.br = bufio.NewReader(meter{line})
		events := &EventStream{ctx: t.Context(), line: line, records: NewRecordReader(line.br, 100)}
		events.SetSilence(75 * time.Second)
		go func() {
			for range 10 {
				time.Sleep(74 * time.Second)
				there.Write(AppendRecord(nil, []byte("beat")))
			}
		}()
		for range 10 {
			if _, err := events.Receive(); err != nil {
				t.Fatal(err)
			}
		}
		last := time.Now()
		_, err := events.Receive()
		if !errors.Is(err, ErrPeerGone) || !strings.Contains(err.Error(), "1m15s") || time.Since(last) != 75*time.Second {
			t.Errorf("%v after %v, expected ErrPeerGone after 75s", err, time.Since(last))
		}
	})
}

func TestCloseEndsAnEventStream(t *testing.T) {
	a := newAPI()
	events, s := subscribe(t, client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}}), a)
	next := make(chan error)
	go func() { next <- events.Next(new(schedulerpb.Event)) }()
	events.Close()
	if err := <-next; !errors.Is(err, ErrClosed) {
		t.Errorf("%v, expected ErrClosed", err)
	}
	wait(t, "the server's end", s.Done())
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
