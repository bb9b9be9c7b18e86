// Package settings finds the values of a daemon's flags where they were not given on the command line:
// in variables of the environment, ours and then those of Apache Mesos, and in a file. What is more
// specific wins:
//
//	--work-dir=/data           the command line
//	MESETA_WORK_DIR=/data      our variable
//	MESOS_WORK_DIR=/data       Mesos' variable, so that existing unit files go on
//	work_dir = /data           the file
//
// It owns the places and their order. It knows nothing of what a setting means: every value goes through
// the flag's own parser, and the error names the place that it came from.
package settings

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// prefixes of variables, the stronger first.
var prefixes = []string{"MESETA_", "MESOS_"}

// Sources are where settings come from beside the command line.
type Sources struct {
	// Lookup reads a variable of the environment, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// File is the text of a settings file: lines of "name = value", and of comments that begin with "#".
	// Nil means that there is none. FileName is for people.
	File     io.Reader
	FileName string
}

// Ignore adds settings of Mesos that mean nothing here, each with a word on why, as hidden flags. They
// are accepted with a warning, wherever they come from, so that existing unit files go on. Switches need
// no value.
func Ignore(flags *pflag.FlagSet, why map[string]string, switches ...string) {
	for _, name := range slices.Sorted(maps.Keys(why)) {
		f := flags.VarPF(&ignored{why: why[name]}, name, "", why[name])
		f.Hidden = true
		if slices.Contains(switches, name) {
			f.NoOptDefVal = "true"
		}
	}
}

// ignored is the value of a setting that means nothing.
type ignored struct{ why string }

func (*ignored) Set(string) error { return nil }
func (*ignored) String() string   { return "" }
func (*ignored) Type() string     { return "ignored" }

// Resolve sets every flag that was not given on the command line to what the sources say. It returns
// what should be said about ignored settings. The error names everything that is wrong.
func Resolve(flags *pflag.FlagSet, s Sources) (warnings []string, err error) {
	var wrong []error
	set := func(f *pflag.Flag, place, value string) {
		if v, ok := f.Value.(*ignored); ok {
			warnings = append(warnings, fmt.Sprintf("%s has no effect: %s", place, v.why))
			return
		}
		if f.Changed {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %q: %w", place, value, plain(err)))
		}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Value.(*ignored); ok && f.Changed {
			set(f, "--"+f.Name, "")
			return
		}
		for _, prefix := range prefixes {
			name := prefix + strings.ToUpper(underscored(f.Name))
			if value, ok := s.Lookup(name); ok {
				set(f, name, value)
				return
			}
		}
	})
	if s.File == nil {
		return warnings, errors.Join(wrong...)
	}
	lines, err := readFile(s.File)
	if err != nil {
		return warnings, fmt.Errorf("%s: %w", s.FileName, err)
	}
	for _, l := range lines {
		place := fmt.Sprintf("%s: line %d: %s", s.FileName, l.number, l.name)
		if f := flags.Lookup(l.name); f != nil {
			set(f, place, l.value)
		} else {
			wrong = append(wrong, fmt.Errorf("%s is not a setting; --help lists them all", place))
		}
	}
	return warnings, errors.Join(wrong...)
}

func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// plain takes the flag's name out of an error of pflag, because the place says it better, and the
// function's out of one of strconv.
func plain(err error) error {
	var number *strconv.NumError
	if errors.As(err, &number) {
		return fmt.Errorf("expected a number: %w", number.Err)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return invalid.Unwrap()
	}
	return err
}

// line is one setting of a file.
type line struct {
	number      int
	name, value string
}

// readFile reads a settings file. A name may come once.
func readFile(r io.Reader) ([]line, error) {
	var lines []line
	seen := make(map[string]int)
	text := bufio.NewScanner(r)
	for n := 1; text.Scan(); n++ {
		content := strings.TrimSpace(text.Text())
		if content == "" || strings.HasPrefix(content, "#") {
			continue
		}
		name, value, ok := strings.Cut(content, "=")
		if !ok {
			return nil, fmt.Errorf("line %d: %q: expected name = value", n, content)
		}
		l := line{number: n, name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
		if at := seen[underscored(l.name)]; at > 0 {
			return nil, fmt.Errorf("line %d: %s was set in line %d already", n, l.name, at)
		}
		seen[underscored(l.name)] = n
		lines = append(lines, l)
	}
	return lines, text.Err()
}
