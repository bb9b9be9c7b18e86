package ids

import (
	"fmt"
	"iter"
	"strings"
)

// AnyRole is the role that everybody shares: what is reserved to nobody is
// written on the wire as belonging to it.
const AnyRole Role = "*"

// maxRole bounds a role's length in bytes, and so the depth of a role tree:
// Mesos has no bound, and a tree grown from one hostile name would not either.
const maxRole = 1024

// Validate says whether r may name a role. The sentences are those that Mesos
// answers with where an answer was recorded (a slash in front, whitespace), and
// our own elsewhere.
func (r Role) Validate() error {
	switch name := string(r); {
	case r == AnyRole:
		return nil
	case name == "":
		return fmt.Errorf("A role needs a name")
	case len(name) > maxRole:
		return fmt.Errorf("Role '%.32s…' is longer than %d bytes", name, maxRole)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("Role '%s' cannot start with a slash", name)
	case strings.HasSuffix(name, "/"):
		return fmt.Errorf("Role '%s' has a slash at its end", name)
	}
	for component := range strings.SplitSeq(string(r), "/") {
		if err := r.validateComponent(component); err != nil {
			return err
		}
	}
	return nil
}

func (r Role) validateComponent(component string) error {
	switch {
	case component == "":
		return fmt.Errorf("Role '%s' cannot have an empty component", r)
	case component == "." || component == ".." || component == "*":
		return fmt.Errorf("Role '%s' cannot have the component '%s'", r, component)
	case strings.HasPrefix(component, "-"):
		return fmt.Errorf("Role component '%s' begins with a dash", component)
	case strings.ContainsAny(component, "\t\n\v\f\r \x7f"):
		return fmt.Errorf("Role component '%s' is invalid because it contains backspace or whitespace", component)
	}
	return nil
}

// Parent is the role one level up: "eng" for "eng/backend". A role without a
// slash has none.
func (r Role) Parent() (Role, bool) {
	slash := strings.LastIndexByte(string(r), '/')
	if slash < 0 {
		return "", false
	}
	return r[:slash], true
}

// Within says whether r is ancestor or one of its descendants.
func (r Role) Within(ancestor Role) bool {
	rest, ok := strings.CutPrefix(string(r), string(ancestor))
	return ok && (rest == "" || rest[0] == '/')
}

// Path yields the roles from the topmost ancestor down to r itself.
func (r Role) Path() iter.Seq[Role] {
	return func(yield func(Role) bool) {
		for i, c := range r {
			if c == '/' && !yield(r[:i]) {
				return
			}
		}
		yield(r)
	}
}
