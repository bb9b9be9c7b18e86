package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Format is how lists are printed.
type Format string

// The formats.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
)

// Set reads a format from a flag.
func (f *Format) Set(s string) error {
	switch Format(s) {
	case Table, Wide, JSON:
		*f = Format(s)
		return nil
	}
	return fmt.Errorf("%q: expected table, wide or json", s)
}

// String is the format's name.
func (f *Format) String() string { return string(*f) }

// Type is what the help calls it.
func (f *Format) Type() string { return "format" }

// column is one column of a table.
type column[R any] struct {
	title string
	cell  func(R) string
	wide  bool // shown only when asked for
}

// printList prints rows as a table for people or as a JSON array for programs.
func printList[R any](w io.Writer, f Format, rows []R, columns []column[R]) error {
	if f == JSON {
		if rows == nil {
			rows = []R{}
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	line := func(cell func(column[R]) string) {
		var cells []string
		for _, c := range columns {
			if !c.wide || f == Wide {
				cells = append(cells, cell(c))
			}
		}
		fmt.Fprintln(out, strings.Join(cells, "\t"))
	}
	line(func(c column[R]) string { return c.title })
	for _, r := range rows {
		line(func(c column[R]) string { return orDash(visible(c.cell(r))) })
	}
	return out.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// visible writes out what a terminal would obey instead of showing it: names in a list are chosen by strangers.
func visible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
