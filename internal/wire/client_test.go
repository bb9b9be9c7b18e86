package wire

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
		rested(c)
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

func TestClientOptionsAreChecked(t *testing.T) {
	for name, opts := range map[string]ClientOptions{
		"no codec":         {Servers: []string{"h:1"}},
		"unknown codec":    {Servers: []string{"h:1"}, Codec: 9},
		"no servers":       {Codec: JSON},
		"no host":          {Servers: []string{":5050"}, Codec: JSON},
		"another scheme":   {Servers: []string{"zk://h:1"}, Codec: JSON},
		"a user":           {Servers: []string{"http://u:p@h:1"}, Codec: JSON},
		"no URL":           {Servers: []string{"h:port"}, Codec: JSON},
		"two words":        {Servers: []string{"http://h/x?a b"}, Codec: JSON},
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
