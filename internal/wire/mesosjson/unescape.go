package mesosjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unescape consumes the rest of a string, after its opening quote, that cannot be taken as it is: it has
// escapes, or bytes that are not UTF-8, which become U+FFFD.
func (s *scanner) unescape() ([]byte, error) {
	var text []byte
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return text, nil
		case c == '\\':
			r, ok := s.escape()
			if !ok {
				return nil, s.fail()
			}
			text = utf8.AppendRune(text, r)
		case c < ' ':
			return nil, s.fail()
		case c < utf8.RuneSelf:
			text = append(text, c)
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			text = utf8.AppendRune(text, r)
			s.pos += size
		}
	}
	return nil, s.fail()
}

// escape consumes one escape sequence, or two that are the halves of one character.
func (s *scanner) escape() (rune, bool) {
	if s.pos+1 >= len(s.data) {
		s.pos = len(s.data)
		return 0, false
	}
	c := s.data[s.pos+1]
	if c == 'u' {
		return s.unicodeEscape()
	}
	s.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

func (s *scanner) unicodeEscape() (rune, bool) {
	r, ok := hexEscape(s.data[s.pos:])
	if !ok {
		return 0, false
	}
	s.pos += hexEscapeLen
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if low, ok := hexEscape(s.data[s.pos:]); ok {
		if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
			s.pos += hexEscapeLen
			return whole, true
		}
	}
	return utf8.RuneError, true // half a character
}

const hexEscapeLen = len(`\u0000`)

// hexEscape reads the escape sequence \uXXXX at the beginning of b.
func hexEscape(b []byte) (rune, bool) {
	if len(b) < hexEscapeLen || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:hexEscapeLen] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
