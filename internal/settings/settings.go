// Package settings finds the values of a daemon's flags, wherever they were given. What is more specific
// wins:
//
//	--work-dir=/data           the command line
//	MESETA_WORK_DIR=/data      our variable
//	MESOS_WORK_DIR=/data       Mesos' variable, so that existing unit files go on
//	work_dir = /data           a file, or a directory with a file for each setting
//
// A daemon defines its flags in groups ([NewGroup]), each bound to a field of its configuration whose value
// at that time is the default, and hands them over with [Take]. [Resolve] then asks the other places. What
// help and documentation say is made from the same definitions (page.go).
//
// The invariant: a daemon that starts does what its settings say. A name that nobody knows is refused, with
// the nearest one that exists; so is a value that cannot be, with the place that it came from. Settings of
// Mesos that have no meaning here are a closed list (mesos.go): some are accepted with a warning, so that
// existing unit files start, and those that protect something are refused, because a cluster whose
// --authenticate_agents is ignored stands open.
package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Daemon says whose settings they are.
type Daemon string

// The daemons that take settings.
const (
	Master Daemon = "master"
	Agent  Daemon = "agent"
)

// unset are flags that are no settings: only the command line can have them.
var unset = []string{"help", "version", "ready-fd"}

// Take makes settings of a daemon's flags, all of which are defined: from now on they know where they were
// given. It adds the names that Mesos also has for them, "--no-…" for switches, and the settings of Mesos
// that have no meaning here.
func Take(flags *pflag.FlagSet, d Daemon) {
	var own []*pflag.Flag
	flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(unset, f.Name) {
			own = append(own, f)
		}
	})
	for _, f := range own {
		value := &setting{Value: f.Value}
		f.Value = value
		if f.NoOptDefVal == "true" {
			hide(flags.VarPF(negation{value}, "no-"+f.Name, "", ""), f.NoOptDefVal)
		}
		for _, alias := range aliases[f.Name] {
			hide(flags.VarPF(value, alias, "", f.Usage), f.NoOptDefVal)
		}
	}
	for _, m := range Foreigns(d) {
		if flags.Lookup(m.Name) != nil {
			continue // it has got a meaning
		}
		value := &setting{Value: &foreign{Foreign: m}}
		if !m.Switch {
			hide(flags.VarPF(value, m.Name, "", m.Why), "")
			continue
		}
		hide(flags.VarPF(value, m.Name, "", m.Why), "true")
		hide(flags.VarPF(negation{value}, "no-"+m.Name, "", m.Why), "true")
	}
}

func hide(f *pflag.Flag, without string) { f.Hidden, f.NoOptDefVal = true, without }

// setting is the value of a flag that knows where it was given.
type setting struct {
	pflag.Value
	place string // where it was given; "" while it has its default
	text  string // what was given
}

// Set takes a value of the command line.
func (s *setting) Set(text string) error {
	if s.place != "" && s.text != text {
		return fmt.Errorf("%q was given for the same setting before", s.text)
	}
	return s.take("the command line", text)
}

// take takes a value. One that begins with "file://" is in that file, as in Mesos.
func (s *setting) take(place, text string) error {
	s.place, s.text = place, text
	if path, ok := strings.CutPrefix(text, "file://"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(string(content))
	}
	return s.Value.Set(text)
}

// negation is "--no-name" of a switch.
type negation struct{ *setting }

func (n negation) Set(text string) error {
	no, err := strconv.ParseBool(text)
	if err != nil {
		return errors.New("expected true or false")
	}
	return n.setting.Set(strconv.FormatBool(!no))
}

// of gives the setting of a flag, and whether the flag says the contrary of it.
func of(f *pflag.Flag) (s *setting, contrary bool) {
	switch v := f.Value.(type) {
	case *setting:
		return v, false
	case negation:
		return v.setting, true
	}
	return nil, false
}

// Refusal makes a sentence of what parsing a command line of the command failed with.
func Refusal(command string, flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		name := unknown.GetSpecifiedName()
		return fmt.Errorf("--%s: %s has no such flag%s", name, command, suggestion("--", name, names(flags), command))
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s: %q: %w", invalid.GetFlag().Name, invalid.GetValue(), plain(err))
	case errors.As(err, &missing):
		return fmt.Errorf("--%s: expected a value, as in --%[1]s=%s", missing.GetFlag().Name, placeholder(missing.GetFlag()))
	}
	return err
}

// placeholder is what help shows for the value of a flag.
func placeholder(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	return strings.ToUpper(name)
}

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
