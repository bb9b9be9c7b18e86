package cli

import "fmt"

// Format is how things are printed.
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
