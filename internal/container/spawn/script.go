package spawn

import (
	"syscall"
	"unsafe"
)

// op is one system call of the child's script. The assembly knows this layout.
type op struct {
	nr    uintptr
	args  [6]uintptr
	flags uintptr // mustSucceed or mayFail
	ret   uintptr // what the call returned, in the kernel's convention
}

const (
	mustSucceed = 0 // an error ends the child
	mayFail     = 1 // the child goes on with the next op

	notRun = ^uintptr(0) >> 1 // in ret: the child never came so far
)

// note remembers what an op was for.
type note struct {
	step Step
	what string
}

// script is the list of a child's system calls and everything their arguments
// point to. Its buffers are kept between launches. They hold addresses of each
// other, so they are grown before the first address is taken and not after.
type script struct {
	ops    []op
	notes  []note // notes[i] belongs to ops[i]
	chars  []byte // C strings
	ptrs   []uintptr
	groups []uint32
	zeros  [8]uint64 // an empty signal mask, a default sigaction
	limit  syscall.Rlimit
	caps   capset
	ignore [4]uintptr // a sigaction
	step   Step       // of the ops being added

	outputs [2]syscall.Stat_t
}

const opsAtMost = 192 // besides Programs, JoinCgroups, Mounts and what Dir needs

// reserve makes room for everything the command needs.
func (s *script) reserve(c *Command) {
	chars := 256 + 3*len(c.Dir) + len(c.Stdout) + len(c.Stderr)
	for _, list := range [...][]string{c.Programs, c.Argv, c.Env, c.JoinCgroups} {
		for _, v := range list {
			chars += len(v) + 1
		}
	}
	for i := range c.Mounts {
		chars += len(c.Mounts[i].Source) + len(c.Mounts[i].Target) + 2
	}
	dirs := 0
	for range parents(c.hidden(), c.Dir) {
		dirs++
		chars += len(c.Dir) + 1
	}
	s.ops = grown(s.ops, opsAtMost+len(c.Programs)+4*len(c.JoinCgroups)+2*len(c.Mounts)+dirs)
	s.notes = grown(s.notes, cap(s.ops))
	s.chars = grown(s.chars, chars)
	s.ptrs = grown(s.ptrs, len(c.Argv)+len(c.Env)+2)
}

// grown is an empty slice with room for n, the old one if that is large enough
// and not wastefully large.
func grown[T any](s []T, n int) []T {
	const keep = 64 << 10
	if cap(s) >= n && (cap(s) <= keep || cap(s) <= 4*n) {
		return s[:0]
	}
	return make([]T, 0, n)
}

// build writes the script for a command. The order matters: what needs root comes
// before becoming the user, what the user may not be able to do comes after, and
// descriptor 0 serves as the scratch file until stdin is opened.
func (s *script) build(c *Command) {
	s.reserve(c)
	s.outputs = [2]syscall.Stat_t{}
	s.cgroups(c)
	s.signals(c)
	s.oom(c)
	s.namespaces(c)
	s.user(c)
	s.dir(c)
	s.files(c)
	s.privileges(c)
	s.exec(c)
}

func (s *script) cgroups(c *Command) {
	s.step = StepCgroup
	for _, procs := range c.JoinCgroups {
		s.writeFile(procs, "0")
	}
}

// signals leaves the session and resets what an exec would hand on: a signal that
// is ignored here would be ignored there. All of them, because asking for each
// disposition first would cost as many calls.
func (s *script) signals(c *Command) {
	s.step = StepSignals
	dfl, mask := s.zero(), unsafe.Sizeof(uint64(0))
	for sig := uintptr(1); sig <= 64; sig++ {
		if sig != uintptr(syscall.SIGKILL) && sig != uintptr(syscall.SIGSTOP) {
			s.add(mustSucceed, "", syscall.SYS_RT_SIGACTION, sig, dfl, 0, mask)
		}
	}
	if c.Init != 0 { // an ignored SIGCHLD survives the exec, and has the kernel reap for it
		const sigIgn = 1
		s.ignore[0] = sigIgn
		s.add(mustSucceed, "", syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGCHLD), uintptr(unsafe.Pointer(&s.ignore)), 0, mask)
	}
	s.add(mustSucceed, "", syscall.SYS_SETSID)
	if nofileKnown {
		s.limit = nofile
		s.add(mayFail, "", syscall.SYS_PRLIMIT64, 0, syscall.RLIMIT_NOFILE, uintptr(unsafe.Pointer(&s.limit)))
	}
}

func (s *script) oom(c *Command) {
	s.step = StepOOM
	if c.ResetOOM {
		s.writeFile("/proc/self/oom_score_adj", "0")
	}
}

func (s *script) user(c *Command) {
	s.step = StepUser
	if c.User == nil {
		s.dropCapabilities(c)
		return
	}
	s.groups = append(s.groups[:0], c.User.Groups...)
	uid, gid := uintptr(c.User.UID), uintptr(c.User.GID)
	s.add(mustSucceed, "", syscall.SYS_SETGROUPS, uintptr(len(s.groups)), uintptr(unsafe.Pointer(unsafe.SliceData(s.groups))))
	s.add(mustSucceed, "", syscall.SYS_SETRESGID, gid, gid, gid)
	s.dropCapabilities(c)
	s.add(mustSucceed, "", syscall.SYS_SETRESUID, uid, uid, uid)
}

func (s *script) dir(c *Command) {
	s.step = StepDir
	s.add(mustSucceed, c.Dir, syscall.SYS_CHDIR, s.str(c.Dir))
}

