package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownCPU is what this process and the children it has waited for have used.
func ownCPU() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// selfCPU is the same without the children.
func selfCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// usage is the CPU time of a process, and of the children it has waited for.
type usage struct{ self, children time.Duration }

// cpuOf reads a process's usage, in ticks of 10 ms.
func cpuOf(pid int) (u usage, err error) {
	fields, err := statOf(pid)
	if err != nil {
		return u, err
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return usage{self: ticks(11) + ticks(12), children: ticks(13) + ticks(14)}, nil
}

// statOf gives the fields of /proc/PID/stat from the third on, which is the state.
func statOf(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields behind the name, expected 20 or more", pid, len(fields))
	}
	return fields, nil
}

// childOf finds the one child of a process.
func childOf(parent int) (int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var children []int
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if fields, err := statOf(pid); err == nil && fields[1] == strconv.Itoa(parent) {
			children = append(children, pid)
		}
	}
	if len(children) != 1 {
		return 0, fmt.Errorf("process %d has the children %v, expected one", parent, children)
	}
	return children[0], nil
}

// costs are CPU times per task, by process.
type costs struct{ master, agent, supervisor, commands, scheduler time.Duration }

func (c costs) total() time.Duration {
	return c.master + c.agent + c.supervisor + c.commands + c.scheduler
}

// meter reads what a cluster and this process use from its making on.
type meter struct {
	c             *cluster
	since         [3]usage // of the cluster's processes
	schedulerBase time.Duration
}

func newMeter(c *cluster) (m meter, err error) {
	m = meter{c: c, schedulerBase: selfCPU()}
	m.since, err = c.usage()
	return m, err
}

// perTask divides what was used by a number of tasks.
func (m meter) perTask(n int) (costs, error) {
	scheduler := selfCPU() - m.schedulerBase
	now, err := m.c.usage()
	if err != nil {
		return costs{}, err
	}
	each := func(d time.Duration) time.Duration { return d / time.Duration(n) }
	return costs{
		master:     each(now[0].self - m.since[0].self),
		agent:      each(now[1].self - m.since[1].self),
		supervisor: each(now[2].self - m.since[2].self),
		commands:   each(now[2].children - m.since[2].children),
		scheduler:  each(scheduler),
	}, nil
}

// usage is that of master, agent and supervisor.
func (c *cluster) usage() (all [3]usage, err error) {
	for i, pid := range c.pids() {
		if all[i], err = cpuOf(pid); err != nil {
			return all, err
		}
	}
	return all, nil
}
