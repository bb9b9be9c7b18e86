package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"
)

// subscription is a scheduler's stream, held by nothing but a connection.
type subscription struct {
	conn      net.Conn
	framework string
	stream    string // the header that calls repeat
}

var frameworkID = regexp.MustCompile(`"framework_id":\{"value":"([^"]+)"\}`)

// subscribe opens a stream and waits for its first event.
func subscribe(address, framework string) (s subscription, err error) {
	id := ""
	if framework != "" {
		id = `"id":{"value":"` + framework + `"},`
	}
	body := `{"type":"SUBSCRIBE",`
	if framework != "" {
		body += `"framework_id":{"value":"` + framework + `"},`
	}
	body += `"subscribe":{"framework_info":{` + id + `"name":"bench","user":"nobody","failover_timeout":3600}}}`
	if s.conn, err = net.Dial("tcp", address); err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			s.conn.Close()
		}
	}()
	if err = writeCall(s.conn, address, "", []byte(body)); err != nil {
		return s, err
	}
	s.conn.SetReadDeadline(time.Now().Add(patience))
	in := bufio.NewReaderSize(s.conn, 1024)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return s, err
	}
	s.stream = answer.Header.Get("Mesos-Stream-Id")
	event := make([]byte, 4096)
	n, err := answer.Body.Read(event)
	for !frameworkID.Match(event[:n]) && err == nil {
		var more int
		more, err = answer.Body.Read(event[n:])
		n += more
	}
	if found := frameworkID.FindSubmatch(event[:n]); found != nil {
		s.framework = string(found[1])
		return s, nil
	}
	return s, fmt.Errorf("SUBSCRIBE was answered %s: %s", answer.Status, event[:n])
}

func writeCall(conn net.Conn, address, stream string, body []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /api/v1/scheduler HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json\r\n", address)
	if stream != "" {
		fmt.Fprintf(&b, "Mesos-Stream-Id: %s\r\n", stream)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	_, err := conn.Write(b.Bytes())
	return err
}

// startMaster starts a master of which nearly all memory is in use, garbage left out.
func startMaster(ctx context.Context, s sizes) (*process, error) {
	dir, err := os.MkdirTemp(s.dir, "master-")
	if err != nil {
		return nil, err
	}
	os.Setenv("GOGC", littleGarbage)
	defer os.Unsetenv("GOGC")
	return start(ctx, s.binary, dir, "master")
}

// weighStreams tells what a held stream takes of the master's memory: first many frameworks come and go, one at
// a time; what they leave is not the streams'. Then all of them come back and stay.
func weighStreams(ctx context.Context, s sizes) ([]line, error) {
	m, err := startMaster(ctx, s)
	if err != nil {
		return nil, err
	}
	defer m.stop()
	time.Sleep(settleTime)
	first, err := memoryOf(m.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	names := make([]string, s.subscriptions)
	for i := range names {
		one, err := subscribe(m.address, "")
		if err != nil {
			return nil, err
		}
		names[i] = one.framework
		one.conn.Close()
	}
	frameworks, stream, err := holdAll(ctx, m.address, m.cmd.Process.Pid, names)
	if err != nil {
		return nil, err
	}
	bare, err := startChild(ctx, "hold", "GOGC="+littleGarbage)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	_, floor, err := holdAll(ctx, bare.address, bare.pid(), make([]string, s.subscriptions))
	if err != nil {
		return nil, err
	}
	return []line{
		{label: fmt.Sprintf("user memory of a held stream, one of %d", s.subscriptions), value: kib(stream), floor: kib(floor),
			aim: "≤ " + kib(aimStream), reached: stream <= aimStream},
		{label: "  of its framework, which is remembered", value: kib((frameworks - first.anonymous) / float64(s.subscriptions))},
	}, nil
}

// holdAll subscribes the frameworks, holds their streams for a while, and tells what the server's memory was before,
// and by how much it has grown for each.
func holdAll(ctx context.Context, address string, pid int, frameworks []string) (before, each float64, err error) {
	if err := sleep(ctx, heldStreamWait); err != nil {
		return 0, 0, err
	}
	without, err := memoryOf(pid)
	if err != nil {
		return 0, 0, err
	}
	for _, f := range frameworks {
		s, err := subscribe(address, f)
		if err != nil {
			return 0, 0, err
		}
		defer s.conn.Close()
	}
	if err := sleep(ctx, heldStreamWait); err != nil {
		return 0, 0, err
	}
	with, err := memoryOf(pid)
	return without.anonymous, (with.anonymous - without.anonymous) / float64(len(frameworks)), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// callers is how many connections call at the same time.
const callers = 4

// weighCalls tells how many calls of a scheduler a master takes in a second, beside an empty handler.
func weighCalls(ctx context.Context, s sizes) ([]line, error) {
	dir, err := os.MkdirTemp(s.dir, "calls-")
	if err != nil {
		return nil, err
	}
	m, err := start(ctx, s.binary, dir, "master")
	if err != nil {
		return nil, err
	}
	defer m.stop()
	sub, err := subscribe(m.address, "")
	if err != nil {
		return nil, err
	}
	defer sub.conn.Close()
	bare, err := startChild(ctx, "empty")
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	body := []byte(`{"framework_id":{"value":"` + sub.framework + `"},"type":"SUPPRESS","suppress":{}}`)
	var rate, floorRate, cpu, floorCPU []float64
	for range 3 {
		for _, server := range []struct {
			address   string
			pid       int
			rate, cpu *[]float64
		}{{bare.address, bare.pid(), &floorRate, &floorCPU}, {m.address, m.cmd.Process.Pid, &rate, &cpu}} {
			before, err := exactCPU(server.pid)
			if err != nil {
				return nil, err
			}
			begin := time.Now()
			if err := callAll(ctx, server.address, sub.stream, body, s.calls); err != nil {
				return nil, err
			}
			took := time.Since(begin)
			after, err := exactCPU(server.pid)
			if err != nil {
				return nil, err
			}
			*server.rate = append(*server.rate, float64(s.calls)/took.Seconds())
			*server.cpu = append(*server.cpu, micros(after-before)/float64(s.calls))
		}
	}
	return []line{
		{label: fmt.Sprintf("calls of a scheduler, %d connections", callers), value: fmt.Sprintf("%.0f /s", middle(rate)),
			floor: fmt.Sprintf("%.0f /s", middle(floorRate))},
		{label: "  CPU time of the server for each", value: fmt.Sprintf("%.1f µs", middle(cpu)), floor: fmt.Sprintf("%.1f µs", middle(floorCPU))},
	}, nil
}

// callAll makes n calls, some at the same time.
func callAll(ctx context.Context, address, stream string, body []byte, n int) error {
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = callInTurn(ctx, address, stream, body, n/callers) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func callInTurn(ctx context.Context, address, stream string, body []byte, n int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for range n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := writeCall(conn, address, stream, body); err != nil {
			return err
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != http.StatusAccepted {
			return fmt.Errorf("a call was answered %s: %s", answer.Status, text)
		}
	}
	return nil
}
