package ids

import (
	"slices"
	"strings"
	"testing"
)

func TestRolesThatMesosRefusesAreRefusedInItsWords(t *testing.T) {
	for _, tt := range []struct{ role, want string }{
		{"*", ""},
		{"dev", ""},
		{"eng/backend/api", ""},
		{"a.b", ""},
		{"x*", ""},
		{"", "A role needs a name"},
		{"/x", "Role '/x' cannot start with a slash"},
		{"x/", "Role 'x/' has a slash at its end"},
		{"a//b", "Role 'a//b' cannot have an empty component"},
		{"a/../b", "Role 'a/../b' cannot have the component '..'"},
		{"./a", "Role './a' cannot have the component '.'"},
		{"a/*", "Role 'a/*' cannot have the component '*'"},
		{"-a", "Role component '-a' begins with a dash"},
		{"a b", "Role component 'a b' is invalid because it contains backspace or whitespace"},
		{"x/a\x7f", "Role component 'a\x7f' is invalid because it contains backspace or whitespace"},
		{strings.Repeat("a", 1025), "Role 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' is longer than 1024 bytes"},
	} {
		got := ""
		if err := Role(tt.role).Validate(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Role(%q).Validate() = %q, want %q", tt.role, got, tt.want)
		}
	}
}

func TestRolePath(t *testing.T) {
	got := slices.Collect(Role("a/b/c").Path())
	if want := []Role{"a", "a/b", "a/b/c"}; !slices.Equal(got, want) {
		t.Errorf("path of a/b/c = %q, want %q", got, want)
	}
	if parent, ok := Role("a/b/c").Parent(); !ok || parent != "a/b" {
		t.Errorf("parent of a/b/c = %q, %v", parent, ok)
	}
	if _, ok := Role("a").Parent(); ok {
		t.Error("a has a parent")
	}
}

func TestRoleWithin(t *testing.T) {
	for _, tt := range []struct {
		role, ancestor Role
		want           bool
	}{
		{"a", "a", true},
		{"a/b", "a", true},
		{"a/b/c", "a/b", true},
		{"ab", "a", false},
		{"a", "a/b", false},
		{"*", "a", false},
	} {
		if got := tt.role.Within(tt.ancestor); got != tt.want {
			t.Errorf("%q within %q = %v, want %v", tt.role, tt.ancestor, got, tt.want)
		}
	}
}
