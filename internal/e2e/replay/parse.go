package replay

import (
	"fmt"
	"regexp"
	"strings"
)

// section is the text under one heading of the recording.
type section struct {
	part  string // heading of the second level
	title string // heading of the third level
	text  string // all of it
	items []item
}

// item is one block of a section: a request, a response, an event or plain text; or what became of a
// stream, which the recording says in prose.
type item struct {
	line     int
	caption  string // the prose before it
	request  *message
	response *message
	event    string // JSON of a record
	plain    string
	fate     string // of a stream, as stream.ended gives it or stillOpen
}

// message is an HTTP request or response.
type message struct {
	start   string   // request or status line
	headers []string // as they were, in order
	body    string
}

// fate finds what the recording says of a stream.
var fate = regexp.MustCompile(`(?:stream|connection)(?: then)?: (zero chunk|still open)\.$`)

const stillOpen = "still open"

// parse reads the recording.
func parse(text string) ([]section, error) {
	var sections []section
	current := &section{}
	var caption []string
	begin := func(s section) {
		sections = append(sections, s)
		current, caption = &sections[len(sections)-1], nil
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "## "):
			begin(section{part: line[3:]})
		case strings.HasPrefix(line, "### "):
			begin(section{part: current.part, title: line[4:]})
		case strings.HasPrefix(line, "```"):
			start := i + 1
			for i++; i < len(lines) && lines[i] != "```"; i++ {
			}
			if i == len(lines) {
				return nil, fmt.Errorf("line %d: block without an end", start)
			}
			it := item{line: start, caption: strings.TrimSpace(strings.Join(caption, " "))}
			it.fill(line[3:], lines[start:i])
			current.items = append(current.items, it)
			caption = nil
		default:
			current.text += line + "\n"
			if m := fate.FindStringSubmatch(strings.ToLower(line)); m != nil {
				current.items = append(current.items, item{line: i + 1, caption: line, fate: m[1]})
				continue
			}
			caption = append(caption, line)
		}
	}
	return sections, nil
}

func (it *item) fill(kind string, block []string) {
	switch {
	case kind == "json":
		it.event = strings.Join(block, "\n")
	case kind == "http" && strings.HasPrefix(block[0], "HTTP/"):
		it.response = readMessage(block)
	case kind == "http":
		it.request = readMessage(block)
	default:
		it.plain = strings.Join(block, "\n")
	}
}

func readMessage(block []string) *message {
	m := &message{start: block[0]}
	i := 1
	for ; i < len(block) && block[i] != ""; i++ {
		m.headers = append(m.headers, block[i])
	}
	if i < len(block) {
		m.body = strings.Join(block[i+1:], "\n")
	}
	if m.body == "(empty body)" {
		m.body = ""
	}
	return m
}

// header finds a header's value.
func (m *message) header(name string) (string, bool) {
	for _, h := range m.headers {
		if k, v, _ := strings.Cut(h, ": "); strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}
