package wire

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const subscribeRequest = "POST /api/v1/scheduler HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"

// holding serves streams, and hands each to the test.
func holding(opts HoldOptions) (http.HandlerFunc, <-chan *Stream) {
	streams := make(chan *Stream, 100)
	return func(w http.ResponseWriter, r *http.Request) {
		if s, err := Hold(w, r, opts); err == nil {
			streams <- s
		}
	}, streams
}

// held is a stream and its client, which has read the head.
func held(t testing.TB, opts HoldOptions) (*Stream, rawConn) {
	t.Helper()
	handler, streams := holding(opts)
	conn := dialRaw(t, server(t, handler))
	return subscribed(t, conn, streams)
}

func subscribed(t testing.TB, conn rawConn, streams <-chan *Stream) (*Stream, rawConn) {
	t.Helper()
	conn.send(subscribeRequest)
	conn.head()
	s := <-streams
	t.Cleanup(func() { s.Close(nil) })
	return s, conn
}

func TestStreamHeadIsThatOfMesos(t *testing.T) {
	for _, test := range []struct {
		opts HoldOptions
		want string
	}{
		{HoldOptions{Codec: JSON, StreamID: "39bb7504-83f4-4eaf-a1d6-e548c09fb2f3"},
			"HTTP/1.1 200 OK\r\nDate: DATE\r\nTransfer-Encoding: chunked\r\n" +
				"Mesos-Stream-Id: 39bb7504-83f4-4eaf-a1d6-e548c09fb2f3\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"},
		{HoldOptions{Codec: Protobuf},
			"HTTP/1.1 200 OK\r\nDate: DATE\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-protobuf\r\nConnection: close\r\n\r\n"},
	} {
		handler, streams := holding(test.opts)
		conn := dialRaw(t, server(t, handler))
		conn.send(subscribeRequest)
		head := conn.head()
		defer (<-streams).Close(nil)

		_, date, _ := strings.Cut(head, "Date: ")
		date, _, _ = strings.Cut(date, "\r\n")
		if sent, err := http.ParseTime(date); err != nil || time.Since(sent).Abs() > time.Minute {
			t.Errorf("Date %q (%v)", date, err)
		}
		if got := strings.Replace(head, date, "DATE", 1); got != test.want {
			t.Errorf("head %q, expected %q", got, test.want)
		}
	}
}

// Recorded: chunks of 455 and 23 bytes for records of 451 and 20.
func TestEachRecordIsOneChunk(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	for _, record := range []string{strings.Repeat("x", 451), `{"type":"HEARTBEAT"}`, ""} {
		if err := s.Send([]byte(record)); err != nil {
			t.Fatal(err)
		}
	}
	conn.expect("1c7\r\n451\n" + strings.Repeat("x", 451) + "\r\n")
	conn.expect("17\r\n20\n{\"type\":\"HEARTBEAT\"}\r\n")
	conn.expect("2\r\n0\n\r\n")
}

func TestSendCopiesTheRecord(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	record := []byte("a")
	for range 3 {
		s.Send(record)
		record[0]++
	}
	conn.expect("3\r\n1\na\r\n3\r\n1\nb\r\n3\r\n1\nc\r\n")
}

func TestRecordsOfConcurrentSendersStayWhole(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := range each {
				if err := s.Send(fmt.Appendf(nil, "%d %d", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Finish(nil)

	var next [senders]int
	records := NewRecordReader(chunks(conn), 100)
	for range senders * each {
		record, err := records.Next()
		if err != nil {
			t.Fatal(err)
		}
		var i, n int
		fmt.Sscan(string(record), &i, &n)
		if n != next[i] {
			t.Fatalf("sender %d: record %d where %d was expected", i, n, next[i])
		}
		next[i]++
	}
	if _, err := records.Next(); err != io.EOF {
		t.Errorf("after the last record: %v, expected EOF", err)
	}
}

// chunks is the body of a response whose head has been read.
func chunks(conn rawConn) io.Reader {
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(
		strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), conn)), nil)
	if err != nil {
		panic(err)
	}
	return resp.Body
}

