// Package protocol is what an agent and its supervisor say to each other over
// their unix socket, and what the supervisor keeps in its log, as bytes.
//
// A supervisor lives as long as the tasks it started, which may be longer than
// several releases of the agent. So the protocol is add-only and supported
// forever: numbers of kinds, tags and codes are never given a second meaning, a
// reader passes over tags and kinds it does not know, and a field that is absent
// is zero.
//
// # Frames
//
//	frame = length kind request fields
//	  length   4 bytes, little endian: of what follows, at most MaxFrame
//	  kind     1 byte
//	  request  uvarint, chosen by the asker and repeated in the answer; 0 in what nobody asked for
//	  fields   { tag uvarint, size uvarint, size bytes }, in any order; a list repeats its tag
//
// A number is the bytes of a uvarint (absent when 0), a time is nanoseconds since
// 1970, a message inside a field is fields again.
//
// # The conversation
//
// Requests may follow each other without waiting, and are answered in any order,
// each with one Answer (List, Watch and Measure with several, all but the last marked
// "more"). The first must be Hello, in which both say their version.
//
//	Hello    version                            → version, pid, tracking, abilities
//	Launch   a spec                             → started, or an error
//	Kill     id, grace                          → nothing, or an error
//	List                                        → containers
//	Watch                                       → exits not collected; from then on Exited frames
//	Collect  ids                                → nothing
//	Limit    id, limits                         → nothing, or an error
//	Measure  ids                                → statistics, in several answers like a list
//
// A supervisor that does not know a kind of request says so: ErrUnsupported. One that
// does not know a tag passes over it: its Hello says what it can do for containers.
//
// Versions: 1 (2025-11): Hello to Collect. 2 (2026-11): Limit and Measure; in a spec
// its tags 11 to 14; in limits 6 and 7, and all of them are enforced; in an exit tag 5;
// in the answer to Hello tag 4.
package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is what this build speaks.
const Version = 2

// MaxFrame bounds a frame. The largest request is a Launch with
// container.MaxArgs of arguments; lists are cut into pieces.
const MaxFrame = 4 << 20

// Kind is what a frame is.
type Kind byte

// The kinds of frames: never renumber.
const (
	KindHello   Kind = 1
	KindLaunch  Kind = 2
	KindKill    Kind = 3
	KindList    Kind = 4
	KindWatch   Kind = 5
	KindCollect Kind = 6
	KindLimit   Kind = 7
	KindMeasure Kind = 8

	KindAnswer Kind = 64
	KindExited Kind = 65
)

// Frame is one message as it came.
type Frame struct {
	Kind    Kind
	Request uint64
	Body    []byte // fields; valid until the next Read
}

// Errors of reading.
var (
	ErrFrameSize = errors.New("frame is larger than allowed")
	ErrFormat    = errors.New("malformed message")
)

// Reader reads frames.
type Reader struct {
	r   io.Reader
	buf []byte
	at  int // what was not handed out begins here
}

// NewReader reads frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 0, 8<<10)} }

// Read returns the next frame; its body is valid until the next call. At the end,
// between two frames, the error is io.EOF.
func (r *Reader) Read() (Frame, error) {
	if err := r.need(4); err != nil {
		return Frame{}, err
	}
	size := int(binary.LittleEndian.Uint32(r.buf[r.at:]))
	if size > MaxFrame {
		return Frame{}, fmt.Errorf("%w: %d bytes, expected at most %d", ErrFrameSize, size, MaxFrame)
	}
	if err := r.need(4 + size); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	body := r.buf[r.at+4 : r.at+4+size]
	r.at += 4 + size
	if len(body) == 0 {
		return Frame{}, fmt.Errorf("%w: a frame without a kind", ErrFormat)
	}
	request, n := binary.Uvarint(body[1:])
	if n <= 0 {
		return Frame{}, fmt.Errorf("%w: a frame without a request number", ErrFormat)
	}
	return Frame{Kind: Kind(body[0]), Request: request, Body: body[1+n:]}, nil
}

// Buffered reports whether the next frame is here already, so that Read would not
// block.
func (r *Reader) Buffered() bool {
	have := len(r.buf) - r.at
	return have >= 4 && have-4 >= int(binary.LittleEndian.Uint32(r.buf[r.at:]))
}

// need makes n bytes available at r.at.
func (r *Reader) need(n int) error {
	if len(r.buf)-r.at >= n {
		return nil
	}
	r.makeRoom(n)
	for len(r.buf) < n {
		m, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+m]
		if len(r.buf) >= n {
			return nil
		}
		if err == nil && m == 0 {
			err = io.ErrNoProgress
		}
		if err != nil {
			if err == io.EOF && len(r.buf) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// makeRoom moves what was not handed out to the front of a buffer that can hold n
// bytes; a buffer that had to grow large is let go again.
func (r *Reader) makeRoom(n int) {
	const usual = 64 << 10
	rest := r.buf[r.at:]
	if n > cap(r.buf) || cap(r.buf) > usual && n <= usual && len(rest) <= usual {
		buf := make([]byte, len(rest), max(n, len(rest), 8<<10))
		copy(buf, rest)
		r.buf, r.at = buf, 0
		return
	}
	r.buf = r.buf[:copy(r.buf[:cap(r.buf)], rest)]
	r.at = 0
}

// AppendFrame appends a frame with the fields that body appends.
func AppendFrame(dst []byte, kind Kind, request uint64, body func(dst []byte) []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(kind))
	dst = binary.AppendUvarint(dst, request)
	if body != nil {
		dst = body(dst)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}
