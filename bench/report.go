package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The goals.
const (
	goalRate     = 0.5 // of the rate of fork+exec by 4 workers
	goalRunning  = 3.0 // times the median of fork+exec by 1 worker
	goalSlowest  = 5 * time.Millisecond
	goalFinished = 3 * time.Millisecond
)

// describeMachine says under which conditions what follows was measured.
func describeMachine(out io.Writer, dir string) {
	var name unix.Utsname
	unix.Uname(&name)
	load, _ := os.ReadFile("/proc/loadavg")
	revision, _ := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	fmt.Fprintf(out, "%s, %d cpus (%s), Linux %s, %s, %s, load %s\n", strings.TrimSpace("commit "+string(revision)),
		runtime.NumCPU(), cpuModel(), unix.ByteSliceToString(name.Release[:]), runtime.Version(), fileSystem(dir),
		strings.Join(strings.Fields(string(load))[:1], ""))
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// fileSystem names the one that holds a directory.
func fileSystem(dir string) string {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return "unknown file system"
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return fmt.Sprintf("file system %#x", fs.Type)
}

// report prints the table: of each figure the median over the rounds.
func report(out io.Writer, p plan, rounds []round) {
	row := func(label, format string, args ...any) {
		fmt.Fprintf(out, "  %-46s %s\n", label, fmt.Sprintf(format, args...))
	}
	floorRow := func(label string, of func(round) floor) {
		row(label, "%6.0f /s   %5.0f CPU-µs   median %s   p99 %s",
			over(rounds, func(r round) float64 { return of(r).perSecond }),
			over(rounds, func(r round) float64 { return micros(of(r).cpu) }),
			millis(over(rounds, func(r round) float64 { return micros(quantile(of(r).took, 0.5)) })),
			millis(over(rounds, func(r round) float64 { return micros(quantile(of(r).took, 0.99)) })))
	}
	one := func(r round) floor { return r.one }
	four := func(r round) floor { return r.four }

	latency := func(label string, of func(round) []time.Duration) {
		row(label, "median %s   p99 %s",
			millis(over(rounds, func(r round) float64 { return micros(quantile(of(r), 0.5)) })),
			millis(over(rounds, func(r round) float64 { return micros(quantile(of(r), 0.99)) })))
	}

	fmt.Fprintf(out, "medians of %d rounds\n\nfloors, in a bare loop\n", len(rounds))
	floorRow("fork, exec and wait for /bin/true, 1 worker", one)
	floorRow("the same with 4 workers", four)
	latency("400 bytes made durable (write, fdatasync)", func(r round) []time.Duration { return r.sync })

	fmt.Fprintf(out, "\nbusy: %d command tasks, %d at a time, ACCEPT to TASK_FINISHED acknowledged; isolation %s\n", p.tasks, p.flying, p.isolation)
	row("tasks", "%6.0f /s   %5.0f CPU-µs",
		over(rounds, func(r round) float64 { return r.rate.perSecond }),
		over(rounds, func(r round) float64 { return micros(r.rate.cpu.total()) }))
	cpu := func(label string, of func(costs) time.Duration) {
		row("  "+label, "           %5.0f CPU-µs", over(rounds, func(r round) float64 { return micros(of(r.rate.cpu)) }))
	}
	cpu("master", func(c costs) time.Duration { return c.master })
	cpu("agent", func(c costs) time.Duration { return c.agent })
	cpu("supervisor", func(c costs) time.Duration { return c.supervisor })
	cpu("commands", func(c costs) time.Duration { return c.commands })
	cpu("scheduler", func(c costs) time.Duration { return c.scheduler })
	row("tasks per ACCEPT", "%6.1f", over(rounds, func(r round) float64 { return r.rate.perAccept }))
	row("fsyncs per task", "%s", counted(over(rounds, func(r round) float64 { return r.rate.syncs })))

	fmt.Fprintf(out, "\nidle: %d command tasks, one after the other, %s apart\n", p.paced, p.rest)
	latency("ACCEPT to TASK_RUNNING", func(r round) []time.Duration { return r.paced.running })
	latency("ACCEPT to TASK_FINISHED", func(r round) []time.Duration { return r.paced.finished })
	row("fsyncs per task", "%s", counted(over(rounds, func(r round) float64 { return r.paced.syncs })))

	fmt.Fprintf(out, "\ngoals\n")
	goal := func(label string, value float64, unit string, ok bool) {
		verdict := "reached"
		if !ok {
			verdict = "missed"
		}
		row(label, "%6.2f %-3s %s", value, unit, verdict)
	}
	rate := over(rounds, func(r round) float64 { return r.rate.perSecond / r.four.perSecond })
	goal(fmt.Sprintf("tasks per fork+exec (4 workers), ≥ %.1f", goalRate), rate, "", rate >= goalRate)
	cost := over(rounds, func(r round) float64 { return micros(r.four.cpu) / micros(r.rate.cpu.total()) })
	goal("  the same, reckoned by CPU time", cost, "", cost >= goalRate)
	running := over(rounds, func(r round) float64 {
		return micros(quantile(r.paced.running, 0.5)) / micros(quantile(r.one.took, 0.5))
	})
	goal(fmt.Sprintf("TASK_RUNNING per fork+exec (medians), ≤ %.0f", goalRunning), running, "", running <= goalRunning)
	slowest := over(rounds, func(r round) float64 { return micros(quantile(r.paced.running, 0.99)) })
	goal(fmt.Sprintf("TASK_RUNNING, p99, < %s", goalSlowest), slowest/1000, "ms", slowest < micros(goalSlowest))
	finished := over(rounds, func(r round) float64 { return micros(quantile(r.paced.finished, 0.5)) })
	goal(fmt.Sprintf("TASK_FINISHED, median, < %s", goalFinished), finished/1000, "ms", finished < micros(goalFinished))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func millis(micros float64) string { return fmt.Sprintf("%5.2f ms", micros/1000) }

func counted(n float64) string {
	if n < 0 {
		return "not counted: " + errNoTracing.Error()
	}
	return fmt.Sprintf("%6.2f", n)
}

// over is the median over the rounds of a figure.
func over(rounds []round, of func(round) float64) float64 {
	all := make([]float64, len(rounds))
	for i, r := range rounds {
		all[i] = of(r)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// quantile is the q-th of some durations.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
