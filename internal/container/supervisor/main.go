package supervisor

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container/track"
)

// Wanted reports whether a binary was started to be a supervisor. It is asked
// before anything else is set up.
func Wanted(args []string) bool { return len(args) > 1 && args[1] == Subcommand }

// Main is the program of a supervisor process: it parses what follows Subcommand,
// runs until SIGTERM, and returns the exit code.
func Main(args []string, stderr io.Writer) int {
	// The kernel gives orphans to the process's first thread, and lists each thread's
	// children apart. If that thread never forks, its list is short: see package track.
	// main begins on it, and stays there, parked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	code := make(chan int)
	go func() { code <- run(args, stderr) }()
	return <-code
}

func run(args []string, stderr io.Writer) int {
	cfg, readyFD, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	cfg.Logger = log
	var ready *os.File
	if readyFD > 2 {
		ready = os.NewFile(uintptr(readyFD), "ready")
	}
	say := func(word string) {
		if ready != nil {
			io.WriteString(ready, word)
			ready.Close()
			ready = nil
		}
	}
	cfg.Ready = func() { say(readyWord) }

	// A terminal that goes away and a reader of stderr that does are no reason to end.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, cfg); err != nil {
		log.Error("supervisor failed", "err", err)
		say(err.Error())
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (cfg Config, readyFD int, err error) {
	flags := flag.NewFlagSet(Subcommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Dir, "dir", "", "`directory` of its socket and log")
	flags.IntVar(&readyFD, "ready-fd", 0, "`descriptor` to say on that it is ready, or why not")
	flags.DurationVar(&cfg.StopGrace, "stop-grace", DefaultStopGrace, "`time` between SIGTERM and SIGKILL when it is stopped")
	flags.Func("tracking", "how process sets are tracked: auto, v2, v1 or environ", func(s string) (err error) {
		cfg.Tracking, err = parseKind(s)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return cfg, 0, err
	}
	if cfg.StopGrace == 0 {
		cfg.StopGrace = -time.Nanosecond
	}
	if cfg.Dir == "" || flags.NArg() > 0 {
		err := fmt.Errorf("expected --dir and no further arguments, got %q", args)
		fmt.Fprintln(stderr, err)
		return cfg, 0, err
	}
	return cfg, readyFD, nil
}

func parseKind(s string) (track.Kind, error) {
	switch s {
	case "auto":
		return track.KindNone, nil
	case "v2":
		return track.KindCgroupV2, nil
	case "v1":
		return track.KindCgroupV1, nil
	case "environ":
		return track.KindEnviron, nil
	}
	return track.KindNone, fmt.Errorf("%q, expected auto, v2, v1 or environ", s)
}
