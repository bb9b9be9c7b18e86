package rpc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The kinds of frame. Never renumber.
const (
	kindChunkFetchRequest = 0
	kindChunkFetchFailure = 2
	kindRequest           = 3
	kindResponse          = 4
	kindFailure           = 5
	kindStreamRequest     = 6
	kindStreamResponse    = 7
	kindStreamFailure     = 8
	kindOneWay            = 9
)

// frame is one message of the transport:
//
//	length  int64, counts itself and everything below
//	kind    byte
//	header  by kind
//	body    to the end
//
// Text in headers is an int32 length and plain UTF-8.
type frame struct {
	kind byte
	id   int64  // of requests, responses and failures: what ties them together
	text string // the error of a failure, or the name of a stream
	size int64  // of a stream response: bytes that follow after the frame
	body []byte // of requests, responses and one-way messages

	stream int64 // of chunk fetches
	chunk  int32
	err    string // of a stream failure
}

// appendFrame appends the bytes of a frame.
func appendFrame(b []byte, f frame) []byte {
	start := len(b)
	b = append(binary.BigEndian.AppendUint64(b, 0), f.kind)
	switch f.kind {
	case kindRequest, kindResponse:
		b = binary.BigEndian.AppendUint64(b, uint64(f.id))
		b = binary.BigEndian.AppendUint32(b, uint32(len(f.body)))
		b = append(b, f.body...)
	case kindOneWay:
		b = binary.BigEndian.AppendUint32(b, uint32(len(f.body)))
		b = append(b, f.body...)
	case kindFailure:
		b = binary.BigEndian.AppendUint64(b, uint64(f.id))
		b = appendText(b, f.text)
	case kindStreamRequest:
		b = appendText(b, f.text)
	case kindStreamResponse:
		b = appendText(b, f.text)
		b = binary.BigEndian.AppendUint64(b, uint64(f.size))
	case kindStreamFailure:
		b = appendText(appendText(b, f.text), f.err)
	case kindChunkFetchRequest, kindChunkFetchFailure:
		b = binary.BigEndian.AppendUint64(b, uint64(f.stream))
		b = binary.BigEndian.AppendUint32(b, uint32(f.chunk))
		if f.kind == kindChunkFetchFailure {
			b = appendText(b, f.err)
		}
	}
	binary.BigEndian.PutUint64(b[start:], uint64(len(b)-start))
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

const (
	lengthSize = 8
	minFrame   = lengthSize + 1
)

// readFrame reads a frame of at most limit bytes. Memory is spent on bytes that came, not on those that
// a length announces.
func readFrame(r *bufio.Reader, limit int) (frame, error) {
	var head [lengthSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	n := int64(binary.BigEndian.Uint64(head[:]))
	if n < minFrame || n > int64(limit) {
		return frame{}, fmt.Errorf("frame of %d bytes, expected %d to %d (does the peer speak Spark's RPC?)", n, minFrame, limit)
	}
	var buf bytes.Buffer
	buf.Grow(int(min(n, 32<<10)))
	if _, err := io.CopyN(&buf, r, n-lengthSize); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	return parseFrame(buf.Bytes())
}

// parseFrame reads what follows a frame's length.
func parseFrame(b []byte) (frame, error) {
	h := header{b: b}
	f := frame{kind: h.u8()}
	switch f.kind {
	case kindRequest, kindResponse:
		f.id = h.i64()
		h.i32() // length of the body, which is all that is left
		f.body = h.b
	case kindOneWay:
		h.i32()
		f.body = h.b
	case kindFailure:
		f.id = h.i64()
		f.text = h.text()
	case kindStreamRequest:
		f.text = h.text()
	case kindStreamResponse:
		f.text = h.text()
		f.size = h.i64()
		h.failIf(f.size < 0, "stream of %d bytes", f.size)
	case kindStreamFailure:
		f.text = h.text()
		f.err = h.text()
	case kindChunkFetchRequest, kindChunkFetchFailure:
		f.stream = h.i64()
		f.chunk = h.i32()
		if f.kind == kindChunkFetchFailure {
			f.err = h.text()
		}
	default:
		return frame{}, fmt.Errorf("frame of kind %d, which control endpoints do not use", int8(f.kind))
	}
	if h.err != nil {
		return frame{}, fmt.Errorf("frame of kind %d: %w", f.kind, h.err)
	}
	return f, nil
}

// header reads from the front of a frame or envelope; the first error sticks.
type header struct {
	b   []byte
	err error
}

func (h *header) failIf(bad bool, format string, args ...any) {
	if bad && h.err == nil {
		h.err = fmt.Errorf(format, args...)
	}
}

func (h *header) take(n int) []byte {
	h.failIf(n < 0 || n > len(h.b), "%d bytes where %d are needed", len(h.b), n)
	if h.err != nil {
		return make([]byte, 8) // enough for a number, which nobody will use
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

func (h *header) u8() byte   { return h.take(1)[0] }
func (h *header) u16() int   { return int(binary.BigEndian.Uint16(h.take(2))) }
func (h *header) i32() int32 { return int32(binary.BigEndian.Uint32(h.take(4))) }
func (h *header) i64() int64 { return int64(binary.BigEndian.Uint64(h.take(8))) }

func (h *header) text() string {
	b := h.take(int(h.i32()))
	if h.err != nil {
		return ""
	}
	return string(b)
}
