package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// classes are the facts of a Spark.
func classes(t testing.TB) *serial.Classes {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "deploy", "facts", "spark-4.0-scala-2.13.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := serial.ParseClasses(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inbox is an endpoint that keeps what comes.
type inbox struct {
	messages chan *Message
	events   chan Event
}

func newInbox() *inbox {
	return &inbox{messages: make(chan *Message, 1000), events: make(chan Event, 1000)}
}

func (i *inbox) Receive(m *Message) { i.messages <- m }
func (i *inbox) Event(e Event)      { i.events <- e }

func (i *inbox) next(t *testing.T) *Message {
	t.Helper()
	return take(t, i.messages)
}

func take[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came for %v", patience)
		panic("unreachable")
	}
}

// event waits for an event of a kind.
func (i *inbox) event(t *testing.T, kind EventKind) Event {
	t.Helper()
	for {
		if e := take(t, i.events); e.Kind == kind {
			return e
		}
	}
}

// listening starts an Env with a listener and an endpoint called "Box". It ends with the test, or by stop.
func listening(t *testing.T, cfg Config) (e *Env, box *inbox, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Advertise = endpoint.Address{Host: "localhost", Port: ln.Addr().(*net.TCPAddr).Port}
	return running(t, NewEnv(cfg), ln)
}

// silent starts an Env that does not listen.
func silent(t *testing.T, cfg Config) (*Env, *inbox) {
	t.Helper()
	e, box, _ := running(t, NewEnv(cfg), nil)
	return e, box
}

