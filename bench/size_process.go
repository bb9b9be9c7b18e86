package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory is what a process holds: that which nobody else has, and everything.
type memory struct{ anonymous, resident float64 }

func memoryOf(pid int) (m memory, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "RssAnon":
			m.anonymous = n * 1024
		case "VmRSS":
			m.resident = n * 1024
		}
	}
	return m, nil
}

// exactCPU is the time that a process's threads have run, as the scheduler counts it.
func exactCPU(pid int) (sum time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d has no schedstat: %w", pid, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has just ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(ran, 10, 64)
		sum += time.Duration(ns)
	}
	return sum, nil
}

// weighStart tells how long master and agent take from their start until /health answers 200.
func weighStart(ctx context.Context, s sizes) ([]line, error) {
	var bare, master, agent []time.Duration
	for range s.starts {
		begin := time.Now()
		c, err := startChild(ctx, "nothing")
		if err != nil {
			return nil, err
		}
		c.cmd.Wait()
		bare = append(bare, time.Since(begin))
		took, err := startTimes(ctx, s)
		if err != nil {
			return nil, err
		}
		master, agent = append(master, took[0]), append(agent, took[1])
	}
	row := func(label string, took []time.Duration) line {
		return line{label: label, value: millis(micros(middle(took))), floor: millis(micros(middle(bare))),
			aim: "< " + aimReady.String(), reached: middle(took) < aimReady}
	}
	return []line{row("start to ready, master (new registry)", master), row("start to ready, agent and its supervisor", agent)}, nil
}

func startTimes(ctx context.Context, s sizes) (took [2]time.Duration, err error) {
	dir, err := os.MkdirTemp(s.dir, "start-")
	if err != nil {
		return took, err
	}
	timed := func(name string, flags ...string) (*process, time.Duration, error) {
		begin := time.Now()
		p, err := start(ctx, s.binary, dir, name, flags...)
		if err == nil {
			err = healthy(p.address)
		}
		return p, time.Since(begin), err
	}
	master, first, err := timed("master")
	if master != nil {
		defer master.stop()
	}
	if err != nil {
		return took, err
	}
	agent, second, err := timed("agent", "--master="+master.address, "--end-tasks-on-stop")
	if agent != nil {
		agent.stop()
	}
	return [2]time.Duration{first, second}, err
}

func healthy(address string) error {
	answer, err := http.Get("http://" + address + "/health")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/health of %s answers %s", address, answer.Status)
	}
	return nil
}

// weighIdle watches a cluster that does nothing.
func weighIdle(ctx context.Context, s sizes) ([]line, error) {
	c, err := startCluster(ctx, s.plan)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	bare, err := startChild(ctx, "wait")
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	time.Sleep(settleTime)
	all := c.pids()
	pids := append(all[:], bare.pid())
	before := make([]time.Duration, len(pids))
	for i, pid := range pids {
		if before[i], err = exactCPU(pid); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	time.Sleep(s.idle)
	var memories []memory
	var shares []float64
	for i, pid := range pids {
		after, err := exactCPU(pid)
		if err != nil {
			return nil, err
		}
		m, err := memoryOf(pid)
		if err != nil {
			return nil, err
		}
		shares, memories = append(shares, float64(after-before[i])/float64(time.Since(begin))), append(memories, m)
	}
	floor := len(pids) - 1
	var lines []line
	for i, d := range []struct {
		name string
		aim  float64
	}{{"master", aimMaster}, {"agent", aimAgent}, {"supervisor", aimSupervisor}} {
		lines = append(lines,
			line{label: "idle, anonymous memory, " + d.name, value: mib(memories[i].anonymous), floor: mib(memories[floor].anonymous),
				aim: "≤ " + mib(d.aim), reached: memories[i].anonymous <= d.aim},
			line{label: "  its RSS, the program's pages included", value: mib(memories[i].resident), floor: mib(memories[floor].resident)},
			line{label: "  its share of a cpu", value: fmt.Sprintf("%.3f %%", 100*shares[i]), floor: fmt.Sprintf("%.3f %%", 100*shares[floor]),
				aim: fmt.Sprintf("< %.1f %%", 100*aimIdle), reached: shares[i] < aimIdle})
	}
	return lines, nil
}
