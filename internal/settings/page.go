package settings

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// The titles of what is in no group: settings, which come last but one, and what is none, which comes last.
const (
	other = "Other"
	also  = "Also"
)

// grouped are the flags that people see, by group, the groups in the order of their definition.
func grouped(flags *pflag.FlagSet) (titles []string, groups map[string]*pflag.FlagSet) {
	groups = map[string]*pflag.FlagSet{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		title := other
		if t := f.Annotations[groupOf]; len(t) > 0 {
			title = t[0]
		} else if slices.Contains(unset, f.Name) {
			title = also
		}
		if groups[title] == nil {
			groups[title] = pflag.NewFlagSet(title, pflag.ContinueOnError)
			groups[title].SortFlags = false
			titles = append(titles, title)
		}
		groups[title].AddFlag(f)
	})
	last := []string{other, also}
	slices.SortStableFunc(titles, func(a, b string) int { return slices.Index(last, a) - slices.Index(last, b) })
	return titles, groups
}

// Help is the list of flags for a terminal.
func Help(flags *pflag.FlagSet) string {
	var b strings.Builder
	titles, groups := grouped(flags)
	for i, title := range titles {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:\n", title)
		groups[title].VisitAll(func(f *pflag.Flag) { writeHelp(&b, f) })
	}
	return b.String()
}

// The columns of help: where the second one begins, and where lines end.
const (
	helpColumn = 34
	helpWidth  = 100
)

// writeHelp writes a flag in two columns. One that is too long for the first has a line of its own.
func writeHelp(b *strings.Builder, f *pflag.Flag) {
	what, usage := pflag.UnquoteUsage(f)
	left := strings.TrimRight("      --"+f.Name+" "+what, " ")
	if f.Shorthand != "" {
		left = "  -" + f.Shorthand + "," + left[5:]
	}
	if d := shownDefault(f); d != "" {
		usage += " (default " + d + ")"
	}
	at := len(left)
	b.WriteString(left)
	if at+2 > helpColumn {
		b.WriteByte('\n')
		at = 0
	}
	fmt.Fprintf(b, "%*s", helpColumn-at, "")
	at = helpColumn
	for i, word := range strings.Fields(usage) {
		if i > 0 && at+1+len(word) > helpWidth {
			fmt.Fprintf(b, "\n%*s", helpColumn, "")
			at = helpColumn
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteByte('\n')
}

// shownDefault is a default that says something.
func shownDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "false", "0":
		return ""
	}
	return f.DefValue
}

// WriteTables writes what documentation has on the settings of a daemon: a table for each group.
func WriteTables(w io.Writer, flags *pflag.FlagSet) {
	titles, groups := grouped(flags)
	for _, title := range titles {
		if title == also {
			continue
		}
		fmt.Fprintf(w, "**%s**\n\n| setting | value | default | |\n|---|---|---|---|\n", title)
		groups[title].VisitAll(func(f *pflag.Flag) {
			what, usage := pflag.UnquoteUsage(f)
			fmt.Fprintf(w, "| `--%s` | %s | %s | %s |\n", f.Name, strings.ToLower(what), documentedDefault(f), cell(usage))
		})
		fmt.Fprintln(w)
	}
}

func documentedDefault(f *pflag.Flag) string {
	if d := f.Annotations[defaultOf]; len(d) > 0 {
		return d[0]
	}
	return cell(shownDefault(f))
}

// cell escapes what would end a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// WriteForeigns writes what documentation has on the settings of Mesos' daemon that have no meaning here.
func WriteForeigns(w io.Writer, flags *pflag.FlagSet, d Daemon, refused bool) {
	var reasons []string
	by := make(map[string][]string)
	for _, m := range Foreigns(d) {
		f := flags.Lookup(m.Name)
		if s, _ := of(f); m.Refused != refused || s == nil || !isForeign(s) {
			continue
		}
		name := "`" + m.Name + "`"
		if m.Refused && m.Silent != "" {
			name += " (but for `" + m.Silent + "`)"
		}
		if by[m.Why] == nil {
			reasons = append(reasons, m.Why)
		}
		by[m.Why] = append(by[m.Why], name)
	}
	fmt.Fprint(w, "| settings | why |\n|---|---|\n")
	for _, why := range reasons {
		fmt.Fprintf(w, "| %s | %s |\n", strings.Join(by[why], ", "), cell(why))
	}
	fmt.Fprintln(w)
}

func isForeign(s *setting) bool { _, ok := s.Value.(*foreign); return ok }
