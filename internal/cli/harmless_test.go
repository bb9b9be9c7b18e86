package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLogsCannotSteerATerminal(t *testing.T) {
	for _, test := range []struct{ name, written, colored, plain string }{
		{"text", "a\tb\nä€\n", "a\tb\nä€\n", "a\tb\nä€\n"},
		{"colours", "\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m", "red"},
		{"the screen is not cleared", "\x1b[2J\x1b[H", `\x1b[2J\x1b[H`, `\x1b[2J\x1b[H`},
		{"the title is not set", "\x1b]0;owned\a", `\x1b]0;owned\a`, `\x1b]0;owned\a`},
		{"lines are not written over", "100%\r0%", `100%\r0%`, `100%\r0%`},
		{"lines of DOS", "a\r\nb\r\n", "a\nb\n", "a\nb\n"},
		{"order is not turned", "\u202eabc", `\u202eabc`, `\u202eabc`},
		{"bytes", "\x00\xff\x80ä\x9b2J", `\x00\xff\x80ä\x9b2J`, `\x00\xff\x80ä\x9b2J`},
		{"what never becomes whole", "a\x1b[31", `a\x1b[31`, `a\x1b[31`},
		{"endless colours", "\x1b[" + strings.Repeat("1;", 50) + "m", `\x1b[` + strings.Repeat("1;", 50) + "m", `\x1b[` + strings.Repeat("1;", 50) + "m"},
		{"half a rune", "a\xe2\x82", `a\xe2\x82`, `a\xe2\x82`},
	} {
		for _, colored := range []bool{true, false} {
			want := map[bool]string{true: test.colored, false: test.plain}[colored]
			for name, in := range map[string]io.Reader{
				"at once":      strings.NewReader(test.written),
				"byte by byte": iotest.OneByteReader(strings.NewReader(test.written)),
			} {
				var out bytes.Buffer
				h := &harmless{w: &out, colored: colored}
				if _, err := io.Copy(struct{ io.Writer }{h}, struct{ io.Reader }{in}); err != nil {
					t.Fatal(err)
				}
				if err := h.close(); err != nil || out.String() != want {
					t.Errorf("%s, %s, colours %t: %q, %v; want %q", test.name, name, colored, out.String(), err, want)
				}
			}
		}
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add([]byte("a\x1b[31mb\r\n"), 3)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		var out bytes.Buffer
		h := &harmless{w: &out}
		at = min(max(at, 0), len(b))
		h.Write(b[:at])
		h.Write(b[at:])
		h.close()
		for _, r := range out.String() {
			if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
				t.Fatalf("%q became %q", b, out.String())
			}
		}
	})
}
