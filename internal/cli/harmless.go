package cli

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// harmless writes text of strangers to a terminal: colours pass, where there are colours, and everything else
// that a terminal would obey is written out. A line that ends like one of DOS ends like one of ours.
type harmless struct {
	w       io.Writer
	colored bool
	rest    []byte // the beginning of something that is not whole yet
	painted bool   // colours were changed
}

func (h *harmless) Write(b []byte) (int, error) {
	h.rest = append(h.rest, b...)
	var out bytes.Buffer
	n := h.translate(&out, false)
	h.rest = append(h.rest[:0], h.rest[n:]...)
	_, err := h.w.Write(out.Bytes())
	return len(b), err
}

// close writes what was never made whole, and takes colours back.
func (h *harmless) close() error {
	var out bytes.Buffer
	h.translate(&out, true)
	if h.painted {
		out.WriteString("\x1b[0m")
	}
	_, err := h.w.Write(out.Bytes())
	return err
}

// translate writes what can be written and returns how much of rest that was. At the end it is all.
func (h *harmless) translate(out *bytes.Buffer, end bool) (n int) {
	for n < len(h.rest) {
		b := h.rest[n:]
		paint, whole := colorSequence(b)
		switch {
		case !end && (!whole || b[0] == '\r' && len(b) == 1 || !utf8.FullRune(b)):
			return n
		case paint > 0:
			if h.colored {
				out.Write(b[:paint])
				h.painted = true
			}
			n += paint
		case bytes.HasPrefix(b, []byte("\r\n")):
			out.WriteByte('\n')
			n += 2
		case b[0] == '\n' || b[0] == '\t':
			out.WriteByte(b[0])
			n++
		default:
			_, size := utf8.DecodeRune(b)
			out.WriteString(visible(string(b[:size])))
			n += size
		}
	}
	return n
}

// maxColorSequence is the longest change of colour that is taken for one.
const maxColorSequence = 40

// colorSequence tells how long the change of colour is with which b begins; 0 if it begins with none. It is not
// whole if more of it may come.
func colorSequence(b []byte) (length int, whole bool) {
	if b[0] != '\x1b' {
		return 0, true
	}
	if len(b) > 1 && b[1] != '[' {
		return 0, true
	}
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] == 'm':
			return i + 1, true
		case i > maxColorSequence || !strings.ContainsRune("0123456789;:", rune(b[i])):
			return 0, true
		}
	}
	return 0, false
}