func running(t *testing.T, e *Env, ln net.Listener) (*Env, *inbox, func()) {
	t.Helper()
	box := newInbox()
	e.Register("Box", box)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, ln) }()
	stop := func() {
		cancel()
		if err := take(t, done); err != nil {
			t.Errorf("Run: %v", err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return e, box, stop
}

func box(e *Env) endpoint.Ref { return endpoint.Ref{Name: "Box", Address: e.Address()} }

func TestAskIsAnswered(t *testing.T) {
	a, inA, _ := listening(t, Config{})
	b, _, _ := listening(t, Config{})
	replied := make(chan error, 1)
	go func() {
		m := <-inA.messages
		if m.Sender != b.Address() || m.Content != "question" || !m.Asked() {
			t.Errorf("message is %v from %v, asked %t", m.Content, m.Sender, m.Asked())
		}
		replied <- m.Reply("answer")
	}()
	r, err := b.Ask(t.Context(), box(a), "question")
	if err != nil || r.Content != "answer" || r.Conn == 0 {
		t.Errorf("answer is %v by %d, %v", r.Content, r.Conn, err)
	}
	if err := <-replied; err != nil {
		t.Error(err)
	}
}

func TestAskFails(t *testing.T) {
	a, inA, _ := listening(t, Config{})
	b, _ := silent(t, Config{AskTimeout: 50 * time.Millisecond})
	patient, _ := silent(t, Config{})
	c := classes(t)
	for name, answer := range map[string]func(m *Message){
		"by a frame": func(m *Message) { m.Fail(errors.New("told so")) },
		"by an exception": func(m *Message) {
			e, err := c.New("java.lang.Exception", map[string]serial.Value{"detailMessage": "told so"})
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.New("org.apache.spark.rpc.netty.RpcFailure", map[string]serial.Value{"e": e})
			if err != nil {
				t.Fatal(err)
			}
			m.Reply(f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			go func() { answer(<-inA.messages) }()
			_, err := patient.Ask(t.Context(), box(a), "question")
			if _, ok := errors.AsType[*RemoteError](err); !ok || !strings.Contains(err.Error(), "Exception: told so") {
				t.Errorf("error is %v", err)
			}
		})
	}
	t.Run("because nobody answers", func(t *testing.T) {
		_, err := b.Ask(t.Context(), box(a), "question")
		if !strings.Contains(fmt.Sprint(err), "no answer from spark://Box@localhost:") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("because there is no such endpoint", func(t *testing.T) {
		_, err := patient.Ask(t.Context(), endpoint.Ref{Name: "Nobody", Address: a.Address()}, "question")
		if !strings.Contains(fmt.Sprint(err), "org.apache.spark.SparkException: Could not find Nobody.") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("because nobody listens", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := ln.Addr().(*net.TCPAddr).Port
		ln.Close()
		if _, err := patient.Ask(t.Context(), endpoint.Ref{Name: "Box", Address: endpoint.Address{Host: "127.0.0.1", Port: port}}, "question"); err == nil {
			t.Error("a question to nobody is answered")
		}
	})
	t.Run("because there is no way", func(t *testing.T) {
		if _, err := patient.Ask(t.Context(), endpoint.Ref{Name: "Box"}, "question"); !errors.Is(err, ErrNoAddress) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestOpenAsksFailWhenThePeerGoes(t *testing.T) {
	a, inA, stop := listening(t, Config{})
	b, inB, _ := listening(t, Config{})
	failed := make(chan error, 1)
	go func() {
		_, err := b.Ask(t.Context(), box(a), "question")
		failed <- err
	}()
	inA.next(t)
	stop()
	if err := take(t, failed); !errors.Is(err, ErrDisconnected) {
		t.Errorf("error is %v", err)
	}
	if e := inB.event(t, Disconnected); e.Address != a.Address() {
		t.Errorf("disconnected from %v, expected %v", e.Address, a.Address())
	}
}

func TestOneWayMessagesArriveInOrder(t *testing.T) {
	a, inA, _ := listening(t, Config{})
	b, _, _ := listening(t, Config{})
	for i := range 500 {
		if err := b.Send(box(a), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	conn := endpoint.ConnID(0)
	for i := range 500 {
		m := inA.next(t)
		if m.Content != fmt.Sprint(i) || m.Asked() || conn != 0 && m.Conn != conn {
			t.Fatalf("message %d is %v by connection %d", i, m.Content, m.Conn)
		}
		conn = m.Conn
	}
}

// A process that does not listen is reached by the connection that it made.
func TestReferencesAreAnsweredOnTheirConnection(t *testing.T) {
	c := classes(t)
	a, inA, _ := listening(t, Config{})
	b, inB := silent(t, Config{})
	me, err := endpoint.Ref{Name: "Box"}.Object(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Send(box(a), me); err != nil {
		t.Fatal(err)
	}
	m := inA.next(t)
	ref, err := endpoint.Read(m.Content, m.Conn)
	if err != nil || ref.String() != "spark-client://Box" || !m.Sender.IsZero() {
		t.Fatalf("reference is %v from %v, %v", ref, m.Sender, err)
	}
	go func() { (<-inB.messages).Reply("back") }()
	if r, err := a.Ask(t.Context(), ref, "there?"); err != nil || r.Content != "back" {
		t.Errorf("answer is %v, %v", r.Content, err)
	}
}

func TestEveryAddressOfAPeerIsToldOnceAndEnds(t *testing.T) {
	a, inA, _ := listening(t, Config{})
	b, _, stop := listening(t, Config{})
	b.Send(box(a), "first")
	b.Send(box(a), "second")
	first := inA.next(t)
	inA.next(t)
	stop()
	seen := map[EventKind]map[endpoint.Address]int{Connected: {}, Disconnected: {}}
	for range 4 {
		e := take(t, inA.events)
		if e.Conn != first.Conn {
			t.Errorf("event is of connection %d, expected %d", e.Conn, first.Conn)
		}
		seen[e.Kind][e.Address]++
	}
	for kind, addresses := range seen {
		if len(addresses) != 2 || addresses[b.Address()] != 1 {
			t.Errorf("events of kind %d: %v", kind, addresses)
		}
	}
}

func TestLookup(t *testing.T) {
	c := classes(t)
	a, _, _ := listening(t, Config{})
	b, _ := silent(t, Config{})
	if ref, err := b.Lookup(t.Context(), c, a.Address(), "Box"); err != nil || ref != box(a) {
		t.Errorf("found %v, %v", ref, err)
	}
	if _, err := b.Lookup(t.Context(), c, a.Address(), "Nobody"); !strings.Contains(fmt.Sprint(err), "no such endpoint") {
		t.Errorf("looking for nobody: %v", err)
	}
}

func TestSendAfterAFailureConnectsAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := endpoint.Address{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}
	ln.Close()
	b, inB := silent(t, Config{})
	to := endpoint.Ref{Name: "Box", Address: address}
	b.Send(to, "lost")
	if e := inB.event(t, Unreachable); e.Address != address {
		t.Errorf("unreachable is %v, expected %v", e.Address, address)
	}
	if ln, err = net.Listen("tcp", address.HostPort()); err != nil {
		t.Fatalf("listen again at the same port: %v", err)
	}
	_, inA, _ := running(t, NewEnv(Config{Advertise: address}), ln)
	if err := b.Send(to, "found"); err != nil {
		t.Fatal(err)
	}
	if m := inA.next(t); m.Content != "found" {
		t.Errorf("message is %v", m.Content)
	}
}

func TestAnEnvThatIsStoppedSendsNothing(t *testing.T) {
	a, _, stop := listening(t, Config{})
	stop()
	if err := a.Send(box(a), "too late"); !errors.Is(err, ErrStopped) {
		t.Errorf("error is %v", err)
	}
}

func TestSecretIsRequiredAndProved(t *testing.T) {
	for name, c := range map[string]struct {
		ours, theirs string
		want         string
	}{
		"same":      {"s3cret", "s3cret", ""},
		"different": {"s3cret", "other", "does not know our secret"},
		"none":      {"s3cret", "", "before it proved the secret"},
		"not asked": {"", "s3cret", "address begins with 0xea"},
	} {
		t.Run(name, func(t *testing.T) {
			a, inA, _ := listening(t, Config{Secret: c.ours})
			b, _ := silent(t, Config{Secret: c.theirs})
			go func() {
				select {
				case m := <-inA.messages:
					m.Reply("yes")
				case <-t.Context().Done():
				}
			}()
			r, err := b.Ask(t.Context(), box(a), "may I?")
			if c.want == "" && (err != nil || r.Content != "yes") || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("answer is %v, %v; expected error %q", r.Content, err, c.want)
			}
		})
	}
}

func TestDirectives(t *testing.T) {
	d, err := directives(`realm="a\"b",nonce="x,y" , qop="auth-conf,auth",charset=utf-8`)
	if err != nil || d["realm"] != `a"b` || d["nonce"] != "x,y" || d["qop"] != "auth-conf,auth" || d["charset"] != "utf-8" {
		t.Errorf("directives are %q, %v", d, err)
	}
	for _, bad := range []string{"novalue", `a="open`, `a="\`, "a=1,a=2"} {
		if _, err := directives(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestFilesAreFetched(t *testing.T) {
	content := bytes.Repeat([]byte("jar"), 100_000)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go serveFiles(ln, map[string][]byte{"/jars/app.jar": content, "/files/empty": nil})
	e, _ := silent(t, Config{})
	var got bytes.Buffer
	if n, err := e.Fetch(t.Context(), "spark://"+ln.Addr().String()+"/jars/app.jar", &got); err != nil || n != int64(len(content)) || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("fetched %d bytes, %v", n, err)
	}
	if n, err := e.Fetch(t.Context(), "spark://"+ln.Addr().String()+"/files/empty", io.Discard); err != nil || n != 0 {
		t.Errorf("fetched %d bytes of nothing, %v", n, err)
	}
	if _, err := e.Fetch(t.Context(), "spark://"+ln.Addr().String()+"/jars/none.jar", io.Discard); !strings.Contains(fmt.Sprint(err), "was not found") {
		t.Errorf("fetching what is not there: %v", err)
	}
	if _, err := e.Fetch(t.Context(), "http://localhost/x", io.Discard); err == nil {
		t.Error("http is fetched")
	}
	a, _, _ := listening(t, Config{})
	if _, err := e.Fetch(t.Context(), a.Address().URL()+"/jars/app.jar", io.Discard); !strings.Contains(fmt.Sprint(err), "Stream '/jars/app.jar' was not found.") {
		t.Errorf("fetching from one of us: %v", err)
	}
}

// serveFiles answers stream requests as a driver does.
func serveFiles(ln net.Listener, files map[string][]byte) {
	for {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		c := newConn(NewEnv(Config{}), nc, endpoint.Address{}, false)
		if f, err := readFrame(c.in, 1000); err == nil {
			body, ok := files[f.text]
			answer := frame{kind: kindStreamResponse, text: f.text, size: int64(len(body))}
			if !ok {
				answer = frame{kind: kindStreamFailure, text: f.text, err: "Stream '" + f.text + "' was not found."}
			}
			nc.Write(append(appendFrame(nil, answer), body...))
		}
		nc.Close()
	}
}
