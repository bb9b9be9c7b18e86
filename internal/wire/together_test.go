package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// numbered are calls that can be told apart.
func numbered(n int) (calls []proto.Message) {
	for i := range n {
		call := acknowledgeCall()
		call.Acknowledge.Uuid = []byte(strconv.Itoa(i))
		calls = append(calls, call)
	}
	return calls
}

// patient is a server that answers SUBSCRIBE with a stream and, on the connection of calls, the first call at
// once; of those after it it reads as many as there are answers before it answers the first. Then it closes.
func patient(t *testing.T, answers ...string) (addr string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	uuids := make(chan string, 1000)
	done := make(chan struct{})
	read := func(in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		call := new(schedulerpb.Call)
		if JSON.Unmarshal(body, call) == nil {
			uuids <- string(call.GetAcknowledge().GetUuid())
		}
	}
	go func() {
		defer close(done)
		stream, err := l.Accept()
		if err != nil {
			return
		}
		defer stream.Close()
		http.ReadRequest(bufio.NewReader(stream))
		io.WriteString(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nMesos-Stream-Id: s\r\n\r\n")
		calls, err := l.Accept()
		if err != nil {
			return
		}
		defer calls.Close()
		in := bufio.NewReader(calls)
		read(in)
		io.WriteString(calls, accepted)
		for range answers {
			read(in)
		}
		for _, answer := range answers {
			io.WriteString(calls, answer)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String(), uuids
}

// callTogether subscribes, makes one call, and then some together.
func callTogether(t *testing.T, addr string, n int) []error {
	t.Helper()
	c := client(t, ClientOptions{Servers: []string{addr}})
	events, err := c.Subscribe(t.Context(), subscribeCall())
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	return c.CallTogether(t.Context(), numbered(n)...)
}

func TestCallsTogetherDoNotWaitForEachOther(t *testing.T) {
	addr, got := patient(t, slices.Repeat([]string{accepted}, 20)...)
	for i, err := range callTogether(t, addr, 21) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		if uuid := <-got; uuid != strconv.Itoa(i) {
			t.Errorf("call %d was %s", i, uuid)
		}
	}
}

func TestCallsTogetherAreAnsweredEachForItself(t *testing.T) {
	refused := "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
	addr, _ := patient(t, accepted, refused, accepted)
	for i, err := range callTogether(t, addr, 4) {
		if _, no := errors.AsType[*StatusError](err); no != (i == 2) || !no && err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestCallsTogetherThatNobodyAnswers(t *testing.T) {
	for name, last := range map[string]string{
		"the connection breaks":      accepted[:20],
		"the server closes in order": "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := patient(t, accepted, last, "", "")
			errs := callTogether(t, addr, 5)
			if err := errors.Join(errs[:2]...); err != nil {
				t.Errorf("answered calls: %v", err)
			}
			for i, err := range errs[3:] {
				if !errors.Is(err, ErrNoAnswer) {
					t.Errorf("call %d: %v, expected ErrNoAnswer", i+3, err)
				}
			}
		})
	}
}

func TestCallTogetherThatCannotBeEncoded(t *testing.T) {
	addr, got := patient(t, accepted, accepted)
	c := client(t, ClientOptions{Servers: []string{addr}})
	events, err := c.Subscribe(t.Context(), subscribeCall())
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	calls := slices.Insert(numbered(3), 1, proto.Message(&schedulerpb.Call{Subscribe: &schedulerpb.Call_Subscribe{}}))
	for i, err := range c.CallTogether(t.Context(), calls...) {
		if (err != nil) != (i == 1) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d calls were sent, expected 3", len(got))
	}
}

func TestManyCallsTogetherArriveInOrder(t *testing.T) {
	a := newAPI()
	a.calls, a.headers = make(chan *schedulerpb.Call, 1000), make(chan http.Header, 1001)
	c := client(t, ClientOptions{Servers: []string{server(t, a.ServeHTTP)}, Codec: Protobuf})
	subscribe(t, c, a)
	for _, err := range c.CallTogether(t.Context(), numbered(1000)...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if got := string((<-a.calls).Acknowledge.Uuid); got != strconv.Itoa(i) {
			t.Fatalf("call %d was %s", i, got)
		}
	}
}
