package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// column is one column of a table.
type column[R any] struct {
	title string
	cell  func(R) string
	kind  kind
	wide  bool // shown only when asked for
}

// kind is what can be done to the cells of a column on a terminal.
type kind int

const (
	asItIs kind = iota
	anID        // may be shortened where the terminal is narrow; the short form still names it
	aState      // has a colour
	prose       // may be cut where the terminal is narrow
)

// list is what a command that lists prints: rows, and the columns in which people see them.
type list[R any] struct {
	rows    []R
	columns []column[R]
	empty   string // what people are told in place of no rows
}

// print prints the list for people or, as a JSON array, for programs.
func (l *list[R]) print(w io.Writer, s *Screen, f Format) error {
	if f == JSON {
		if l.rows == nil {
			l.rows = []R{}
		}
		return printJSON(w, l.rows)
	}
	if len(l.rows) == 0 && s.Terminal() && l.empty != "" {
		_, err := fmt.Fprintln(w, l.empty)
		return err
	}
	_, err := w.Write(l.table(s, f))
	return err
}

func printJSON(w io.Writer, what any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(what)
}

const gap = "   " // between columns

// table draws the list. On a terminal that is too narrow ids become short, and then prose is cut, unless all of
// it was asked for: a line that wraps is hard to read. In a pipe everything is whole.
func (l *list[R]) table(s *Screen, f Format) []byte {
	var columns []column[R]
	for _, c := range l.columns {
		if !c.wide || f == Wide {
			columns = append(columns, c)
		}
	}
	cells := make([][]string, len(columns))
	for i, c := range columns {
		cells[i] = append(cells[i], c.title)
		for _, r := range l.rows {
			cells[i] = append(cells[i], orDash(visible(c.cell(r))))
		}
	}
	if s.Terminal() {
		for i, c := range columns {
			if c.kind == anID && total(cells) > s.width {
				shorten(cells[i][1:])
			}
		}
		for i, c := range columns {
			if over := total(cells) - s.width; c.kind == prose && over > 0 && f != Wide {
				cut(cells[i], max(10, width(cells[i])-over))
			}
		}
	}
	return draw(s, columns, cells)
}

// draw lays the cells out, the title first.
func draw[R any](s *Screen, columns []column[R], cells [][]string) []byte {
	var out bytes.Buffer
	if len(columns) == 0 {
		return nil
	}
	for n := range cells[0] {
		for i, c := range columns {
			text, look := cells[i][n], plain
			switch {
			case n == 0:
				look = dim
			case c.kind == aState:
				look = stateColor(text)
			}
			out.WriteString(s.paint(look, text))
			if i < len(columns)-1 {
				out.WriteString(strings.Repeat(" ", width(cells[i])-utf8.RuneCountInString(text)) + gap)
			}
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// width is that of the longest of some cells.
func width(cells []string) (longest int) {
	for _, text := range cells {
		longest = max(longest, utf8.RuneCountInString(text))
	}
	return longest
}

// total is the width of a table.
func total(cells [][]string) (sum int) {
	for _, column := range cells {
		sum += width(column)
	}
	return sum + (len(cells)-1)*len(gap)
}

func shorten(cells []string) {
	for i, text := range cells {
		cells[i] = shortID(text)
	}
}

// shortID is an id without its middle. Ids of one cluster begin alike and are told apart by their ends.
func shortID(id string) string {
	const head, tail = 8, 5
	r := []rune(id)
	if len(r) <= head+1+tail+1 {
		return id
	}
	end := len(r) - tail
	if at := strings.LastIndexByte(id, '-'); at >= 0 {
		if n := utf8.RuneCountInString(id[at:]); n <= tail+1 {
			end = len(r) - n
		}
	}
	return string(r[:head]) + "…" + string(r[end:])
}

// cut shortens cells to a width.
func cut(cells []string, width int) {
	for i, text := range cells {
		if r := []rune(text); len(r) > width {
			cells[i] = string(r[:width-1]) + "…"
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// visible writes out what a terminal would obey instead of showing it: names in a list are chosen by strangers.
func visible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		s = s[n:]
	}
	return b.String()
}
