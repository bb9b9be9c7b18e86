package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/wire"
)

// sheet is all there is to say about one thing: facts, and below them tables.
type sheet struct {
	screen *Screen
	facts  []fact
	tables bytes.Buffer
}

type fact struct {
	name, text string
	look       color
}

// add adds a fact, unless there is nothing to say.
func (s *sheet) add(name, text string) { s.addLike(name, text, plain) }

func (s *sheet) addLike(name, text string, look color) {
	if text != "" {
		s.facts = append(s.facts, fact{name, visible(text), look})
	}
}

// addTable adds a table with a heading, unless it is empty.
func addTable[R any](s *sheet, heading string, l list[R]) {
	if len(l.rows) > 0 {
		fmt.Fprintf(&s.tables, "\n%s\n%s", s.screen.paint(bold, heading), l.table(s.screen, Table))
	}
}

// print prints the sheet. Facts that do not fit into a line of a terminal go on below their beginning.
func (s *sheet) print() error {
	var out bytes.Buffer
	names := 0
	for _, f := range s.facts {
		names = max(names, utf8.RuneCountInString(f.name))
	}
	for _, f := range s.facts {
		lines := []string{f.text}
		if s.screen.Terminal() {
			lines = wrap(f.text, max(20, s.screen.width-names-len(gap)))
		}
		for i, line := range lines {
			name := pick(i == 0, f.name, "")
			fmt.Fprintf(&out, "%s%s%s\n", s.screen.paint(dim, name),
				strings.Repeat(" ", names-utf8.RuneCountInString(name)+len(gap)), s.screen.paint(f.look, line))
		}
	}
	out.Write(s.tables.Bytes())
	return s.screen.page(out.Bytes())
}

// wrap breaks text between words where it is longer than a width. A word that is longer itself stays whole: it
// may be there to be copied.
func wrap(text string, width int) (lines []string) {
	for word := range strings.SplitSeq(text, " ") {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// printMessage prints a message of the API as programs know it, in JSON.
func printMessage(s *Screen, m proto.Message) error {
	line, err := wire.JSON.Marshal(m)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, line, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	return s.page(out.Bytes())
}

// labels are labels as "a=1, b=2".
func labels(m *mesos.Labels) string {
	var all []string
	for _, l := range m.GetLabels() {
		text := l.GetKey()
		if l.Value != nil {
			text += "=" + l.GetValue()
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
