package workerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// terminateTimeout is how long a process may take to end when it is asked to, and how long we wait for
// the kernel after that.
const terminateTimeout = 10 * time.Second

// run runs a process to its end, with its output appended to stdout and stderr in its directory. When
// ctx is done it is asked to end, and made to after a while. The code is 128 and the signal's number if a
// signal ended it, as in Java. started is called when the process runs.
func run(ctx context.Context, argv, environ []string, dir, title string, patience time.Duration, started func()) (code int, err error) {
	stdout, err := appendTo(filepath.Join(dir, "stdout"))
	if err != nil {
		return 0, err
	}
	defer stdout.Close()
	stderr, err := appendTo(filepath.Join(dir, "stderr"))
	if err != nil {
		return 0, err
	}
	defer stderr.Close()
	if _, err := fmt.Fprintf(stderr, "%s: \"%s\"\n%s\n\n", title, strings.Join(argv, `" "`), strings.Repeat("=", 40)); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environ, stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	started()
	err = cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited && ctx.Err() == nil {
		return 0, err
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}
