// Package wiretest puts requests to the HTTP entry of a daemon that nobody in his right mind would send, for
// the fuzzers of the master and of the agent: any method, path, headers and body, on a connection of its own.
//
// It owns how a request gets there and what holds for every answer, whatever was asked: there is no panic, no
// status of 500, and whoever is refused is told why. What the daemon is to be afterwards its own test knows.
package wiretest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long an answer is waited for. A body that was announced and never comes has none.
const patience = 100 * time.Millisecond

// Seed adds the requests of a file of recorded exchanges to a fuzzer whose arguments are a head and a body.
// Blocks of the file that begin with "```http" and a request line are requests.
func Seed(f *testing.F, recorded string) {
	text, err := os.ReadFile(recorded)
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```http\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		head, body, _ := strings.Cut(block, "\n\n")
		if strings.HasPrefix(head, "HTTP/") {
			continue
		}
		var lines []string
		for line := range strings.Lines(head + "\n") {
			if !strings.HasPrefix(line, "Content-Length:") {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		f.Add(strings.Join(lines, "\r\n"), []byte(body))
	}
}

// Ask sends a request line and headers, to which the length of the body is added, and the body, and checks the
// answer. It returns the status, or 0 if there was no answer.
func Ask(t *testing.T, address, head string, body []byte) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("the daemon is gone: %v", err)
	}
	conn.(*net.TCPConn).SetLinger(0) // thousands in a second would use up the ports otherwise
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "%s\r\nContent-Length: %d\r\n\r\n%s", strings.TrimRight(head, "\r\n"), len(body), body)

	method, _, _ := strings.Cut(head, " ")
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0
	}
	text := make([]byte, 1)
	n, _ := io.ReadFull(answer.Body, text)
	switch code := answer.StatusCode; {
	case code == http.StatusInternalServerError || code > http.StatusHTTPVersionNotSupported:
		t.Errorf("%.300q with %.300q is answered %s", head, body, answer.Status)
	case code >= 400 && code != http.StatusNotFound && n == 0 && method != http.MethodHead:
		t.Errorf("%.300q with %.300q is refused with %s and no word", head, body, answer.Status)
	}
	return answer.StatusCode
}

// Log is a log that nobody reads, but for what an HTTP server says of a handler that panicked.
type Log struct {
	slog.Handler
	panicked *atomic.Pointer[string]
}

// NewLog returns an empty log.
func NewLog() Log { return Log{slog.DiscardHandler, new(atomic.Pointer[string])} }

// Enabled implements slog.Handler.
func (Log) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (l Log) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "panic") {
		l.panicked.CompareAndSwap(nil, &r.Message)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l Log) WithGroup(string) slog.Handler { return l }

// Check fails a test if a handler has panicked.
func (l Log) Check(t *testing.T) {
	t.Helper()
	if said := l.panicked.Load(); said != nil {
		t.Error(*said)
	}
}
