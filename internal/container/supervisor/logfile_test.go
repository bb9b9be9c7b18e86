package supervisor

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/protocol"
)

var (
	someTime    = time.Unix(1_700_000_000, 0)
	someStart   = container.Started{PID: 7, StartTime: 8, At: someTime}
	someHeader  = protocol.LogHeader{Version: 1, BootID: "boot", Process: someStart, TrackKind: 1, TrackPlace: "/place"}
	someRecords = []ledger.Record{
		{Kind: ledger.RecordLaunch, ID: "runs"},
		{Kind: ledger.RecordStarted, ID: "runs", Started: someStart},
		{Kind: ledger.RecordLaunch, ID: "failed"},
		{Kind: ledger.RecordFailed, ID: "failed"},
		{Kind: ledger.RecordLaunch, ID: "ended"},
		{Kind: ledger.RecordExit, ID: "ended", Exit: exitOf("ended", 3)},
		{Kind: ledger.RecordLaunch, ID: "collected"},
		{Kind: ledger.RecordExit, ID: "collected", Exit: exitOf("collected", 4)},
		{Kind: ledger.RecordForget, ID: "collected"},
	}
	someEnds = []container.Exit{
		{ID: "runs", Reason: container.ReasonLost, At: someTime},
		exitOf("ended", 3),
	}
)

func exitOf(id container.ID, code int) container.Exit {
	return container.Exit{ID: id, Status: container.ExitStatus(code), Reason: container.ReasonExited, At: someTime}
}

func someLog(t *testing.T) *logFile {
	t.Helper()
	l, err := createLog(filepath.Join(t.TempDir(), "log"), someHeader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func (l *logFile) has(t *testing.T, want []container.Exit) {
	t.Helper()
	data, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	left, err := readLog(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(someHeader, left.header); d != "" {
		t.Error("header: ", d)
	}
	if d := cmp.Diff(want, left.ends(someTime)); d != "" {
		t.Error("ends: ", d)
	}
	if int64(len(data)) != l.size {
		t.Errorf("the log has %d bytes, thought to be %d", len(data), l.size)
	}
}

func TestLogTellsHowThingsStand(t *testing.T) {
	l := someLog(t)
	for _, r := range someRecords {
		l.add(r)
		if err := l.flush(); err != nil {
			t.Fatal(err)
		}
	}
	l.has(t, someEnds)
}

func TestALogThatBreaksOffTellsWhatItCan(t *testing.T) {
	l := someLog(t)
	for _, r := range someRecords {
		l.add(r)
	}
	l.flush()
	data, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		left, err := readLog(bytes.NewReader(data[:n]))
		if err == nil && left == nil {
			t.Fatalf("cut at %d: neither an error nor remains", n)
		}
	}
	left, err := readLog(bytes.NewReader(data[:len(data)-1])) // without the last: not collected
	if err != nil || len(left.ends(someTime)) != len(someEnds)+1 {
		t.Errorf("cut in the last record: %v, %v", left, err)
	}
}

func TestARewrittenLogTellsTheSame(t *testing.T) {
	l := someLog(t)
	book := ledger.New(0)
	for i := range 20_000 {
		id := container.ID("c" + time.Duration(i).String())
		l.add(ledger.Record{Kind: ledger.RecordLaunch, ID: id})
		l.add(ledger.Record{Kind: ledger.RecordExit, ID: id, Exit: exitOf(id, 0)})
		l.add(ledger.Record{Kind: ledger.RecordForget, ID: id})
	}
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	if !l.wasteful(book.Len()) || l.wasteful(1_000_000) {
		t.Errorf("with %d bytes the log is wasteful for none: %v, for a million: %v", l.size, l.wasteful(0), l.wasteful(1_000_000))
	}
	if err := l.rewrite([]container.Info{
		{ID: "runs", State: container.StateRunning, Started: someStart},
		{ID: "failed", State: container.StateFailed},
		{ID: "ended", State: container.StateExited, Exit: new(exitOf("ended", 3))},
	}); err != nil {
		t.Fatal(err)
	}
	l.has(t, someEnds)
	l.add(ledger.Record{Kind: ledger.RecordForget, ID: "ended"})
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	l.has(t, someEnds[:1])
}

func TestALogThatCannotBeWrittenIsNotTorn(t *testing.T) {
	l := someLog(t)
	good := l.file
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full: ", err)
	}
	defer full.Close()
	l.file = full
	for _, r := range someRecords {
		l.add(r)
	}
	if err := l.flush(); err == nil {
		t.Fatal("writing to a full device went well")
	}
	l.file = good
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	l.has(t, someEnds)
}

func FuzzReadLog(f *testing.F) {
	data := protocol.AppendLogHeader(nil, &someHeader)
	for _, r := range someRecords {
		data = protocol.AppendLogRecord(data, &protocol.LogRecord{Kind: uint64(r.Kind), ID: r.ID, Started: r.Started, Exit: r.Exit})
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if left, err := readLog(bytes.NewReader(data)); err == nil {
			left.ends(someTime)
		}
	})
}
