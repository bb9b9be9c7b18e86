package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// sizes says what to weigh, with -size: how small and quiet the daemons are, and what they answer.
type sizes struct {
	plan

	idle          time.Duration // how long to watch a cluster that does nothing
	starts        int
	subscriptions int
	agents        int
	tasksEach     int
	calls         int
	executors     int
	isolated      int
}

// The aims of sizes.
const (
	aimMaster      = 24 << 20
	aimAgent       = 12 << 20
	aimSupervisor  = 6 << 20
	aimIdle        = 0.002 // of a cpu
	aimReady       = 300 * time.Millisecond
	aimStream      = 8 << 10
	aimCoreAgent   = 2 << 10
	aimCoreTask    = 1 << 10
	aimNone        = "" // nothing is promised; the ratio to the floor tells
	childVariable  = "MESETA_BENCH_CHILD"
	settleTime     = 8 * time.Second // until what a start needed is done
	littleGarbage  = "10"            // GOGC: a heap of which nearly all is in use
	heldStreamWait = 20 * time.Second
)

// line is a row of the table: a figure with its floor, and what it is to be.
type line struct {
	label, value, floor, aim string
	reached                  bool
}

// weigh measures everything and prints the table.
func weigh(ctx context.Context, out io.Writer, s sizes) error {
	var lines []line
	for _, part := range []struct {
		name    string
		measure func(context.Context, sizes) ([]line, error)
	}{
		{"start to ready", weighStart},
		{"the master's core", weighCore},
		{"held streams", weighStreams},
		{"calls", weighCalls},
		{"custom executors", weighExecutors},
		{"isolated launches", weighIsolated},
		{"idle", weighIdle},
	} {
		fmt.Fprintf(os.Stderr, "%s …\n", part.name)
		more, err := part.measure(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		lines = append(lines, more...)
	}
	printLines(out, lines)
	return nil
}

func printLines(out io.Writer, lines []line) {
	const format = "  %-50s %14s   %14s   %-10s %s\n"
	fmt.Fprintf(out, "\n"+format, "", "", "floor", "aim", "")
	for _, l := range lines {
		verdict := ""
		switch {
		case l.aim == aimNone:
		case l.reached:
			verdict = "reached"
		default:
			verdict = "missed"
		}
		fmt.Fprintf(out, format, l.label, l.value, l.floor, l.aim, verdict)
	}
}

func kib(bytes float64) string { return fmt.Sprintf("%.2f KiB", bytes/1024) }
func mib(bytes float64) string { return fmt.Sprintf("%.1f MiB", bytes/(1<<20)) }

// middle is the median.
func middle[T int | float64 | time.Duration](all []T) T {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}
