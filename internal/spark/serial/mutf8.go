package serial

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Java's "modified UTF-8" differs from UTF-8 in two ways: NUL is two bytes (C0 80), and a character
// beyond the basic plane is two surrogates of three bytes each. Java strings may hold lone surrogates;
// here they stay three bytes each, which makes both directions lossless.

const (
	surrogateLow  = 0xD800
	surrogateMid  = 0xDC00
	surrogateHigh = 0xE000
)

// decodeModified turns modified UTF-8 into a Go string.
func decodeModified(b []byte) (string, error) {
	if plain(b) {
		return string(b), nil
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		u, n := modifiedUnit(b[i:])
		if n == 0 {
			return "", fmt.Errorf("byte %d (%#02x) of a string is not modified UTF-8", i, b[i])
		}
		i += n
		if u >= surrogateLow && u < surrogateMid {
			if low, m := modifiedUnit(b[i:]); m != 0 && low >= surrogateMid && low < surrogateHigh {
				i += m
				out = utf8.AppendRune(out, (u-surrogateLow)<<10|(low-surrogateMid)+0x10000)
				continue
			}
		}
		out = appendUnit(out, u)
	}
	return string(out), nil
}

// plain tells whether b is the same in both encodings: ASCII without NUL.
func plain(b []byte) bool {
	for _, c := range b {
		if c == 0 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// modifiedUnit reads one UTF-16 unit; its length is 0 if the bytes are not modified UTF-8.
func modifiedUnit(b []byte) (rune, int) {
	cont := func(i int) bool { return i < len(b) && b[i]&0xC0 == 0x80 }
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 0x80:
		return rune(b[0]), 1
	case b[0]&0xE0 == 0xC0 && cont(1):
		return rune(b[0]&0x1F)<<6 | rune(b[1]&0x3F), 2
	case b[0]&0xF0 == 0xE0 && cont(1) && cont(2):
		return rune(b[0]&0x0F)<<12 | rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F), 3
	}
	return 0, 0
}

// appendUnit appends a UTF-16 unit as UTF-8, lone surrogates included.
func appendUnit(b []byte, u rune) []byte {
	if u >= surrogateLow && u < surrogateHigh {
		return append(b, 0xE0|byte(u>>12), 0x80|byte(u>>6)&0x3F, 0x80|byte(u)&0x3F)
	}
	return utf8.AppendRune(b, u)
}

// appendModified appends a Go string as modified UTF-8. Bytes that are neither UTF-8 nor a surrogate
// become U+FFFD, as everywhere in Go.
func appendModified(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			if u, m := modifiedUnit([]byte(s[i:min(i+3, len(s))])); m == 3 && u >= surrogateLow && u < surrogateHigh {
				b = append(b, s[i:i+3]...)
				i += 3
				continue
			}
		}
		i += n
		switch {
		case r == 0:
			b = append(b, 0xC0, 0x80)
		case r >= 0x10000:
			r -= 0x10000
			b = appendUnit(appendUnit(b, surrogateLow+r>>10), surrogateMid+r&0x3FF)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// AppendName appends a string as java.io.DataOutput.writeUTF does: its length in two bytes, and modified
// UTF-8.
func AppendName(b []byte, s string) ([]byte, error) {
	start := len(b)
	b = appendModified(append(b, 0, 0), s)
	n := len(b) - start - 2
	if n > math.MaxUint16 {
		return nil, fmt.Errorf("name of %d bytes, at most %d can be written", n, math.MaxUint16)
	}
	binary.BigEndian.PutUint16(b[start:], uint16(n))
	return b, nil
}

// ParseName reads what follows such a length.
func ParseName(b []byte) (string, error) { return decodeModified(b) }
