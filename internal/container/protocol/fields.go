package protocol

import (
	"encoding/binary"
	"fmt"
	"time"
)

// appendBytes appends a field even when it is empty: a list may have empty items.
func appendBytes[B []byte | string](dst []byte, tag uint64, v B) []byte {
	dst = binary.AppendUvarint(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	return append(dst, v...)
}

// appendString appends a string that is not empty.
func appendString(dst []byte, tag uint64, v string) []byte {
	if v == "" {
		return dst
	}
	return appendBytes(dst, tag, v)
}

// appendUint appends a number that is not zero.
func appendUint[N ~uint8 | ~uint32 | ~uint64 | ~int | ~int64 | ~uintptr](dst []byte, tag uint64, v N) []byte {
	if v == 0 {
		return dst
	}
	var buf [binary.MaxVarintLen64]byte
	return appendBytes(dst, tag, buf[:binary.PutUvarint(buf[:], uint64(v))])
}

func appendBool(dst []byte, tag uint64, v bool) []byte {
	if !v {
		return dst
	}
	return appendUint(dst, tag, uint8(1))
}

func appendTime(dst []byte, tag uint64, v time.Time) []byte {
	if v.IsZero() {
		return dst
	}
	return appendUint(dst, tag, v.UnixNano())
}

// appendMessage appends a message as a field.
func appendMessage(dst []byte, tag uint64, body func([]byte) []byte) []byte {
	dst = binary.AppendUvarint(dst, tag)
	// The size is not known yet: leave room for a small one, and move the body if it
	// turns out larger.
	at := len(dst)
	dst = append(dst, 0)
	dst = body(dst)
	size := len(dst) - at - 1
	if size < 0x80 {
		dst[at] = byte(size)
		return dst
	}
	var buf [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(buf[:], uint64(size))
	dst = append(dst, buf[:n-1]...)
	copy(dst[at+n:], dst[at+1:at+1+size])
	copy(dst[at:], buf[:n])
	return dst
}

// value is the content of one field.
type value []byte

func (v value) uint() uint64 {
	n, size := binary.Uvarint(v)
	if size <= 0 {
		return 0
	}
	return n
}

func (v value) string() string          { return string(v) }
func (v value) bool() bool              { return v.uint() != 0 }
func (v value) duration() time.Duration { return time.Duration(v.uint()) }
func (v value) time() time.Time         { return time.Unix(0, int64(v.uint())) }

// decode hands each field to set, which passes over tags it does not know.
func decode(body []byte, set func(tag uint64, v value) error) error {
	for len(body) > 0 {
		tag, n := binary.Uvarint(body)
		if n <= 0 {
			return fmt.Errorf("%w: a tag is cut off", ErrFormat)
		}
		body = body[n:]
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return fmt.Errorf("%w: field %d is cut off", ErrFormat, tag)
		}
		body = body[n:]
		if err := set(tag, value(body[:size])); err != nil {
			return err
		}
		body = body[size:]
	}
	return nil
}
