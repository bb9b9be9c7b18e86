package scheduler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFrameworkID bounds what is read from a file that should hold an id.
const maxFrameworkID = 1 << 10

// readFrameworkID is the id that a file holds, or nothing if there is no file.
func readFrameworkID(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("framework id file: %w", err)
	}
	id := strings.TrimSpace(string(text[:min(len(text), maxFrameworkID)]))
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' }) {
		return "", fmt.Errorf("framework id file %s holds %q, expected one id", file, id)
	}
	return id, nil
}

// keepFrameworkID writes the id to the file, if there shall be one. A crash leaves the old file or the new
// one, never half of it.
func (d *driver) keepFrameworkID(id string) (err error) {
	file := d.cfg.FrameworkIDFile
	if file == "" {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.WriteString(id + "\n"); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// syncDir makes a rename in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// forgetFrameworkID removes the file of a framework that is no more.
func (d *driver) forgetFrameworkID() {
	if d.cfg.FrameworkIDFile == "" {
		return
	}
	if err := os.Remove(d.cfg.FrameworkIDFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("framework id file not removed", "error", err)
	}
}
