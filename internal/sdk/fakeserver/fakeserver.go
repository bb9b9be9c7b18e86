// Package fakeserver is a master or an agent as far as one driver can tell: it takes subscriptions, sends
// the events that a test gives it, and keeps the calls that it gets. It is built on net/http alone and
// shares nothing with the transport that it tests but the encodings.
package fakeserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/wire"
)

// patience is how long a test waits for what should happen at once.
const patience = 10 * time.Second

// Server takes calls of type C. Its zero value is ready to be started.
type Server[C any, P interface {
	*C
	proto.Message
}] struct {
	// Answer answers a call other than SUBSCRIBE. Nil means 202. A code of 0 cuts the connection instead.
	Answer func(call *C) (code int, text string)

	// Subscribing may answer a SUBSCRIBE by itself, and says whether it did. It may be nil.
	Subscribing func(w http.ResponseWriter, r *http.Request) bool

	ids           atomic.Uint64 // of streams
	http          *httptest.Server
	subscriptions chan *Subscription[C]
	calls         chan Call[C]
}

// Call is a call as it came in.
type Call[C any] struct {
	Message *C
	Header  http.Header
}

// Subscription is one SUBSCRIBE and the stream that answers it.
type Subscription[C any] struct {
	Call[C]
	ID string // the Mesos-Stream-Id that it was given

	codec   wire.Codec
	records chan []byte   // to be written; closing it ends the stream in order
	cut     chan struct{} // closed to break the connection
	gone    chan struct{} // closed when the client has left
	once    sync.Once
}

// Start starts the server and returns its address. The end of the test ends it.
func (s *Server[C, P]) Start(t testing.TB) (address string) {
	t.Cleanup(s.Open())
	return s.Address()
}

// Open starts the server where there is no test to end it.
func (s *Server[C, P]) Open() (stop func()) {
	s.subscriptions = make(chan *Subscription[C], 1000)
	s.calls = make(chan Call[C], 100_000)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return func() {
		s.http.CloseClientConnections()
		s.http.Close()
	}
}

// Address is where the server listens.
func (s *Server[C, P]) Address() string { return s.http.Listener.Addr().String() }

// Incoming are the subscriptions and the calls that have come in and that nobody has waited for yet.
func (s *Server[C, P]) Incoming() (<-chan *Subscription[C], <-chan Call[C]) {
	return s.subscriptions, s.calls
}

// Subscription waits for the next subscription.
func (s *Server[C, P]) Subscription(t testing.TB) *Subscription[C] {
	t.Helper()
	return Wait(t, s.subscriptions, "subscription")
}

// Call waits for the next call.
func (s *Server[C, P]) Call(t testing.TB) Call[C] {
	t.Helper()
	return Wait(t, s.calls, "call")
}

// Calls are the calls that have come in and that nobody has waited for yet.
func (s *Server[C, P]) Calls() int { return len(s.calls) }

// Wait waits for something to come, but not for ever.
func Wait[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

func (s *Server[C, P]) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	codec := wire.Protobuf
	if r.Header.Get("Content-Type") == wire.JSON.ContentType() {
		codec = wire.JSON
	}
	call := P(new(C))
	if err := codec.Unmarshal(body, call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if typeOf(call) == "SUBSCRIBE" {
		if s.Subscribing == nil || !s.Subscribing(w, r) {
			s.stream(w, r, codec, call)
		}
		return
	}
	s.calls <- Call[C]{Message: (*C)(call), Header: r.Header.Clone()}
	code, text := http.StatusAccepted, ""
	if s.Answer != nil {
		code, text = s.Answer((*C)(call))
	}
	if code == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(code)
	io.WriteString(w, text)
}

// typeOf is the name of a call's type.
func typeOf(call proto.Message) string {
	m := call.ProtoReflect()
	field := m.Descriptor().Fields().ByName("type")
	return string(field.Enum().Values().ByNumber(m.Get(field).Enum()).Name())
}

// stream answers a SUBSCRIBE for as long as the test likes.
func (s *Server[C, P]) stream(w http.ResponseWriter, r *http.Request, codec wire.Codec, call P) {
	sub := &Subscription[C]{
		Call:    Call[C]{Message: (*C)(call), Header: r.Header.Clone()},
		ID:      "stream-" + strconv.FormatUint(s.ids.Add(1), 10),
		codec:   codec,
		records: make(chan []byte, 10_000),
		cut:     make(chan struct{}),
		gone:    make(chan struct{}),
	}
	defer close(sub.gone)
	w.Header().Set("Content-Type", codec.ContentType())
	w.Header().Set("Mesos-Stream-Id", sub.ID)
	flusher := http.NewResponseController(w)
	flusher.Flush()
	s.subscriptions <- sub
	for {
		select {
		case record, more := <-sub.records:
			if !more {
				return
			}
			w.Write(record)
			flusher.Flush()
		case <-sub.cut:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

// Send sends events.
func (s *Subscription[C]) Send(events ...proto.Message) {
	for _, ev := range events {
		data, err := s.codec.Marshal(ev)
		if err != nil {
			panic(err)
		}
		s.SendRaw(data)
	}
}

// SendRaw sends a record that need not be an event.
func (s *Subscription[C]) SendRaw(data []byte) {
	s.records <- append([]byte(strconv.Itoa(len(data))+"\n"), data...)
}

// End ends the stream as a server does on purpose.
func (s *Subscription[C]) End() { s.once.Do(func() { close(s.records) }) }

// Cut breaks the connection off.
func (s *Subscription[C]) Cut() { s.once.Do(func() { close(s.cut) }) }

// Left waits until the client has left.
func (s *Subscription[C]) Left(t testing.TB) {
	t.Helper()
	select {
	case <-s.gone:
	case <-time.After(patience):
		t.Fatal("the client has not left")
	}
}

// Open says whether the client is there still.
func (s *Subscription[C]) Open() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

// RedirectTo makes a Subscribing that sends everybody to a leader, as a master does that is not the one.
func RedirectTo(leader string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Location", "//"+strings.TrimPrefix(leader, "http://")+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
}
