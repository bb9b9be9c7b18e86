package replay

import (
	"fmt"
	"strings"
)

// section is the text under one heading of the recording.
type section struct {
	part  string // heading of the second level
	title string // heading of the third level
	items []item
}

// item is one block of a section: a request, a response, an event, or prose.
type item struct {
	line     int
	caption  string // the prose before it
	request  *message
	response *message
	event    string // JSON of a record
}

// message is an HTTP request or response.
type message struct {
	start   string   // request or status line
	headers []string // as they were, in order
	body    string
}

// parse reads the recording.
func parse(text string) ([]section, error) {
	var sections []section
	current := &section{}
	var caption []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "## "):
			sections = append(sections, section{part: line[3:]})
			current = &sections[len(sections)-1]
		case strings.HasPrefix(line, "### "):
			sections = append(sections, section{part: current.part, title: line[4:]})
			current = &sections[len(sections)-1]
		case strings.HasPrefix(line, "```"):
			start := i + 1
			for i++; i < len(lines) && lines[i] != "```"; i++ {
			}
			if i == len(lines) {
				return nil, fmt.Errorf("line %d: block without an end", start)
			}
			it := item{line: start, caption: strings.TrimSpace(strings.Join(caption, " "))}
			it.fill(line[3:], lines[start:i])
			if it.request != nil || it.response != nil || it.event != "" {
				current.items = append(current.items, it)
			}
			caption = nil
		default:
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
