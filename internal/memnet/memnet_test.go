package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meseta/meseta/internal/memnet"
)

// connect gives both ends of a connection from "a" to "b".
func connect(t *testing.T, n *memnet.Network) (a, b net.Conn) {
	t.Helper()
	l := n.Listen("b")
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	a, err := n.Dialer("a")(t.Context(), "tcp", "b")
	if err != nil {
		t.Fatal(err)
	}
	return a, <-accepted
}

func TestWhatIsWrittenIsReadAndThenTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t, new(memnet.Network))
		big := bytes.Repeat([]byte("0123456789"), 100_000)
		if _, err := a.Write(big); err != nil { // nobody reads yet
			t.Fatal(err)
		}
		a.Close()
		if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, big) {
			t.Errorf("read %d bytes, %v, want all of %d", len(got), err, len(big))
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed end: %v", err)
		}
		if _, err := b.Write(big); err != nil {
			if !errors.Is(err, syscall.EPIPE) {
				t.Errorf("write to a closed end: %v", err)
			}
		} else {
			t.Error("a closed end takes bytes")
		}
	})
}

func TestDeadlineEndsAReadAndANewOneAllowsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t, new(memnet.Network))
		begin := time.Now()
		a.SetReadDeadline(begin.Add(time.Minute))
		_, err := a.Read(make([]byte, 1))
		var timeout net.Error
		if took := time.Since(begin); !errors.As(err, &timeout) || !timeout.Timeout() || took != time.Minute {
			t.Errorf("after %v: %v, want a timeout after a minute", took, err)
		}
		a.SetReadDeadline(time.Time{})
		go b.Write([]byte("x"))
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		time.AfterFunc(time.Second, func() { a.SetDeadline(time.Unix(1, 0)) })
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read that was waiting: %v, want that its deadline has passed", err)
		}
	})
}

func TestShutNameIsRefusedAndItsConnectionsBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n memnet.Network
		a, b := connect(t, &n)
		l := n.Listen("b")
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
		n.Shut("b")
		for _, c := range []net.Conn{a, b} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%v: read gives %v, want a reset", c.LocalAddr(), err)
			}
		}
		begin := time.Now()
		_, err := n.Dialer("a")(t.Context(), "tcp", "b")
		if took := time.Since(begin); !errors.Is(err, syscall.ECONNREFUSED) || took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("after %v: %v, want a refusal after a second", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := n.Dialer("a")(ctx, "tcp", "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the context", err)
		}
		n.Open("b")
		c, err := n.Dialer("a")(t.Context(), "tcp", "b")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}

func TestHTTPServerAndClientTakeItForARealNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n memnet.Network
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			io.WriteString(w, r.Host+" "+strings.ToUpper(string(text)))
		})}
		go server.Serve(n.Listen("shop:80"))
		transport := &http.Transport{DialContext: n.Dialer("customer")}
		client := &http.Client{Transport: transport}
		for range 3 {
			answer, err := client.Post("http://shop:80/", "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if string(got) != "shop:80 HELLO" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			time.Sleep(time.Minute)
		}
		transport.CloseIdleConnections()
		server.Close()
	})
}
