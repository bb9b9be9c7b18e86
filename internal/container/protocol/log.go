package protocol

import (
	"github.com/meseta/meseta/internal/container"
)

// The kinds of frames in a supervisor's log, which are frames like those of the
// socket: never renumber.
const (
	KindLogHeader Kind = 128
	KindLogRecord Kind = 129
)

// LogHeader begins a log: what has to be known to end the sets of a supervisor
// that is gone.
type LogHeader struct {
	Version    uint64
	BootID     string            // of the kernel: after another boot nothing can be left
	Process    container.Started // the supervisor itself
	TrackKind  uint64
	TrackPlace string
}

// LogRecord is one line of a log.
type LogRecord struct {
	Kind    uint64 // a ledger.RecordKind
	ID      container.ID
	Started container.Started
	Exit    container.Exit
}

// AppendLogHeader appends a header.
func AppendLogHeader(dst []byte, h *LogHeader) []byte {
	return AppendFrame(dst, KindLogHeader, 0, func(dst []byte) []byte {
		dst = appendUint(dst, 1, h.Version)
		dst = appendString(dst, 2, h.BootID)
		dst = appendMessage(dst, 3, func(dst []byte) []byte { return appendStarted(dst, h.Process) })
		dst = appendUint(dst, 4, h.TrackKind)
		return appendString(dst, 5, h.TrackPlace)
	})
}

// DecodeLogHeader reads a header.
func DecodeLogHeader(body []byte) (h LogHeader, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			h.Version = v.uint()
		case 2:
			h.BootID = v.string()
		case 3:
			h.Process, err = DecodeStarted(v)
		case 4:
			h.TrackKind = v.uint()
		case 5:
			h.TrackPlace = v.string()
		}
		return err
	})
	return h, err
}

// AppendLogRecord appends a record.
func AppendLogRecord(dst []byte, r *LogRecord) []byte {
	return AppendFrame(dst, KindLogRecord, 0, func(dst []byte) []byte {
		dst = appendUint(dst, 1, r.Kind)
		dst = appendString(dst, 2, string(r.ID))
		if r.Started != (container.Started{}) {
			dst = appendMessage(dst, 3, func(dst []byte) []byte { return appendStarted(dst, r.Started) })
		}
		if r.Exit != (container.Exit{}) {
			dst = appendMessage(dst, 4, func(dst []byte) []byte { return AppendExit(dst, r.Exit) })
		}
		return dst
	})
}

// DecodeLogRecord reads a record.
func DecodeLogRecord(body []byte) (r LogRecord, err error) {
	err = decode(body, func(tag uint64, v value) (err error) {
		switch tag {
		case 1:
			r.Kind = v.uint()
		case 2:
			r.ID = container.ID(v.string())
		case 3:
			r.Started, err = DecodeStarted(v)
		case 4:
			r.Exit, err = DecodeExit(v)
		}
		return err
	})
	return r, err
}
