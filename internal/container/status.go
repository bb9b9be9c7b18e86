package container

import (
	"fmt"
	"syscall"
)

// Status is a wait status as the kernel gives it (and as Mesos passes it on in
// FAILURE events): an exit code or a signal.
type Status uint32

// ExitStatus is the status of a process that exited with a code.
func ExitStatus(code int) Status { return Status(code&0xff) << 8 }

// SignalStatus is the status of a process that a signal ended.
func SignalStatus(sig syscall.Signal) Status { return Status(sig & 0x7f) }

// Exited reports whether the process exited by itself, with ExitCode.
func (s Status) Exited() bool { return s&0x7f == 0 }

// ExitCode is the code the process exited with, or -1 when a signal ended it.
func (s Status) ExitCode() int {
	if !s.Exited() {
		return -1
	}
	return int(s>>8) & 0xff
}

// Signaled reports whether a signal ended the process.
func (s Status) Signaled() bool { return !s.Exited() }

// Signal is the signal that ended the process, or 0 when it exited by itself.
func (s Status) Signal() syscall.Signal { return syscall.Signal(s & 0x7f) }

// CoreDumped reports whether the process left a core dump.
func (s Status) CoreDumped() bool { return s.Signaled() && s&0x80 != 0 }

// Success reports whether the process exited with code 0.
func (s Status) Success() bool { return s&0xffff == 0 }

// String says it as Mesos does after the word "Command": "exited with status 3"
// or "terminated with signal Segmentation fault".
func (s Status) String() string {
	if s.Exited() {
		return fmt.Sprintf("exited with status %d", s.ExitCode())
	}
	core := ""
	if s.CoreDumped() {
		core = " (core dumped)"
	}
	return "terminated with signal " + SignalName(s.Signal()) + core
}

// SignalName describes a signal in the words of the C library, which are what
// Mesos shows.
func SignalName(sig syscall.Signal) string {
	if int(sig) < len(signalNames) && signalNames[sig] != "" {
		return signalNames[sig]
	}
	if sig >= 34 && sig <= 64 {
		return fmt.Sprintf("Real-time signal %d", int(sig)-34)
	}
	return fmt.Sprintf("Unknown signal %d", int(sig))
}

var signalNames = [...]string{
	syscall.SIGHUP:    "Hangup",
	syscall.SIGINT:    "Interrupt",
	syscall.SIGQUIT:   "Quit",
	syscall.SIGILL:    "Illegal instruction",
	syscall.SIGTRAP:   "Trace/breakpoint trap",
	syscall.SIGABRT:   "Aborted",
	syscall.SIGBUS:    "Bus error",
	syscall.SIGFPE:    "Floating point exception",
	syscall.SIGKILL:   "Killed",
	syscall.SIGUSR1:   "User defined signal 1",
	syscall.SIGSEGV:   "Segmentation fault",
	syscall.SIGUSR2:   "User defined signal 2",
	syscall.SIGPIPE:   "Broken pipe",
	syscall.SIGALRM:   "Alarm clock",
	syscall.SIGTERM:   "Terminated",
	syscall.SIGSTKFLT: "Stack fault",
	syscall.SIGCHLD:   "Child exited",
	syscall.SIGCONT:   "Continued",
	syscall.SIGSTOP:   "Stopped (signal)",
	syscall.SIGTSTP:   "Stopped",
	syscall.SIGTTIN:   "Stopped (tty input)",
	syscall.SIGTTOU:   "Stopped (tty output)",
	syscall.SIGURG:    "Urgent I/O condition",
	syscall.SIGXCPU:   "CPU time limit exceeded",
	syscall.SIGXFSZ:   "File size limit exceeded",
	syscall.SIGVTALRM: "Virtual timer expired",
	syscall.SIGPROF:   "Profiling timer expired",
	syscall.SIGWINCH:  "Window changed",
	syscall.SIGIO:     "I/O possible",
	syscall.SIGPWR:    "Power failure",
	syscall.SIGSYS:    "Bad system call",
}
