package line_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
	"github.com/meseta/meseta/internal/sdk/line"
	"github.com/meseta/meseta/internal/sdk/outcome"
	"github.com/meseta/meseta/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type server = fakeserver.Server[schedulerpb.Call, *schedulerpb.Call]

// log is everything that a line reports.
type log struct {
	received chan schedulerpb.Event_Type
	nonsense chan error
	answered chan answer
	closed   chan end
	gone     chan struct{}
}

type answer struct {
	call *schedulerpb.Call
	what outcome.Outcome
	err  error
}

type end struct {
	refused bool
	err     error
}

// open opens a line to a server. The end of the test closes it.
func open(t *testing.T, s *server) (*line.Line[schedulerpb.Event, *schedulerpb.Event], *log) {
	l := &log{
		received: make(chan schedulerpb.Event_Type, 100),
		nonsense: make(chan error, 100),
		answered: make(chan answer, 100),
		closed:   make(chan end, 1),
		gone:     make(chan struct{}),
	}
	opts := wire.ClientOptions{Servers: []string{s.Address()}, Path: "/api/v1/scheduler", Codec: wire.Protobuf}
	var wg sync.WaitGroup
	ln := line.Open[schedulerpb.Event](opts, call(schedulerpb.Call_SUBSCRIBE), line.Reports[schedulerpb.Event]{
		Received:    func(ev *schedulerpb.Event, size int) { l.received <- ev.GetType() },
		Undecodable: func(err error) { l.nonsense <- err },
		Answered: func(c proto.Message, what outcome.Outcome, err error) {
			l.answered <- answer{c.(*schedulerpb.Call), what, err}
		},
		Closed: func(refused bool, err error) { l.closed <- end{refused, err} },
		Gone:   func() { close(l.gone) },
		Repeatable: func(c proto.Message) bool {
			return c.(*schedulerpb.Call).GetType() == schedulerpb.Call_ACKNOWLEDGE
		},
	}, wg.Go)
	t.Cleanup(func() {
		ln.Close(errors.New("end of the test"))
		wg.Wait()
	})
	return ln, l
}

func call(typ schedulerpb.Call_Type) *schedulerpb.Call { return &schedulerpb.Call{Type: typ.Enum()} }

func TestOutcomesOfCalls(t *testing.T) {
	for code, want := range map[int]outcome.Outcome{
		202: outcome.Accepted,
		200: outcome.Accepted,
		400: outcome.Refused,
		401: outcome.Refused,
		413: outcome.Refused,
		501: outcome.Refused,
		503: outcome.Busy,
		429: outcome.Busy,
		// The server takes the client for disconnected, or is not the one to talk to, or broken.
		403: outcome.Unanswered,
		307: outcome.Unanswered,
		500: outcome.Unanswered,
		502: outcome.Unanswered,
		0:   outcome.Unanswered, // the connection breaks
	} {
		s := &server{Answer: func(*schedulerpb.Call) (int, string) { return code, "why" }}
		s.Start(t)
		ln, l := open(t, s)
		s.Subscription(t)
		ln.Send(call(schedulerpb.Call_REVIVE))
		if got := fakeserver.Wait(t, l.answered, "answer"); got.what != want || (got.err == nil) != (want == outcome.Accepted) {
			t.Errorf("%d: %v, %v; want %v", code, got.what, got.err, want)
		}
	}
}

func TestCallThatCannotBeEncodedIsInvalid(t *testing.T) {
	s := new(server)
	s.Start(t)
	ln, l := open(t, s)
	s.Subscription(t)
	bad := call(schedulerpb.Call_KILL)
	bad.Kill = &schedulerpb.Call_Kill{TaskId: &mesos.TaskID{}}
	ln.Send(bad)
	if got := fakeserver.Wait(t, l.answered, "answer"); got.what != outcome.Invalid {
		t.Errorf("%v, %v; want %v", got.what, got.err, outcome.Invalid)
	}
}

func TestRefusedSubscriptions(t *testing.T) {
	for code, want := range map[int]bool{
		400: true, 401: true, 403: true, 405: true, 415: true, 501: true,
		404: false, 408: false, 429: false, 500: false, 503: false,
	} {
		s := &server{Subscribing: func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}}
		s.Start(t)
		_, l := open(t, s)
		if got := fakeserver.Wait(t, l.closed, "end"); got.refused != want {
			t.Errorf("%d: refused %v, want %v (%v)", code, got.refused, want, got.err)
		}
		fakeserver.Wait(t, l.gone, "farewell")
	}
}

