package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// syncsPerTask counts the syncs of a cluster while n tasks run, negative if nobody may count. To count slows
// every system call on the machine down a little, so nothing else is measured meanwhile.
func syncsPerTask(c *cluster, n int, run func() error) (float64, error) {
	var all []*syncCounter
	defer func() {
		for _, counter := range all {
			counter.close()
		}
	}()
	for _, pid := range c.pids() {
		counter, err := countSyncs(pid)
		if errors.Is(err, errNoTracing) {
			return -1, run()
		}
		if err != nil {
			return 0, err
		}
		all = append(all, counter)
	}
	if err := run(); err != nil {
		return 0, err
	}
	var sum uint64
	for _, counter := range all {
		sum += counter.count()
	}
	return float64(sum) / float64(n), nil
}

// syncCounter counts how often a process has asked for its data to be made durable. It does not ask the
// process but the kernel, by tracepoints, for which one has to be root.
type syncCounter struct{ fds []int }

// syncCalls are the system calls that make something durable.
var syncCalls = []string{"fsync", "fdatasync", "sync_file_range", "syncfs", "msync"}

// errNoTracing says that the kernel will not count for us.
var errNoTracing = errors.New("the kernel does not let us count system calls (are we root, is tracefs mounted?)")

// countSyncs begins to count. Threads that begin later are counted with the thread that started them.
func countSyncs(pid int) (*syncCounter, error) {
	c := new(syncCounter)
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	for _, call := range syncCalls {
		id, err := tracepoint("sys_enter_" + call)
		if err != nil {
			c.close()
			return nil, fmt.Errorf("%w: %w", errNoTracing, err)
		}
		for _, t := range threads {
			tid, _ := strconv.Atoi(t.Name())
			attr := &unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitInherit}
			attr.Size = uint32(binary.Size(attr))
			fd, err := unix.PerfEventOpen(attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
			if errors.Is(err, unix.ESRCH) {
				continue // it has just ended
			}
			if err != nil {
				c.close()
				return nil, fmt.Errorf("%w: %w", errNoTracing, err)
			}
			c.fds = append(c.fds, fd)
		}
	}
	return c, nil
}

// tracepoint is the kernel's number for one.
func tracepoint(name string) (uint64, error) {
	var data []byte
	var err error
	for _, root := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if data, err = os.ReadFile(root + "/events/syscalls/" + name + "/id"); err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
		}
	}
	return 0, err
}

// count is how many there were so far.
func (c *syncCounter) count() (n uint64) {
	var b [8]byte
	for _, fd := range c.fds {
		if m, err := unix.Read(fd, b[:]); err == nil && m == len(b) {
			n += binary.NativeEndian.Uint64(b[:])
		}
	}
	return n
}

func (c *syncCounter) close() {
	for _, fd := range c.fds {
		unix.Close(fd)
	}
}
