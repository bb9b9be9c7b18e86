package spawn

import (
	"iter"
	"syscall"
	"unsafe"
)

// namespaces makes the child's mount namespace its own: nothing that is mounted in
// it is seen outside, and it gets what its other namespaces and its Mounts need.
func (s *script) namespaces(c *Command) {
	s.step = StepNamespaces
	if c.CloneFlags&syscall.CLONE_NEWNS == 0 {
		return
	}
	root := s.str("/")
	s.add(mustSucceed, "/", syscall.SYS_MOUNT, 0, root, 0, syscall.MS_REC|syscall.MS_SLAVE)
	if c.PIDNamespace != 0 {
		fs, proc := s.str("proc"), s.str("/proc")
		s.add(mustSucceed, "/proc", syscall.SYS_MOUNT, fs, proc, fs, syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC)
	}
	s.mounts(c)
}

// mounts makes the Mounts. Where they hide Dir, it can still be reached by way of
// the working directory.
func (s *script) mounts(c *Command) {
	hidden := c.hidden()
	dir := s.str(c.Dir)
	if hidden != "" {
		s.add(mustSucceed, c.Dir, syscall.SYS_CHDIR, dir)
	}
	for i := range c.Mounts {
		s.mount(&c.Mounts[i])
	}
	if hidden == "" {
		return
	}
	for path := range parents(hidden, c.Dir) {
		s.add(mayFail, path, syscall.SYS_MKDIRAT, atCWD, s.str(path), 0o755)
	}
	s.add(mustSucceed, c.Dir, syscall.SYS_MOUNT, s.str("."), dir, 0, syscall.MS_BIND|syscall.MS_REC)
}

func (s *script) mount(m *Mount) {
	target := s.str(m.Target)
	if m.Source == "" {
		fs := s.str("tmpfs")
		s.add(mustSucceed, m.Target, syscall.SYS_MOUNT, fs, target, fs, syscall.MS_NOSUID|syscall.MS_NODEV, s.str("mode=1777"))
		return
	}
	s.add(mustSucceed, m.Target, syscall.SYS_MOUNT, s.str(m.Source), target, 0, syscall.MS_BIND)
	if m.ReadOnly {
		s.add(mustSucceed, m.Target, syscall.SYS_MOUNT, 0, target, 0, syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY)
	}
}

// hidden is the target of a mount that hides Dir, or empty.
func (c *Command) hidden() string {
	for i := range c.Mounts {
		target := c.Mounts[i].Target
		if c.Dir == target || len(c.Dir) > len(target) && c.Dir[:len(target)] == target && (c.Dir[len(target)] == '/' || target == "/") {
			return target
		}
	}
	return ""
}

// parents yields path and the directories above it that are below top, the highest
// first.
func parents(top, path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if top == "" {
			return
		}
		for i := len(top) + 1; i <= len(path); i++ {
			if (i == len(path) || path[i] == '/') && !yield(path[:i]) {
				return
			}
		}
	}
}

// capset is what the system call of that name takes: a header and two halves.
type capset struct {
	version uint32
	pid     int32
	halves  [2]struct{ effective, permitted, inheritable uint32 }
}

const (
	capVersion3   = 0x20080522
	prCapbsetDrop = 24
)

// dropCapabilities takes capabilities from the bounding set, which needs the rights
// that becoming another user may lose.
func (s *script) dropCapabilities(c *Command) {
	if c.Capabilities == nil {
		return
	}
	for n := range uintptr(64) {
		if c.Capabilities.Drop&(1<<n) != 0 {
			s.add(mustSucceed, "the bounding set", syscall.SYS_PRCTL, prCapbsetDrop, n)
		}
	}
}

// keepCapabilities leaves nothing that an exec could hand on but what is to be
// kept, once the rights of root are not needed any more.
func (s *script) keepCapabilities(c *Command) {
	if c.Capabilities == nil {
		return
	}
	s.caps = capset{version: capVersion3}
	for i := range s.caps.halves {
		half := &s.caps.halves[i]
		half.effective = uint32(c.Capabilities.Keep >> (32 * i))
		half.permitted = half.effective
	}
	s.add(mustSucceed, "the permitted set", syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&s.caps)), uintptr(unsafe.Pointer(&s.caps.halves)))
}
