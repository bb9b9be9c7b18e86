package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// A RecordIO stream is a sequence of records, each its length in decimal, a
// newline, and that many bytes.

var (
	// ErrMalformedRecord means that a record does not begin with its length.
	// The stream is out of step and cannot be read any further.
	ErrMalformedRecord = errors.New("malformed RecordIO length")

	// ErrRecordTooLarge means that a record is longer than the reader accepts.
	ErrRecordTooLarge = errors.New("RecordIO record too large")
)

// keepBuffer is the largest buffer that is kept for the next record: a single
// big event must not be paid for as long as its connection lives.
const keepBuffer = 64 << 10

// AppendRecord appends payload, framed as one record, to dst.
func AppendRecord(dst, payload []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(payload)), 10)
	dst = append(dst, '\n')
	return append(dst, payload...)
}

// recordLen is the length of a record with a payload of n bytes.
func recordLen(n int) int {
	return decimalLen(n) + 1 + n
}

func decimalLen(n int) int {
	digits := 1
	for ; n >= 10; n /= 10 {
		digits++
	}
	return digits
}

// RecordReader takes a RecordIO stream apart. It trusts nothing that it
// reads: a length is one or more digits without sign, space or leading zero,
// and memory grows with the bytes that arrive, not with those announced.
type RecordReader struct {
	src  *bufio.Reader
	max  int
	skip int    // bytes of src that the last record lent out
	buf  []byte // for records that do not fit into src
	err  error  // sticky
}

// NewRecordReader reads records of at most maxRecord bytes from r. A
// *bufio.Reader is used as it is; anything else is buffered.
func NewRecordReader(r io.Reader, maxRecord int) *RecordReader {
	src, ok := r.(*bufio.Reader)
	if !ok {
		src = bufio.NewReader(r)
	}
	return &RecordReader{src: src, max: maxRecord}
}

// Next returns the next record, which is valid until the call after. It
// returns io.EOF between two records and io.ErrUnexpectedEOF within one.
// Every error is final.
func (r *RecordReader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if cap(r.buf) > keepBuffer {
		r.buf = nil
	}
	r.src.Discard(r.skip) // cannot fail: the bytes were peeked
	r.skip = 0

	record, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return record, nil
}

func (r *RecordReader) next() ([]byte, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if n <= r.src.Size() {
		record, err := r.src.Peek(n)
		if err != nil {
			return nil, midRecord(err)
		}
		r.skip = n
		return record, nil
	}
	return r.large(n)
}

// length reads a record's length and the newline after it.
func (r *RecordReader) length() (int, error) {
	n := 0
	for digits := 0; ; digits++ {
		c, err := r.src.ReadByte()
		switch {
		case err != nil && digits == 0:
			return 0, err
		case err != nil:
			return 0, midRecord(err)
		case c == '\n' && digits > 0:
			return n, nil
		case c < '0' || c > '9':
			return 0, fmt.Errorf("%w: byte %q where a digit%s was expected", ErrMalformedRecord, c, orNewline(digits))
		case digits == 1 && n == 0:
			return 0, fmt.Errorf("%w: leading zero", ErrMalformedRecord)
		}
		digit := int(c - '0')
		if n > r.max/10 || digit > r.max-n*10 {
			return 0, fmt.Errorf("%w: its length begins with %d%d, at most %d bytes are accepted", ErrRecordTooLarge, n, digit, r.max)
		}
		n = n*10 + digit
	}
}

func orNewline(digits int) string {
	if digits > 0 {
		return " or a newline"
	}
	return ""
}

// large reads a record that is larger than the buffer of src. Its own buffer
// doubles as the bytes arrive.
func (r *RecordReader) large(n int) ([]byte, error) {
	r.buf = r.buf[:0]
	for have := 0; have < n; have = len(r.buf) {
		step := min(n-have, max(have, keepBuffer/2))
		r.buf = slices.Grow(r.buf, step)[:have+step]
		if _, err := io.ReadFull(r.src, r.buf[have:]); err != nil {
			return nil, midRecord(err)
		}
	}
	return r.buf, nil
}

// midRecord tells an end within a record from one between two records.
func midRecord(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
