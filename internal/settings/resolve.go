package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Sources are where settings come from beside the command line.
type Sources struct {
	// Command is what the flags belong to, for people: "meseta master".
	Command string
	// Environ is the environment, as os.Environ gives it.
	Environ []string
	// Elsewhere tells of the names of our variables that mean something to somebody else.
	Elsewhere func(name string) bool
	// File holds the path of a settings file or directory, or "". It is looked at after the variables,
	// so that it may be a setting itself.
	File *string
}

// Given is a setting that does not have its default.
type Given struct{ Name, Value, Place string }

// Report is what people should hear of the settings of a daemon.
type Report struct {
	Warnings []string
	Given    []Given
}

// Resolve sets every flag that was not given on the command line to what the other places say. The flags
// went through Take. The error names everything that is wrong.
func Resolve(flags *pflag.FlagSet, s Sources) (Report, error) {
	r := resolver{flags: flags, sources: s}
	r.fromCommandLine()
	ours, mesos := split(s.Environ)
	r.fromVariables("MESETA_", ours)
	r.fromVariables("MESOS_", mesos)
	r.unknownVariables(ours)
	r.encryption(s.Environ)
	if s.File != nil && *s.File != "" {
		r.fromFile()
	}
	return r.report(), errors.Join(r.wrong...)
}

type resolver struct {
	flags    *pflag.FlagSet
	sources  Sources
	warnings []string
	wrong    []error
}

// fromCommandLine warns of what has no meaning; the values are set.
func (r *resolver) fromCommandLine() {
	r.flags.VisitAll(func(f *pflag.Flag) {
		if s, _ := of(f); s != nil && f.Changed {
			r.heed("--"+f.Name, s)
		}
	})
}

// split gives the values of variables with our prefix and with Mesos', by name without it.
func split(environ []string) (ours, mesos map[string]string) {
	ours, mesos = make(map[string]string), make(map[string]string)
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if n, ok := strings.CutPrefix(name, "MESETA_"); ok {
			ours[n] = value
		} else if n, ok := strings.CutPrefix(name, "MESOS_"); ok {
			mesos[n] = value
		}
	}
	return ours, mesos
}

func variable(flag string) string { return strings.ToUpper(underscored(flag)) }

func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

func (r *resolver) fromVariables(prefix string, values map[string]string) {
	r.flags.VisitAll(func(f *pflag.Flag) {
		if value, ok := values[variable(f.Name)]; ok {
			r.set(f, prefix+variable(f.Name), value)
		}
	})
}

// unknownVariables refuses variables that look like settings, but for a slip; others it warns of.
func (r *resolver) unknownVariables(values map[string]string) {
	var known []string
	for _, n := range names(r.flags) {
		known = append(known, variable(n))
	}
	var unknown []string
	for name := range values {
		if !slices.Contains(known, name) && (r.sources.Elsewhere == nil || !r.sources.Elsewhere(name)) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if near := nearest(name, known); near != "" {
			r.refuse("MESETA_%s is not a setting of %s; did you mean MESETA_%s?", name, r.sources.Command, near)
		} else {
			r.warnings = append(r.warnings, fmt.Sprintf("MESETA_%s is not a setting of %s and has no effect", name, r.sources.Command))
		}
	}
}

// encryption refuses what would make Mesos speak TLS: whoever sets it does not want plain HTTP.
func (r *resolver) encryption(environ []string) {
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if on, ok := truth(value); (name == "LIBPROCESS_SSL_ENABLED" || name == "SSL_ENABLED") && (on || !ok) {
			r.refuse("%s=%s: TLS is not built yet, and without it everything would be sent in the clear", name, value)
		}
	}
}

// truth reads a value of a switch.
func truth(value string) (on, ok bool) {
	switch strings.ToLower(value) {
	case "true", "1":
		return true, true
	case "false", "0", "":
		return false, true
	}
	return false, false
}

func (r *resolver) fromFile() {
	given, err := read(*r.sources.File)
	if err != nil {
		r.wrong = append(r.wrong, err)
		return
	}
	for _, g := range given {
		place := g.place + ": " + g.name
		f := r.flags.Lookup(g.name)
		if f == nil || slices.Contains(unset, f.Name) {
			r.refuse("%s: %s has no such setting%s", place, r.sources.Command, suggestion("", g.name, names(r.flags), r.sources.Command))
			continue
		}
		r.set(f, place, g.value)
	}
}

// set gives a setting what a place says, unless one that is more specific has said something.
func (r *resolver) set(f *pflag.Flag, place, value string) {
	s, contrary := of(f)
	if s == nil {
		return
	}
	if contrary {
		on, ok := truth(value)
		if !ok {
			r.refuse("%s: %q: expected true or false", place, value)
			return
		}
		value = fmt.Sprint(!on)
	}
	if s.place != "" {
		return
	}
	if err := s.take(place, value); err != nil {
		r.refuse("%s: %q: %w", place, value, plain(err))
		return
	}
	r.heed(place, s)
}

// heed collects what is to be said of a setting that was given.
func (r *resolver) heed(place string, s *setting) {
	if m, ok := s.Value.(*foreign); ok && m.heeded {
		r.warnings = append(r.warnings, fmt.Sprintf("%s has no effect: %s", place, m.Why))
	}
}

func (r *resolver) refuse(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf(format, args...))
}

func (r *resolver) report() Report {
	report := Report{Warnings: r.warnings}
	r.flags.VisitAll(func(f *pflag.Flag) {
		if s, _ := of(f); s != nil && s.place != "" && !f.Hidden {
			report.Given = append(report.Given, Given{Name: underscored(f.Name), Value: s.String(), Place: s.place})
		}
	})
	return report
}
