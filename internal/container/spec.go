package container

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ID names a container. The agent chooses it and writes it down before the
// launch; it is part of a directory's name and of the environment, hence its
// narrow alphabet: letters, digits, '.', '_' and '-', not beginning with '.',
// at most [MaxIDLen] of them.
type ID string

// EnvID is the variable that carries a container's id in the environment of all
// its processes. Without cgroups it is what tells whose process one is.
const EnvID = "MESETA_CONTAINER"

// Bounds on what a Spec may hold.
const (
	MaxIDLen  = 128
	MaxArgs   = 2 << 20 // bytes of Argv and Env together, as the kernel's usual limit
	MaxGroups = 1024
	MaxGrace  = 366 * 24 * time.Hour
	MaxBinds  = 64
)

// Spec says what to run and how.
type Spec struct {
	ID ID

	// Argv is the program and its arguments. A program without a slash is searched
	// in the PATH of Env; one with a slash that is not absolute is found from Dir.
	Argv []string

	// Program is the program where it is not Argv[0], which then is only what the
	// program is told to be called. It is found in the same way.
	Program string

	// Env is the whole environment, "NAME=value" each; nothing is inherited.
	// MESETA_CONTAINER is added.
	Env []string

	// Dir is the absolute working directory.
	Dir string

	// User is whom the processes run as; nil is the supervisor's own user. Only
	// root can switch.
	User *User

	// Stdout and Stderr are absolute paths of files to append to, created with mode
	// 0644 where missing and never reached through a symbolic link. They are opened
	// with the rights of User. Empty is /dev/null. Stdin is always /dev/null.
	Stdout, Stderr string

	// OutputCap bounds what each of these two files takes of the disk: of one that
	// grows over it, the head is given back, a hole in its place, and about the last
	// three quarters of OutputCap stay. Offsets and the file's size do not change.
	// Zero is no bound.
	OutputCap uint64

	// NoNewPrivs denies new privileges through setuid programs.
	NoNewPrivs bool

	// Capabilities are all that any process of the container can ever have: root has
	// them, another user has none but may reach them through programs that grant
	// them. Nil leaves everything as the supervisor has it.
	Capabilities *Capabilities

	// Namespaces are the kernel namespaces the container gets for itself.
	Namespaces Namespaces

	// Binds show directories and files at other places, in this order; they need
	// NamespaceMount. If one hides Dir, Dir is shown at its own place again.
	Binds []Bind

	// Limits are enforced as far as the machine can: see Ability.
	Limits Limits
}

// User is an identity to run as: numbers, because looking up names may need the
// network and is the agent's business.
type User struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups
}

// Bind shows in the container at Target, an absolute path that must exist, what
// is at Source, an absolute path that must not be in the hands of the container's
// user yet.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// Namespaces is a set of kernel namespaces.
type Namespaces uint32

// The namespaces a container can have for itself. They go over the wire: never
// renumber.
const (
	NamespacePID   Namespaces = 1 << 0 // with a /proc of its own, hence also a mount namespace
	NamespaceMount Namespaces = 1 << 1
	NamespaceIPC   Namespaces = 1 << 2 // with a /dev/shm of its own, if it has a mount namespace too
)

const knownNamespaces = NamespacePID | NamespaceMount | NamespaceIPC

// Validate complains about all that makes the id unusable, in one error.
func (id ID) Validate() error {
	if id == "" {
		return errors.New("container id is empty, expected 1 to 128 letters, digits, '.', '_' or '-'")
	}
	if len(id) > MaxIDLen {
		return fmt.Errorf("container id of %d bytes is too long, expected at most %d", len(id), MaxIDLen)
	}
	if id[0] == '.' {
		return fmt.Errorf("container id %q begins with a dot", id)
	}
	for _, c := range []byte(id) {
		if !isIDByte(c) {
			return fmt.Errorf("container id %q has the character %q, expected letters, digits, '.', '_' and '-' only", id, c)
		}
	}
	return nil
}

func isIDByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// Validate complains about everything in the spec that can be seen to be wrong
// without touching the machine, in one error that wraps [ErrInvalid].
func (s *Spec) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := s.ID.Validate(); err != nil {
		errs = append(errs, err)
	}
	if len(s.Argv) == 0 || s.Argv[0] == "" && s.Program == "" {
		complain("argv is empty, expected a program to run")
	}
	if strings.IndexByte(s.Program, 0) >= 0 {
		complain("program contains a zero byte")
	}
	size := len(s.Program)
	for i, arg := range s.Argv {
		size += len(arg) + 1
		if strings.IndexByte(arg, 0) >= 0 {
			complain("argv[%d] contains a zero byte", i)
		}
	}
	for i, kv := range s.Env {
		size += len(kv) + 1
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" || strings.IndexByte(kv, 0) >= 0 {
			complain("env[%d] is %.40q, expected NAME=value without a zero byte", i, kv)
		}
	}
	if size > MaxArgs {
		complain("argv and env hold %d bytes, expected at most %d", size, MaxArgs)
	}
	for _, p := range []struct {
		field, path string
		required    bool
	}{{"dir", s.Dir, true}, {"stdout", s.Stdout, false}, {"stderr", s.Stderr, false}} {
		if p.path == "" && !p.required {
			continue
		}
		if !absolute(p.path) {
			complain("%s is %q, expected an absolute path", p.field, p.path)
		}
	}
	if s.User != nil && len(s.User.Groups) > MaxGroups {
		complain("user has %d groups, expected at most %d", len(s.User.Groups), MaxGroups)
	}
	if len(s.Binds) > MaxBinds {
		complain("%d binds, expected at most %d", len(s.Binds), MaxBinds)
	}
	if len(s.Binds) > 0 && s.Namespaces&(NamespaceMount|NamespacePID) == 0 {
		complain("binds without a mount namespace would be the whole machine's")
	}
	for i, b := range s.Binds {
		if !absolute(b.Source) || !absolute(b.Target) {
			complain("binds[%d] shows %q at %q, expected absolute paths", i, b.Source, b.Target)
		}
	}
	if err := s.Limits.Validate(); err != nil {
		errs = append(errs, err)
	}
	if extra := s.Namespaces &^ knownNamespaces; extra != 0 {
		complain("namespaces %#x are not known here", uint32(extra))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("container %q: %w: %w", s.ID, ErrInvalid, errors.Join(errs...))
}

func absolute(path string) bool {
	return strings.HasPrefix(path, "/") && strings.IndexByte(path, 0) < 0
}
