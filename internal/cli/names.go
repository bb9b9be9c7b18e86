package cli

import (
	"errors"
	"fmt"
	"strings"
)

// naming is how a kind of thing is named on the command line.
type naming[T any] struct {
	noun   string
	list   string // the command that lists them
	id     func(T) string
	called func(T) string // what people may call it too; may be empty
	name   func(T) string // what tells people which one it is
}

// errUnknown is within the error for a name that nothing has.
var errUnknown = errors.New("not known")

// find finds the one thing that is meant: by its whole id, else by its name, else by the beginning of its id or
// by the short form in which tables show it.
func (n naming[T]) find(all []T, called string) (found T, err error) {
	for _, is := range []func(T) bool{
		func(t T) bool { return n.id(t) == called },
		func(t T) bool { return called != "" && n.called(t) == called },
		func(t T) bool { return called != "" && fits(n.id(t), called) },
	} {
		var several []T
		for _, t := range all {
			if is(t) {
				several = append(several, t)
			}
		}
		switch len(several) {
		case 0:
		case 1:
			return several[0], nil
		default:
			return found, fmt.Errorf("%s %q: %d are called like this:\n%s\ngive more of the id",
				n.noun, called, len(several), n.candidates(several))
		}
	}
	return found, fmt.Errorf("%s %q: %w; list them with: %s", n.noun, called, errUnknown, n.list)
}

// fits tells whether an id begins like this, or begins and ends like a short form.
func fits(id, called string) bool {
	called = strings.ReplaceAll(called, "...", "…")
	head, tail, elided := strings.Cut(called, "…")
	if !elided {
		return strings.HasPrefix(id, called)
	}
	return len(id) >= len(head)+len(tail) && strings.HasPrefix(id, head) && strings.HasSuffix(id, tail)
}

// maxCandidates are the things that a complaint names.
const maxCandidates = 10

func (n naming[T]) candidates(several []T) string {
	var lines []string
	for i, t := range several {
		if i == maxCandidates {
			lines = append(lines, fmt.Sprintf("  … and %d more", len(several)-i))
			break
		}
		line := "  " + visible(n.id(t))
		if name := n.name(t); name != "" {
			line += "  (" + visible(name) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