// Calls behind one that takes long are not sent when the line is closed meanwhile, and all are reported.
func TestCloseKeepsCallsFromBeingSent(t *testing.T) {
	release := make(chan struct{})
	s := &server{Answer: func(*schedulerpb.Call) (int, string) { <-release; return 202, "" }}
	s.Start(t)
	ln, l := open(t, s)
	s.Subscription(t)
	for range 3 {
		ln.Send(call(schedulerpb.Call_REVIVE))
	}
	s.Call(t)
	ln.Close(errors.New("enough"))
	if got := fakeserver.Wait(t, l.answered, "answer"); got.what != outcome.Unanswered {
		t.Errorf("the call in flight is %v, want %v", got.what, outcome.Unanswered)
	}
	for range 2 {
		if got := fakeserver.Wait(t, l.answered, "answer"); got.what != outcome.Unsent {
			t.Errorf("a call that waits is %v, want %v", got.what, outcome.Unsent)
		}
	}
	close(release)
	if got := fakeserver.Wait(t, l.closed, "end"); got.err == nil || got.err.Error() != "enough" {
		t.Errorf("closed because of %v", got.err)
	}
	fakeserver.Wait(t, l.gone, "farewell")
	if n := s.Calls(); n != 0 {
		t.Errorf("%d more calls were sent", n)
	}
}

// A server that ends the stream because of a call can still answer that call.
func TestEndOfTheStreamLeavesTheCallInFlight(t *testing.T) {
	ended := make(chan struct{})
	s := &server{Answer: func(*schedulerpb.Call) (int, string) { <-ended; return 202, "" }}
	s.Start(t)
	ln, l := open(t, s)
	sub := s.Subscription(t)
	ln.Send(call(schedulerpb.Call_TEARDOWN))
	s.Call(t)
	ln.Send(call(schedulerpb.Call_REVIVE))
	sub.End()
	if got := fakeserver.Wait(t, l.closed, "end"); got.refused {
		t.Errorf("refused because of %v", got.err)
	}
	close(ended)
	if got := fakeserver.Wait(t, l.answered, "answer"); got.what != outcome.Accepted {
		t.Errorf("the call in flight is %v, want %v", got.what, outcome.Accepted)
	}
	if got := fakeserver.Wait(t, l.answered, "answer"); got.what != outcome.Unsent {
		t.Errorf("the call behind it is %v, want %v", got.what, outcome.Unsent)
	}
	fakeserver.Wait(t, l.gone, "farewell")
}

func TestCallsKeepTheirOrder(t *testing.T) {
	s := new(server)
	s.Start(t)
	ln, _ := open(t, s)
	s.Subscription(t)
	for i := range 100 {
		c := call(schedulerpb.Call_SUPPRESS)
		c.Suppress = &schedulerpb.Call_Suppress{Roles: []string{string(rune('a' + i%26))}}
		ln.Send(c)
	}
	for i := range 100 {
		if got := s.Call(t).Message.GetSuppress().GetRoles()[0]; got != string(rune('a'+i%26)) {
			t.Fatalf("call %d is %q", i, got)
		}
	}
}

// When a connection fails, every call on it that was sent together with others is unanswered. Calls that must not
// be made twice are not in such company.
func TestOnlyRepeatableCallsAreSentTogether(t *testing.T) {
	release := make(chan struct{})
	n := 0
	s := &server{Answer: func(*schedulerpb.Call) (int, string) {
		switch n++; n {
		case 1:
			<-release
		case 2:
			return 0, ""
		}
		return 202, ""
	}}
	s.Start(t)
	ln, l := open(t, s)
	s.Subscription(t)
	ln.Send(call(schedulerpb.Call_ACKNOWLEDGE))
	s.Call(t)
	for range 2 {
		ln.Send(call(schedulerpb.Call_ACKNOWLEDGE))
	}
	ln.Send(call(schedulerpb.Call_REVIVE))
	close(release)
	for i, want := range []outcome.Outcome{outcome.Accepted, outcome.Unanswered, outcome.Unanswered, outcome.Accepted} {
		if got := fakeserver.Wait(t, l.answered, "answer"); got.what != want {
			t.Errorf("call %d, %v, is %v, want %v", i, got.call.GetType(), got.what, want)
		}
	}
}

func TestEventsAndNonsense(t *testing.T) {
	s := new(server)
	s.Start(t)
	_, l := open(t, s)
	sub := s.Subscription(t)
	sub.SendRaw([]byte("\xff"))
	sub.Send(&schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()})
	fakeserver.Wait(t, l.nonsense, "report of nonsense")
	if got := fakeserver.Wait(t, l.received, "event"); got != schedulerpb.Event_HEARTBEAT {
		t.Errorf("event %v", got)
	}
	sub.Cut()
	if got := fakeserver.Wait(t, l.closed, "end"); got.err == nil {
		t.Error("a broken connection without an error")
	}
}