// "Framework failed over", TEARDOWN, a refused SUBSCRIBE: "stream then: zero
// chunk".
func TestFinishSendsWhatWaitsAndTheZeroChunk(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	cause := errors.New("failed over")
	s.Send([]byte("last words"))
	s.Finish(cause)
	if err := s.Send([]byte("too late")); err != cause {
		t.Errorf("Send after Finish: %v, expected the cause", err)
	}
	conn.expect("d\r\n10\nlast words\r\n0\r\n\r\n")
	conn.expectEOF()
	conn.Close()
	wait(t, "the end", s.Done())
	if err := s.Err(); err != cause {
		t.Errorf("ended because %v, expected the cause", err)
	}
}

func TestFinishDoesNotWaitForAClientThatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := halfClosingPipe()
		s := &Stream{}
		s.init(here, 0, 0)
		s.watching = true
		go s.watch()
		s.Finish(nil)
		conn := raw(t, there)
		conn.expect("0\r\n\r\n")

		time.Sleep(lingerTime - time.Nanosecond)
		synctest.Wait()
		select {
		case <-s.Done():
			t.Fatal("ended before its patience did")
		default:
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		select {
		case <-s.Done():
		default:
			t.Fatal("still open")
		}
	})
}

// halfClosingPipe is a net.Pipe whose first end can close for writing, which
// has no effect.
func halfClosingPipe() (net.Conn, net.Conn) {
	here, there := net.Pipe()
	return halfClosing{here}, there
}

type halfClosing struct{ net.Conn }

func (halfClosing) CloseWrite() error { return nil }

func TestCloseBreaksOffWithoutZeroChunk(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	s.Send([]byte("a"))
	conn.expect("3\r\n1\na\r\n")
	cause := errors.New("lost the lease")
	s.Close(cause)
	conn.expectEOF()
	wait(t, "the end", s.Done())
	if err := s.Err(); err != cause {
		t.Errorf("ended because %v, expected the cause", err)
	}
}

func TestOnEndIsCalledOnceBeforeDone(t *testing.T) {
	ends := make(chan error, 2)
	goOn := make(chan struct{})
	s, conn := held(t, HoldOptions{Codec: JSON, OnEnd: func(cause error) {
		ends <- cause
		<-goOn
	}})
	conn.Close()
	if err := <-ends; !errors.Is(err, ErrPeerGone) || err != s.Err() {
		t.Errorf("ended because %v, OnEnd got %v", s.Err(), err)
	}
	select {
	case <-s.Done():
		t.Error("done before OnEnd")
	default:
	}
	s.Close(nil)
	close(goOn)
	wait(t, "the end", s.Done())
	if len(ends) != 0 {
		t.Error("OnEnd was called again")
	}
}

func TestFirstCauseOfTheEndWins(t *testing.T) {
	s, _ := held(t, HoldOptions{Codec: JSON})
	if err := s.Err(); err != nil {
		t.Errorf("open stream ended because %v", err)
	}
	s.Close(nil)
	s.Close(errors.New("second"))
	s.Finish(errors.New("third"))
	if err := s.Send(nil); err != ErrClosed {
		t.Errorf("Send: %v, expected ErrClosed", err)
	}
	wait(t, "the end", s.Done())
}

func TestClientThatHangsUpEndsTheStream(t *testing.T) {
	for name, hangUp := range map[string]func(net.Conn){
		"close":      func(c net.Conn) { c.Close() },
		"half close": func(c net.Conn) { c.(*net.TCPConn).CloseWrite() },
		"reset": func(c net.Conn) {
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, conn := held(t, HoldOptions{Codec: JSON})
			hangUp(conn.Conn)
			wait(t, "the end", s.Done())
			if err := s.Err(); !errors.Is(err, ErrPeerGone) {
				t.Errorf("ended because %v, expected ErrPeerGone", err)
			}
			if err := s.Send([]byte("x")); !errors.Is(err, ErrPeerGone) {
				t.Errorf("Send: %v, expected ErrPeerGone", err)
			}
		})
	}
}

