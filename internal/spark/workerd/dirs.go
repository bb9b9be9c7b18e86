package workerd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// inWorkDir gives a path below the work directory. Names come from a Master; one that would lead
// anywhere else is refused.
func (d *daemon) inWorkDir(names ...string) (string, error) {
	for _, name := range names {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return "", fmt.Errorf("%q cannot be the name of a directory", name)
		}
	}
	return filepath.Join(append([]string{d.cfg.WorkDir}, names...)...), nil
}

// scratch is where executors keep what they shuffle and spill: for each root that the machine has, a
// directory of this Worker, and in it one for each application.
type scratch struct {
	roots []string // this Worker's directories

	mu   sync.Mutex
	apps map[string][]string
}

// scratchRoots are the places that Spark's configuration names.
func (c Config) scratchRoots() []string {
	switch {
	case c.Environ["SPARK_EXECUTOR_DIRS"] != "":
		return filepath.SplitList(c.Environ["SPARK_EXECUTOR_DIRS"])
	case c.Environ["SPARK_LOCAL_DIRS"] != "":
		return strings.Split(c.Environ["SPARK_LOCAL_DIRS"], ",")
	}
	return strings.Split(cmp.Or(c.Properties["spark.local.dir"], os.TempDir()), ",")
}

// newScratch makes the Worker's directories where it can; one is enough.
func newScratch(roots []string) (*scratch, error) {
	s := &scratch{apps: make(map[string][]string)}
	dirs, err := makeEach(roots, "spark-")
	s.roots = dirs
	return s, err
}

func makeEach(in []string, prefix string) (made []string, err error) {
	var errs []error
	for _, root := range in {
		dir := filepath.Join(strings.TrimSpace(root), prefix+uuid.NewString())
		if err := os.MkdirAll(dir, 0o700); err != nil {
			errs = append(errs, err)
			continue
		}
		made = append(made, dir)
	}
	if len(made) == 0 {
		return nil, fmt.Errorf("no local directory can be made: %w", errors.Join(errs...))
	}
	return made, nil
}

// application gives the directories of an application, the same for all its executors here, as a list
// for its environment.
func (s *scratch) application(app string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dirs, ok := s.apps[app]
	if !ok {
		var err error
		if dirs, err = makeEach(s.roots, "executor-"); err != nil {
			return "", err
		}
		s.apps[app] = dirs
	}
	return strings.Join(dirs, string(filepath.ListSeparator)), nil
}

// remove removes the directories of an application that is over.
func (s *scratch) remove(app string) error {
	s.mu.Lock()
	dirs := s.apps[app]
	delete(s.apps, app)
	s.mu.Unlock()
	return removeAll(dirs)
}

// close removes everything.
func (s *scratch) close() error { return removeAll(s.roots) }

func removeAll(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// cleanWorkDir removes the directories of applications and drivers that do not live and in which
// nothing has changed for as long as data is kept.
func cleanWorkDir(dir string, keep []string, ttl time.Duration, now time.Time, log *slog.Logger) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		log.Error("cannot read the work directory to clean it", "dir", dir, "err", err)
		return
	}
	for _, e := range entries {
		if !e.IsDir() || slices.Contains(keep, e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		fresh, err := changedSince(path, now.Add(-ttl))
		if err == nil && fresh {
			continue
		}
		if err == nil {
			err = os.RemoveAll(path)
		}
		if err != nil {
			log.Error("cannot remove an old directory", "dir", path, "err", err)
			continue
		}
		log.Info("removed an old directory", "dir", path)
	}
}

// changedSince tells whether anything in a tree is newer than a moment.
func changedSince(root string, t time.Time) (bool, error) {
	found := false
	err := filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.ModTime().After(t) {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found, err
}
