package mesosjson

import (
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may nest. Mesos' own messages need about twenty levels.
const maxDepth = 200

// scanner walks through JSON text. Each method consumes what it is named after, white space before it
// included, and fails with a *[SyntaxError] when something else is there.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// check tells whether data is one JSON document.
func check(data []byte) error {
	s := scanner{data: data}
	if err := s.skip(); err != nil {
		return err
	}
	return s.end()
}

func (s *scanner) fail() error { return syntaxErrorAt(s.data, s.pos) }

// peek returns the byte that comes next after white space without consuming it, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// next consumes c if it comes next.
func (s *scanner) next(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// end fails if anything is left but white space.
func (s *scanner) end() error {
	s.peek()
	if rest := s.data[s.pos:]; len(rest) > 0 {
		return &SyntaxError{reason: "Parsed JSON included non-whitespace trailing characters: " + quotable(rest)}
	}
	return nil
}

// object consumes an object and calls member at each value, which member has to consume. The name is
// only valid until then.
func (s *scanner) object(member func(name []byte) error) error {
	return s.nested('{', '}', func() error {
		name, err := s.text()
		if err != nil {
			return err
		}
		if !s.next(':') {
			return s.fail()
		}
		return member(name)
	})
}

// array consumes a list and calls element at each value, which element has to consume.
func (s *scanner) array(element func() error) error {
	return s.nested('[', ']', element)
}

// nested consumes comma-separated items between two brackets.
func (s *scanner) nested(open, closing byte, item func() error) error {
	if !s.next(open) {
		return s.fail()
	}
	if s.depth++; s.depth > maxDepth {
		return &SyntaxError{reason: fmt.Sprintf("objects and lists nest deeper than %d levels", maxDepth)}
	}
	defer func() { s.depth-- }()

	if s.next(closing) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.next(closing) {
			return nil
		}
		if !s.next(',') {
			return s.fail()
		}
	}
}

// skip consumes any value.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.text()
		return err
	case 't', 'f':
		_, err := s.bool()
		return err
	case 'n':
		return s.word("null")
	default:
		_, err := s.number()
		return err
	}
}

func (s *scanner) word(word string) error {
	s.peek()
	if rest := s.data[s.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.fail()
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) bool() (bool, error) {
	if s.peek() == 't' {
		return true, s.word("true")
	}
	return false, s.word("false")
}

// number consumes a number and returns its digits.
func (s *scanner) number() ([]byte, error) {
	s.peek()
	n := numberLen(s.data[s.pos:])
	if n == 0 {
		return nil, s.fail()
	}
	s.pos += n
	return s.data[s.pos-n : s.pos], nil
}

// numberLen returns how many bytes of b are a JSON number, 0 if b does not begin with one.
func numberLen(b []byte) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > start
	}

	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return 0
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// text consumes a string and returns what it stands for, as UTF-8. The bytes may be the input's own.
func (s *scanner) text() ([]byte, error) {
	if !s.next('"') {
		return nil, s.fail()
	}
	start, ascii := s.pos, true
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			raw := s.data[start:s.pos]
			if !ascii && !utf8.Valid(raw) {
				s.pos = start
				return s.unescape()
			}
			s.pos++
			return raw, nil
		case c == '\\':
			s.pos = start
			return s.unescape()
		case c < ' ':
			return nil, s.fail()
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, s.fail()
}
