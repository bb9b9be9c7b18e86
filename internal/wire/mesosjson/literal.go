package mesosjson

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// appendFloat writes the shortest digits that read back as f. There is always a decimal point or an
// exponent; the exponent form is used from 1e21 on and below 1e-6, without a plus sign or leading zeros.
func appendFloat(dst []byte, f float64, bits int) []byte {
	size := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	case size < 1<<53 && f == math.Trunc(f) && (f != 0 || !math.Signbit(f)):
		return append(strconv.AppendInt(dst, int64(f), 10), ".0"...)
	case size == 0:
		return append(dst, "-0.0"...)
	case 1e-6 <= size && size < 1e21:
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		if bytes.IndexByte(dst[start:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	default:
		var scratch [32]byte
		digits, exponent, _ := bytes.Cut(strconv.AppendFloat(scratch[:0], f, 'e', -1, bits), []byte("e"))
		dst = append(dst, digits...)
		dst = append(dst, 'e')
		if exponent[0] == '-' {
			dst = append(dst, '-')
		}
		return append(dst, bytes.TrimLeft(exponent, "+-0")...)
	}
}

// appendString writes s quoted. Only what JSON demands is escaped: no slash, no HTML, no line separator.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscaped(dst, c)
		i++
		done = i
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// appendEscaped writes a byte that cannot stand for itself in a string.
func appendEscaped(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= utf8.RuneSelf { // not UTF-8
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
}
