package settings

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

// A Group is a part of a daemon's flags that belong together. Help and documentation show them under a
// title, in the order in which they were defined.
type Group struct {
	flags *pflag.FlagSet
	title string
}

// groupOf is the annotation that holds the title of a flag's group, defaultOf the one that holds the
// default that documentation shows, where it depends on the machine.
const (
	groupOf   = "meseta-group"
	defaultOf = "meseta-default"
)

// NewGroup begins a group.
func NewGroup(flags *pflag.FlagSet, title string) *Group {
	flags.SortFlags = false
	return &Group{flags: flags, title: title}
}

// Text is a setting that takes anything. What is the word that help has for it.
func (g *Group) Text(p *string, name, what, usage string) { g.Checked(p, name, what, usage, anything) }

func anything(string) error { return nil }

// Checked is a text that has to pass a check; the error says what was expected.
func (g *Group) Checked(p *string, name, what, usage string, check func(string) error) {
	add(g, p, name, what, usage, func(s string) (string, error) { return s, check(s) }, verbatim)
}

// IP is an address.
func (g *Group) IP(p *string, name, usage string) { g.Checked(p, name, "ADDRESS", usage, checkIP) }

// Directory is the path of a directory; documentation shows the default that is given.
func (g *Group) Directory(p *string, name, usage, documented string) {
	g.Checked(p, name, "DIRECTORY", usage, checkDirectory)
	g.annotate(name, defaultOf, documented)
}

// Port is a TCP port.
func (g *Group) Port(p *int, name, usage string) {
	add(g, p, name, "PORT", usage, parsePort, strconv.Itoa)
}

// Count is a number of things, one at least.
func (g *Group) Count(p *int, name, usage string) {
	add(g, p, name, "NUMBER", usage, parseCount, strconv.Itoa)
}

// Duration is a time span.
func (g *Group) Duration(p *time.Duration, name, usage string) {
	add(g, p, name, "DURATION", usage, parseDuration, formatDuration)
}

// Size is a number of bytes.
func (g *Group) Size(p *int64, name, usage string) {
	add(g, p, name, "SIZE", usage, parseSize, formatSize)
}

// Fraction is a part of a whole.
func (g *Group) Fraction(p *float64, name, usage string) {
	add(g, p, name, "FRACTION", usage, parseFraction, formatFraction)
}

// Percent is a part of a whole, written with a percent sign.
func (g *Group) Percent(p *int, name, usage string) {
	add(g, p, name, "PERCENT", usage, parsePercent, formatPercent)
}

// Rate is how often something may happen, in Mesos' syntax: so many times in so much time. What is kept is the
// time from one to the next.
func (g *Group) Rate(p *time.Duration, name, usage string) {
	add(g, p, name, "NUMBER/DURATION", usage, parseRate, formatRate)
}

// Level is from where on the log is written.
func (g *Group) Level(p *slog.LevelVar, name, usage string) {
	g.flags.Var((*level)(p), name, usage)
	g.annotate(name, groupOf, g.title)
}

// Variables are variables of an environment, as a JSON object.
func (g *Group) Variables(p *map[string]string, name, usage string) {
	add(g, p, name, "JSON", usage, parseVariables, formatVariables)
}

// HostPorts is a list of addresses.
func (g *Group) HostPorts(p *[]string, name, usage string) {
	add(g, p, name, "HOST:PORT", usage, parseHostPorts, formatHostPorts)
}

// Switch is on or off.
func (g *Group) Switch(p *bool, name, usage string) {
	add(g, p, name, "", usage, parseSwitch, strconv.FormatBool)
	g.flags.Lookup(name).NoOptDefVal = "true"
}

// add defines a flag whose default is what its variable holds.
func add[T any](g *Group, p *T, name, what, usage string, parse func(string) (T, error), format func(T) string) {
	g.flags.Var(&value[T]{p: p, what: what, parse: parse, format: format}, name, usage)
	g.annotate(name, groupOf, g.title)
}

func (g *Group) annotate(name, key, text string) {
	if err := g.flags.SetAnnotation(name, key, []string{text}); err != nil {
		panic(err) // the flag has just been defined
	}
}

// Duration adds a flag for a duration to a command that is no daemon.
func Duration(flags *pflag.FlagSet, p *time.Duration, name, usage string) {
	flags.Var(&value[time.Duration]{p: p, what: "DURATION", parse: parseDuration, format: formatDuration}, name, usage)
}
