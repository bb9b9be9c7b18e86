package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/registry"
)

func TestDiskThatIsTooSmallIsAnError(t *testing.T) {
	for _, size := range []string{"size=4k", "size=64k", "size=1m"} {
		if got := elsewhere(t, openIn, smallDisk(t, size)); !strings.Contains(got, unix.ENOSPC.Error()) {
			t.Errorf("%s: %q", size, got)
		}
	}
}

// A disk that fills up ends the leadership, with an error that says so, and not the process.
func TestFullDiskEndsTheLeadership(t *testing.T) {
	got := elsewhere(t, fillIn, smallDisk(t, "size=10m"))
	if !strings.Contains(got, unix.ENOSPC.Error()) || !strings.HasSuffix(got, fellOver) {
		t.Errorf("a disk that fills up: %q", got)
	}
}

// fellOver ends the report of an end in good order.
const fellOver = "leadership lost, registry closed\n"

// fillUp applies until that fails.
func fillUp(dir string) error {
	r, err := registry.Open(context.Background(), registry.Config{Dir: dir})
	if err != nil {
		return err
	}
	l, err := r.Campaign(context.Background())
	if err != nil {
		return err
	}
	for i := 0; err == nil; i++ {
		info := append(make([]byte, 500<<10), byte(i), byte(i>>8))
		err = r.Apply(context.Background(), []registry.Op{registry.AdmitFramework{ID: "f", Info: info}})
	}
	select {
	case <-l.Lost():
	case <-time.After(20 * time.Second):
		return fmt.Errorf("%w; the leadership is not lost", err)
	}
	if closeErr := r.Close(); closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return fmt.Errorf("%w; %s", err, strings.TrimSpace(fellOver))
}

func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
