package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/node"
)

// makeSandbox makes the directory of one run, owned by its user, and points "latest" at it. Everything
// above it belongs to the agent, so that no task can put a link in the way.
func makeSandbox(workDir string, s node.Sandbox, user *container.User) (string, error) {
	for _, part := range []string{string(s.Agent), string(s.Framework), string(s.Executor), string(s.Container)} {
		if err := checkName(part); err != nil {
			return "", err
		}
	}
	dir, runs := s.Path(workDir), s.Runs(workDir)
	if err := makeDirs(runs); err != nil {
		return "", fmt.Errorf("Failed to create executor directory '%s': %w", dir, err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return "", fmt.Errorf("Failed to create executor directory '%s': %w", dir, err)
	}
	if user != nil {
		if err := os.Chown(dir, int(user.UID), int(user.GID)); err != nil {
			return "", fmt.Errorf("Failed to create executor directory '%s': Failed to chown directory: %w", dir, err)
		}
	}
	if err := pointLatest(runs, dir); err != nil {
		return "", fmt.Errorf("Failed to create executor directory '%s': %w", dir, err)
	}
	return dir, nil
}

// makeTmp makes what the container sees as /tmp.
func makeTmp(sandbox string, user *container.User) error {
	tmp := filepath.Join(sandbox, tmpName)
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return fmt.Errorf("Failed to create '%s': %w", tmp, err)
	}
	if user == nil {
		return nil
	}
	if err := os.Chown(tmp, int(user.UID), int(user.GID)); err != nil {
		return fmt.Errorf("Failed to create '%s': %w", tmp, err)
	}
	return nil
}

// makeDirs makes the directory of an executor's runs. Mostly it and the one above are all that is missing,
// and each look at what is there would cost time that a task waits.
func makeDirs(runs string) error {
	if err := os.Mkdir(filepath.Dir(runs), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(runs, 0o755)
	}
	if err := os.Mkdir(runs, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// pointLatest makes the link "latest" name the run. It is relative, which is shorter than ext4's inodes are
// long, and remains true when the work directory moves.
func pointLatest(runs, dir string) error {
	latest, run := filepath.Join(runs, "latest"), filepath.Base(dir)
	err := os.Symlink(run, latest)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	next := filepath.Join(runs, "."+run)
	if err := os.Symlink(run, next); err != nil {
		return err
	}
	return os.Rename(next, latest)
}

// checkName refuses an id that is no name of a directory.
func checkName(id string) error {
	switch {
	case id == "" || id == "." || id == "..":
		return fmt.Errorf("id %q cannot name a directory", id)
	case len(id) > 255:
		return fmt.Errorf("id %.40q… of %d bytes cannot name a directory, expected at most 255", id, len(id))
	case strings.ContainsAny(id, "/\x00"):
		return fmt.Errorf("id %q cannot name a directory: it contains a slash or a zero byte", id)
	}
	return nil
}
