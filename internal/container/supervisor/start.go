package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Subcommand is the first argument of a binary that is to be a supervisor; what
// follows is for Main.
const Subcommand = "supervisor"

// Start begins a supervisor in a directory, which must not hold the remains of
// another, and connects to it. It runs this same executable again with
// Subcommand, the directory and the given flags, in a session of its own.
//
// The supervisor outlives the caller. While the caller lives it is its child, and
// the caller reaps it by EndAll, or by waiting for any child.
func Start(ctx context.Context, dir string, flags ...string) (*Client, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := vacantDir(ctx, dir); err != nil {
		return nil, err
	}
	ready, err := launch(dir, flags)
	if err != nil {
		return nil, fmt.Errorf("starting a supervisor in %s: %w", dir, err)
	}
	defer ready.Close()
	stop := context.AfterFunc(ctx, func() { ready.SetReadDeadline(time.Now()) })
	defer stop()
	said, err := io.ReadAll(io.LimitReader(ready, 4096))
	if ctx.Err() != nil {
		return nil, fmt.Errorf("waiting for the supervisor in %s: %w", dir, context.Cause(ctx))
	}
	if err != nil || string(said) != readyWord {
		return nil, fmt.Errorf("the supervisor in %s did not come up: %s (see %s there)",
			dir, strings.TrimSpace(string(said)), stderrName)
	}
	return Connect(ctx, dir)
}

// vacantDir looks whether a supervisor can begin in a directory, so that the caller
// learns by the error what to do. The supervisor looks again, under its lock.
func vacantDir(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, logName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if c, err := Connect(ctx, dir); err == nil {
		c.Close()
		return fmt.Errorf("%s: %w", dir, ErrRunning)
	}
	return fmt.Errorf("%s: %w", dir, ErrRemains)
}

// readyWord is what a supervisor writes when its socket accepts connections.
// Anything else is its complaint.
const readyWord = "ready\n"

// launch starts the process and returns where it will say whether it is ready.
func launch(dir string, flags []string) (ready *os.File, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	log, err := os.OpenFile(filepath.Join(dir, stderrName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	ready, say, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer say.Close()
	args := append([]string{"meseta", Subcommand, "--dir", dir, "--ready-fd", "3"}, flags...)
	process, err := os.StartProcess("/proc/self/exe", args, &os.ProcAttr{
		Dir:   "/",
		Env:   os.Environ(),
		Files: []*os.File{null, log, log, say},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		ready.Close()
		return nil, err
	}
	return ready, process.Release()
}