// files opens 0, 1 and 2, each time taking the lowest free number, and closes
// everything else a moment before the exec would.
func (s *script) files(c *Command) {
	s.step = StepStdin
	s.open(0, "/dev/null", syscall.O_RDONLY)
	s.step = StepStdout
	s.openOutput(1, c.Stdout)
	s.step = StepStderr
	s.openOutput(2, c.Stderr)
	if c.Identify {
		for i := range s.outputs {
			s.add(mayFail, "", syscall.SYS_FSTAT, uintptr(i+1), uintptr(unsafe.Pointer(&s.outputs[i])))
		}
	}
	if c.Init != 0 { // is closed by the exec
		s.add(mayFail, "", sysCloseRange, 3, uintptr(c.Init-1), 0)
		s.add(mayFail, "", sysCloseRange, uintptr(c.Init+1), uintptr(^uint32(0)), 0)
		return
	}
	s.add(mayFail, "", sysCloseRange, 3, uintptr(^uint32(0)), 0)
}

// openOutput opens a file that may lie in a directory of the container's user,
// who may have put a link or a pipe in its place: a link is refused, and a pipe
// does not block.
func (s *script) openOutput(fd uintptr, path string) {
	if path == "" {
		s.open(fd, "/dev/null", syscall.O_WRONLY)
		return
	}
	s.open(fd, path, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CREAT|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY)
	s.add(mustSucceed, path, syscall.SYS_FCNTL, fd, syscall.F_SETFL, syscall.O_APPEND)
}

func (s *script) privileges(c *Command) {
	s.step = StepPrivileges
	s.keepCapabilities(c)
	if c.NoNewPrivs {
		const prSetNoNewPrivs = 38
		s.add(mustSucceed, "", syscall.SYS_PRCTL, prSetNoNewPrivs, 1)
	}
	s.add(mustSucceed, "", syscall.SYS_RT_SIGPROCMASK, sigSetMask, s.zero(), 0, unsafe.Sizeof(uint64(0)))
}

func (s *script) exec(c *Command) {
	s.step = StepExec
	argv, env := s.vector(c.Argv), s.vector(c.Env)
	if c.Init != 0 {
		s.add(mustSucceed, "", sysExecveat, uintptr(c.Init), s.str(""), argv, env, atEmptyPath)
		return
	}
	for _, program := range c.Programs {
		s.add(mayFail, program, syscall.SYS_EXECVE, s.str(program), argv, env)
	}
}

// open opens path as descriptor fd; all lower ones are open.
func (s *script) open(fd uintptr, path string, flags uintptr) {
	s.add(mayFail, path, syscall.SYS_CLOSE, fd)
	s.add(mustSucceed, path, syscall.SYS_OPENAT, atCWD, s.str(path), flags, 0o644)
}

const (
	atCWD       = ^uintptr(99) // AT_FDCWD, -100
	atEmptyPath = 0x1000
)

// writeFile writes a word into a file, by way of descriptor 0.
func (s *script) writeFile(path, word string) {
	s.open(0, path, syscall.O_WRONLY)
	s.add(mustSucceed, path, syscall.SYS_WRITE, 0, s.str(word), uintptr(len(word)))
}

func (s *script) add(flags uintptr, what string, nr uintptr, args ...uintptr) {
	o := op{nr: nr, flags: flags, ret: notRun}
	copy(o.args[:], args)
	s.ops = append(s.ops, o)
	s.notes = append(s.notes, note{s.step, what})
}

// str puts a C string into the arena and returns its address.
func (s *script) str(v string) uintptr {
	at := len(s.chars)
	if cap(s.chars)-at < len(v)+1 {
		panic("spawn: the script's room was reckoned too small")
	}
	s.chars = append(append(s.chars, v...), 0)
	return uintptr(unsafe.Pointer(&s.chars[at]))
}

// vector puts a NULL-terminated array of C strings into the arena.
func (s *script) vector(list []string) uintptr {
	at := len(s.ptrs)
	for _, v := range list {
		s.ptrs = append(s.ptrs, s.str(v))
	}
	s.ptrs = append(s.ptrs, 0)
	return uintptr(unsafe.Pointer(&s.ptrs[at]))
}

func (s *script) zero() uintptr { return uintptr(unsafe.Pointer(&s.zeros)) }

// bounds returns where the ops begin and end.
func (s *script) bounds() (first, end uintptr) {
	first = uintptr(unsafe.Pointer(unsafe.SliceData(s.ops)))
	return first, first + uintptr(len(s.ops))*unsafe.Sizeof(op{})
}

// failure reads what the child left behind. A child that was killed on its way is
// no failure: it ends like one that was killed a moment later.
func (s *script) failure() error {
	var worst *Error
	for i := range s.ops {
		o, n := &s.ops[i], &s.notes[i]
		if o.ret == notRun {
			return nil
		}
		errno := errnoOf(o.ret)
		if errno == 0 {
			continue
		}
		e := &Error{Step: n.step, Errno: errno, What: n.what}
		if o.flags == mustSucceed {
			return e
		}
		if n.step == StepExec && (worst == nil || moreTelling(errno, worst.Errno)) {
			worst = e
		}
	}
	if worst == nil {
		return nil
	}
	return worst
}

// moreTelling reports whether a of two errors of exec says more: that a program
// was found and refused says more than that another was not found.
func moreTelling(a, b syscall.Errno) bool {
	rank := func(e syscall.Errno) int {
		switch e {
		case syscall.ENOENT, syscall.ENOTDIR:
			return 0
		case syscall.EACCES:
			return 1
		}
		return 2
	}
	return rank(a) > rank(b)
}
