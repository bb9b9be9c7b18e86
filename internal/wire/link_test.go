package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const protocol = "meseta-agent/1"

// linking accepts links, and hands each to the test.
func linking(t testing.TB, opts LinkOptions) (http.HandlerFunc, <-chan *Link) {
	links := make(chan *Link, 100)
	return func(w http.ResponseWriter, r *http.Request) {
		if l, err := AcceptLink(w, r, protocol, opts); err == nil {
			t.Cleanup(func() { l.Close(nil) })
			links <- l
		}
	}, links
}

// linked is both ends of a link.
func linked(t testing.TB, opts LinkOptions) (master, agent *Link) {
	t.Helper()
	handler, links := linking(t, opts)
	addr := server(t, handler)
	c, err := DialLink(t.Context(), "http://"+addr+"/agent", protocol, nil, DialOptions{LinkOptions: opts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(nil) })
	return <-links, c
}

func expectRecord(t testing.TB, l *Link, want string) {
	t.Helper()
	if got, err := l.Receive(); err != nil || string(got) != want {
		t.Fatalf("received %q (%v), expected %q", got, err, want)
	}
}

func TestLinkCarriesRecordsBothWays(t *testing.T) {
	master, agent := linked(t, LinkOptions{})
	for i := range 100 {
		text := fmt.Sprint(i)
		if err := errors.Join(agent.Send([]byte("up "+text)), master.Send([]byte("down "+text))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		expectRecord(t, master, fmt.Sprint("up ", i))
		expectRecord(t, agent, fmt.Sprint("down ", i))
	}
}

func TestLinkUnderTLS(t *testing.T) {
	handler, links := linking(t, LinkOptions{})
	addr, config := secureServer(t, handler)
	agent, err := DialLink(t.Context(), "https://"+addr+"/agent", protocol, nil, DialOptions{TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close(nil)
	master := <-links
	agent.Send([]byte("up"))
	master.Send([]byte("down"))
	expectRecord(t, master, "up")
	expectRecord(t, agent, "down")

	if _, err := DialLink(t.Context(), "https://"+addr, protocol, nil, DialOptions{}); err == nil {
		t.Error("linked to a server with an unknown certificate")
	}
}

func TestLinkUpgradeOnTheWire(t *testing.T) {
	handler, links := linking(t, LinkOptions{})
	conn := dialRaw(t, server(t, handler))
	// The first record may come right behind the request.
	conn.send("GET /agent HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, upgrade\r\nUpgrade: meseta-agent/1\r\n\r\n5\nearly")
	conn.expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: meseta-agent/1\r\nConnection: Upgrade\r\n\r\n")
	l := <-links
	conn.send("4\nlate")
	expectRecord(t, l, "early")
	expectRecord(t, l, "late")
	l.Send([]byte("x"))
	conn.expect("1\nx")
}

func TestRefusedUpgrades(t *testing.T) {
	for _, test := range []struct {
		name, request string
		status        int
		header        string
	}{
		{"no upgrade", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 426, "Upgrade"},
		{"another protocol", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: meseta-agent/2\r\n\r\n", 426, "Upgrade"},
		{"half an upgrade", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: meseta-agent/1\r\n\r\n", 400, ""},
		{"a body", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: meseta-agent/1\r\nContent-Length: 1\r\n\r\nx", 400, ""},
		{"POST", "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: meseta-agent/1\r\n\r\n", 405, "Allow"},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: meseta-agent/1\r\n\r\n", 426, "Upgrade"},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler, _ := linking(t, LinkOptions{})
			conn := dialRaw(t, server(t, handler))
			conn.send(test.request)
			resp := conn.response()
			if resp.StatusCode != test.status || resp.text == "" {
				t.Errorf("%d %q, expected %d and a sentence", resp.StatusCode, resp.text, test.status)
			}
			if test.header != "" && resp.Header.Get(test.header) == "" {
				t.Errorf("%v lacks %s", resp.Header, test.header)
			}
		})
	}
}

func TestDialLinkReportsARefusal(t *testing.T) {
	handler, _ := linking(t, LinkOptions{})
	_, err := DialLink(t.Context(), server(t, handler), "other/1", nil, DialOptions{})
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Code != 426 || !strings.Contains(status.Body, "'other/1'") {
		t.Errorf("%v, expected a 426 that names both protocols", err)
	}
}

func TestDialLinkSendsHeadersAndFollowsTheLeader(t *testing.T) {
	handler, links := linking(t, LinkOptions{})
	leader := server(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization") + r.URL.Path; got != "Basic x/agent" {
			t.Errorf("leader got %q", got)
		}
		handler(w, r)
	})
	follower := server(t, func(w http.ResponseWriter, r *http.Request) { RedirectToLeader(w, r, leader) })
	l, err := DialLink(t.Context(), follower+"/agent", protocol, http.Header{"Authorization": {"Basic x"}}, DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(nil)
	<-links
}

func TestDialLinkEndsWithItsContext(t *testing.T) {
	arrived := make(chan struct{})
	addr := server(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-arrived
		cancel(cause)
	}()
	if _, err := DialLink(ctx, addr, protocol, nil, DialOptions{}); !errors.Is(err, cause) {
		t.Errorf("%v, expected the cause", err)
	}
}

func TestLinkEndsWhenThePeerHangsUp(t *testing.T) {
	master, agent := linked(t, LinkOptions{})
	agent.Send([]byte("last words"))
	agent.Finish(nil)
	expectRecord(t, master, "last words")
	if _, err := master.Receive(); !errors.Is(err, ErrPeerGone) || err != master.Err() {
		t.Errorf("received %v, ended because %v, expected ErrPeerGone", err, master.Err())
	}
	wait(t, "the end", master.Done())
	if _, err := agent.Receive(); err != ErrClosed {
		t.Errorf("the side that closed received %v, expected ErrClosed", err)
	}
	wait(t, "the end of the other side", agent.Done())
}

func TestReceiveAfterFinishTakesWhatThePeerStillSays(t *testing.T) {
	master, agent := linked(t, LinkOptions{})
	master.Finish(nil)
	if err := master.Send(nil); err != ErrClosed {
		t.Errorf("Send after Finish: %v, expected ErrClosed", err)
	}
	agent.Send([]byte("and another thing"))
	expectRecord(t, master, "and another thing")
}

func TestCloseEndsReceive(t *testing.T) {
	master, _ := linked(t, LinkOptions{})
	cause := errors.New("new session")
	received := make(chan error)
	go func() {
		_, err := master.Receive()
		received <- err
	}()
	master.Close(cause)
	if err := <-received; err != cause {
		t.Errorf("received %v, expected the cause", err)
	}
	wait(t, "the end", master.Done())
}

func TestGarbageEndsTheLink(t *testing.T) {
	for garbage, want := range map[string]error{
		"-1\n":        ErrMalformedRecord,
		"999999999\n": ErrRecordTooLarge,
		"12":          ErrPeerGone,
	} {
		handler, links := linking(t, LinkOptions{MaxRecord: 1000})
		conn := dialRaw(t, server(t, handler))
		conn.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: meseta-agent/1\r\n\r\n" + garbage)
		conn.head()
		conn.Conn.(*net.TCPConn).CloseWrite()
		l := <-links
		if _, err := l.Receive(); !errors.Is(err, want) || !errors.Is(l.Err(), want) {
			t.Errorf("%q: received %v, ended because %v, expected %v", garbage, err, l.Err(), want)
		}
		wait(t, "the end", l.Done())
	}
}

func TestPeerThatDoesNotReceiveIsCutOff(t *testing.T) {
	master, _ := linked(t, LinkOptions{MaxQueued: 1 << 10})
	var err error
	for record := make([]byte, 64<<10); err == nil; {
		err = master.Send(record)
	}
	if !errors.Is(err, ErrSlowConsumer) {
		t.Errorf("Send: %v, expected ErrSlowConsumer", err)
	}
	wait(t, "the end", master.Done())
}

func TestLastReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		l := newLink(here, nil, LinkOptions{})
		begin := time.Now()
		since := func() time.Duration { return l.LastReceived().Sub(begin) }
		records := make(chan string)
		listen := make(chan bool)
		go func() {
			for range listen {
				record, err := l.Receive()
				if err != nil {
					close(records)
					return
				}
				records <- string(record)
			}
		}()

		time.Sleep(time.Second)
		if got := since(); got != time.Second {
			t.Errorf("nobody listens: last received at %v, expected now", got)
		}

		listen <- true
		synctest.Wait()
		time.Sleep(time.Second)
		if got := since(); got != time.Second {
			t.Errorf("silence: last received at %v, expected the beginning of Receive at 1s", got)
		}

		io.WriteString(there, "10\nhal")
		synctest.Wait()
		time.Sleep(time.Second)
		if got := since(); got != 2*time.Second {
			t.Errorf("half a record: last received at %v, expected 2s", got)
		}

		io.WriteString(there, "f a rec")
		if got := <-records; got != "half a rec" {
			t.Errorf("received %q", got)
		}
		time.Sleep(time.Second)
		if got := since(); got != 4*time.Second {
			t.Errorf("busy with a record: last received at %v, expected now", got)
		}

		listen <- true
		there.Close()
		if _, ok := <-records; ok {
			t.Error("received something from a closed pipe")
		}
		close(listen)
		<-l.Done()
	})
}