func TestSlowConsumerIsCutOffWhenTheQueueIsFull(t *testing.T) {
	const maxQueued = 100 << 10
	s, conn := held(t, HoldOptions{Codec: JSON, MaxQueued: maxQueued})
	conn.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)

	record := make([]byte, 1<<10)
	var err error
	for i := 0; err == nil && i < 1<<20; i++ {
		err = s.Send(record)
		if queued := s.Queued(); queued > maxQueued+2<<10 {
			t.Fatalf("%d bytes are queued, expected at most %d and a record", queued, maxQueued)
		}
	}
	if !errors.Is(err, ErrSlowConsumer) || !errors.Is(s.Err(), ErrSlowConsumer) {
		t.Errorf("Send: %v, ended because %v, expected ErrSlowConsumer", err, s.Err())
	}
	wait(t, "the end", s.Done())
}

// A cluster's state can be larger than any sensible queue.
func TestOneRecordMayBeLargerThanTheQueue(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON, MaxQueued: 100})
	big := bytes.Repeat([]byte("x"), 20<<20)
	if err := s.Send(big); err != nil {
		t.Fatal(err)
	}
	record, err := NewRecordReader(chunks(conn), len(big)).Next()
	if err != nil || !bytes.Equal(record, big) {
		t.Errorf("%d bytes arrived (%v), expected %d", len(record), err, len(big))
	}
	if err := s.Send([]byte("x")); err != nil {
		t.Errorf("Send after that: %v", err)
	}
}

func TestStalledClientIsCutOffAfterTheWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		s := &Stream{}
		s.init(here, 0, time.Minute)
		s.watching = true
		go s.watch()
		if err := s.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		if err := s.Err(); err != nil {
			t.Fatalf("ended early because %v", err)
		}
		time.Sleep(time.Nanosecond)
		<-s.Done()
		if err := s.Err(); !errors.Is(err, ErrSlowConsumer) {
			t.Errorf("ended because %v, expected ErrSlowConsumer", err)
		}
	})
}

// A large queue is no reason to call a steady reader slow: the timeout counts
// for every writeStep.
func TestSteadyReaderIsNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		s := &Stream{}
		s.init(here, 0, time.Minute)
		s.chunked = true
		s.watching = true
		go s.watch()
		const size = 10 * writeStep
		s.Send(make([]byte, size))
		buf := make([]byte, writeStep)
		for range 10 {
			time.Sleep(59 * time.Second)
			if _, err := io.ReadFull(there, buf); err != nil {
				t.Fatalf("%v (%v)", err, s.Err())
			}
		}
		s.Close(nil)
		<-s.Done()
	})
}

func TestHeartbeats(t *testing.T) {
	for _, test := range []struct {
		name         string
		first, every time.Duration
		at           []time.Duration
	}{
		{"scheduler", 0, 15 * time.Second, []time.Duration{0, 15 * time.Second, 30 * time.Second}},
		{"operator", 15 * time.Second, 15 * time.Second, []time.Duration{15 * time.Second, 30 * time.Second}},
		{"executor", 30 * time.Minute, 30 * time.Minute, []time.Duration{30 * time.Minute, time.Hour}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				s := &Stream{}
				s.init(here, 0, 0)
				s.chunked = true
				s.watching = true
				go s.watch()
				begin := time.Now()
				s.Send([]byte("subscribed"))
				s.Heartbeat([]byte("beat"), test.first, test.every)

				records := NewRecordReader(chunks(rawConn{t, there, bufio.NewReader(there)}), 100)
				if record, err := records.Next(); string(record) != "subscribed" {
					t.Fatalf("first record %q (%v)", record, err)
				}
				for _, want := range test.at {
					record, err := records.Next()
					if got := time.Since(begin); string(record) != "beat" || got != want {
						t.Fatalf("%q (%v) after %v, expected a heartbeat after %v", record, err, got, want)
					}
				}
				there.Close()
				<-s.Done()
				time.Sleep(2 * time.Hour) // goleak and synctest see what goes on ticking
			})
		})
	}
}

