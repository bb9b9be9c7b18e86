package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/protocol"
)

// logFile is what has to survive the supervisor: which containers may exist, and
// the exits that nobody has collected. It is written without fsync, because it
// need not survive the machine, and rewritten once it is large and mostly about
// what is past.
type logFile struct {
	path    string
	file    *os.File
	header  protocol.LogHeader
	size    int64
	pending []byte // not written yet
	urgent  bool   // something pending must be written before it takes effect
}

// rewriteAt is the size below which nobody minds what a log says of the past.
const rewriteAt = 1 << 20

// createLog begins a log in the place of any other.
func createLog(path string, header protocol.LogHeader) (*logFile, error) {
	l := &logFile{path: path, header: header}
	if err := l.rewrite(nil); err != nil {
		return nil, err
	}
	return l, nil
}

// add notes a record; flush writes it. The identity of a process, by which EndAll
// only finds sooner what it would find anyway, goes with the next record.
func (l *logFile) add(r ledger.Record) {
	l.urgent = l.urgent || r.Kind != ledger.RecordStarted
	l.pending = protocol.AppendLogRecord(l.pending, &protocol.LogRecord{
		Kind: uint64(r.Kind), ID: r.ID, Started: r.Started, Exit: r.Exit,
	})
}

// flush writes what was added. If it fails, nothing of it is in the log, and it
// will be tried again with the next flush.
func (l *logFile) flush() error {
	const enough = 16 << 10
	if !l.urgent && len(l.pending) < enough {
		return nil
	}
	n, err := l.file.Write(l.pending)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, l.file.Truncate(l.size))
		}
		return fmt.Errorf("writing the container log: %w", err)
	}
	l.size += int64(n)
	l.urgent = false
	l.pending = emptied(l.pending)
	return nil
}

// bytesPerContainer is about what a live or uncollected container takes in a log
// that has just been rewritten.
const bytesPerContainer = 128

// wasteful reports whether rewriting for so many containers would be worth it.
func (l *logFile) wasteful(containers int) bool {
	return l.size > rewriteAt && l.size > 4*bytesPerContainer*int64(containers)
}

// rewrite replaces the log by one that says only what is so now.
func (l *logFile) rewrite(containers []container.Info) error {
	data := protocol.AppendLogHeader(nil, &l.header)
	for _, c := range containers {
		data = appendInfo(data, &c)
	}
	file, err := os.OpenFile(l.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rewriting the container log: %w", err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = os.Rename(l.path+".new", l.path)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("rewriting the container log: %w", err)
	}
	l.close()
	l.file, l.size, l.pending, l.urgent = file, int64(len(data)), nil, false
	return nil
}

func appendInfo(dst []byte, c *container.Info) []byte {
	add := func(kind ledger.RecordKind, r protocol.LogRecord) {
		r.Kind, r.ID = uint64(kind), c.ID
		dst = protocol.AppendLogRecord(dst, &r)
	}
	if c.State == container.StateFailed {
		return dst
	}
	add(ledger.RecordLaunch, protocol.LogRecord{})
	if c.Started.PID != 0 {
		add(ledger.RecordStarted, protocol.LogRecord{Started: c.Started})
	}
	if c.Exit != nil {
		add(ledger.RecordExit, protocol.LogRecord{Exit: *c.Exit})
	}
	return dst
}

// finish writes what could wait until now.
func (l *logFile) finish() error {
	l.urgent = true
	return l.flush()
}

func (l *logFile) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// remains is what a log says was there last.
type remains struct {
	header protocol.LogHeader
	live   map[container.ID]container.Started
	order  []container.ID // of live and exits, by launch
	exits  map[container.ID]container.Exit
}

// readLog reads a log to its end, or to where its writer was interrupted.
func readLog(r io.Reader) (*remains, error) {
	frames := protocol.NewReader(r)
	first, err := frames.Read()
	if err != nil || first.Kind != protocol.KindLogHeader {
		return nil, errors.Join(errors.New("the container log has no header"), err)
	}
	left := &remains{live: map[container.ID]container.Started{}, exits: map[container.ID]container.Exit{}}
	if left.header, err = protocol.DecodeLogHeader(first.Body); err != nil {
		return nil, fmt.Errorf("the container log's header: %w", err)
	}
	for {
		frame, err := frames.Read()
		if err != nil {
			return left, nil
		}
		if frame.Kind != protocol.KindLogRecord {
			continue
		}
		record, err := protocol.DecodeLogRecord(frame.Body)
		if err != nil {
			return nil, fmt.Errorf("the container log: %w", err)
		}
		left.apply(&record)
	}
}

func (left *remains) apply(r *protocol.LogRecord) {
	switch ledger.RecordKind(r.Kind) {
	case ledger.RecordLaunch:
		left.live[r.ID] = container.Started{}
		left.order = append(left.order, r.ID)
	case ledger.RecordStarted:
		left.live[r.ID] = r.Started
	case ledger.RecordExit:
		delete(left.live, r.ID)
		left.exits[r.ID] = r.Exit
	case ledger.RecordForget, ledger.RecordFailed:
		delete(left.live, r.ID)
		delete(left.exits, r.ID)
	}
}