func TestRefusedSubscriptionHasNoHeartbeat(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	s.Send([]byte("error"))
	s.Finish(nil)
	s.Heartbeat([]byte("beat"), 0, time.Nanosecond)
	conn.expect("7\r\n5\nerror\r\n0\r\n\r\n")
	conn.expectEOF()
}

func TestStrayInputIsIgnoredWithinBounds(t *testing.T) {
	s, conn := held(t, HoldOptions{Codec: JSON})
	conn.send("GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
	s.Send([]byte("a"))
	conn.expect("3\r\n1\na\r\n")

	go io.Copy(conn.Conn, zeros{}) // ends with the connection
	wait(t, "the end", s.Done())
	if err := s.Err(); !errors.Is(err, ErrStrayInput) {
		t.Errorf("ended because %v, expected ErrStrayInput", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// What came in one packet with the request is dropped, and does not end up in
// front of what comes later.
func TestStrayInputBehindTheRequestIsIgnored(t *testing.T) {
	handler, streams := holding(HoldOptions{Codec: JSON})
	conn := dialRaw(t, server(t, handler))
	conn.send(subscribeRequest + "garbage")
	conn.head()
	s := <-streams
	defer s.Close(nil)
	s.Send([]byte("a"))
	conn.expect("3\r\n1\na\r\n")
}

func TestHoldWithoutACodecIsNotAcceptable(t *testing.T) {
	conn := dialRaw(t, server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := Hold(w, r, HoldOptions{}); err == nil {
			t.Error("held without a codec")
		}
	}))
	conn.send(subscribeRequest)
	const text = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"
	if resp := conn.response(); resp.StatusCode != 406 || resp.text != text || resp.ContentLength != 74 {
		t.Errorf("%d %q, expected 406 %q", resp.StatusCode, resp.text, text)
	}
}

func TestHoldWithoutAConnectionIsAnError(t *testing.T) {
	w := httptest.NewRecorder()
	if _, err := Hold(w, httptest.NewRequest("POST", "/", nil), HoldOptions{Codec: JSON}); err == nil || w.Code != 505 {
		t.Errorf("%v, answered %d, expected an error and 505", err, w.Code)
	}
}

func TestStreamUnderTLS(t *testing.T) {
	handler, streams := holding(HoldOptions{Codec: JSON})
	addr, config := secureServer(t, handler)
	open := func() (*Stream, rawConn, *tls.Conn) {
		secure, err := tls.Dial("tcp", addr, config)
		if err != nil {
			t.Fatal(err)
		}
		s, conn := subscribed(t, raw(t, secure), streams)
		return s, conn, secure
	}

	s, conn, _ := open()
	s.Send([]byte("a"))
	conn.expect("3\r\n1\na\r\n")
	s.Finish(nil)
	conn.expect("0\r\n\r\n")
	conn.expectEOF() // with TLS' own goodbye, or this would be an unexpected EOF
	conn.Close()
	wait(t, "the end after Finish", s.Done())

	s, conn, _ = open()
	s.Close(nil)
	if _, err := chunks(conn).Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Errorf("closed stream reads as %v, expected it to break off", err)
	}
	wait(t, "the end after Close", s.Done())

	s, conn, _ = open()
	conn.Close()
	wait(t, "the end after the client's", s.Done())
	if err := s.Err(); !errors.Is(err, ErrPeerGone) {
		t.Errorf("ended because %v, expected ErrPeerGone", err)
	}
}

// A TLS connection is closed with a goodbye, which has to be written, which can
// block. Neither Send nor Close may.
func TestSlowConsumerUnderTLSIsCutOffAtOnce(t *testing.T) {
	handler, streams := holding(HoldOptions{Codec: JSON, MaxQueued: 1 << 10})
	addr, config := secureServer(t, handler)
	secure, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := subscribed(t, raw(t, secure), streams)
	begin := time.Now()
	for record := make([]byte, 64<<10); err == nil; {
		err = s.Send(record)
	}
	wait(t, "the end", s.Done())
	if took := time.Since(begin); !errors.Is(err, ErrSlowConsumer) || took > 4*time.Second {
		t.Errorf("Send: %v after %v, expected ErrSlowConsumer at once", err, took)
	}
}
