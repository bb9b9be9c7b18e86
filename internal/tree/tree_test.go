package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/tree"
)

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
}

func usage(t *testing.T, root *os.Root, name string) uint64 {
	t.Helper()
	n, err := tree.Usage(t.Context(), root, name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// deepen makes a chain of directories, each in the one before.
func deepen(t *testing.T, dir string, levels int) {
	t.Helper()
	at, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range levels {
		if err := unix.Mkdirat(at, "d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(at, "d", unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(at)
		at = next
	}
	unix.Close(at)
}

func TestUsageCountsWhatTheDiskGives(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	box := filepath.Join(dir, "box")
	write(t, filepath.Join(box, "a"), 64<<10)
	write(t, filepath.Join(box, "sub/b"), 64<<10)
	before := usage(t, root, "box")
	if before < 128<<10 || before > 192<<10 {
		t.Errorf("two files of 64 KiB take %d bytes", before)
	}

	if err := os.Link(filepath.Join(box, "a"), filepath.Join(box, "sub/again")); err != nil {
		t.Fatal(err)
	}
	if got := usage(t, root, "box"); got != before {
		t.Errorf("a second name made %d of %d bytes", got, before)
	}

	sparse, err := os.Create(filepath.Join(box, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	if err := sparse.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	if got := usage(t, root, "box"); got != before {
		t.Errorf("a hole made %d of %d bytes", got, before)
	}

	write(t, filepath.Join(dir, "elsewhere"), 1<<20)
	if err := os.Symlink(dir, filepath.Join(box, "link")); err != nil {
		t.Fatal(err)
	}
	if got := usage(t, root, "box"); got != before {
		t.Errorf("a link out of the tree made %d of %d bytes", got, before)
	}
}

func TestDepthCostsNoDescriptors(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	write(t, filepath.Join(dir, "box/file"), 1)
	const levels = 500
	deepen(t, filepath.Join(dir, "box"), levels)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	usage(t, root, "box")
	if err := tree.Remove(t.Context(), root, "box"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Stat("box"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestRemoveTakesWhatItsOwnerLocked(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	for _, mode := range []os.FileMode{0o000, 0o300, 0o500} {
		sub := filepath.Join(dir, "box", mode.String())
		write(t, filepath.Join(sub, "file"), 1)
		if err := os.Chmod(sub, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.Remove(t.Context(), root, "box"); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveStaysInItsTree(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	write(t, filepath.Join(dir, "precious/file"), 1)
	write(t, filepath.Join(dir, "box/file"), 1)
	for _, to := range []string{"../precious", filepath.Join(dir, "precious"), ".."} {
		if err := os.Symlink(to, filepath.Join(dir, "box", "to"+filepath.Base(to)+to[:1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("precious", filepath.Join(dir, "top")); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(t.Context(), root, "box"); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(t.Context(), root, "top"); err == nil {
		t.Error("a link was taken for a tree")
	}
	if _, err := root.Stat("precious/file"); err != nil {
		t.Errorf("what a link led to: %v", err)
	}
}

func TestCancelledWalkEnds(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "box/file"), 1)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := tree.Usage(ctx, openRoot(t, dir), "box"); !errors.Is(err, why) {
		t.Errorf("ended with %v", err)
	}
}

func TestDirectoryThatIsMovedEndsTheWalk(t *testing.T) {
	dir := t.TempDir()
	root := openRoot(t, dir)
	write(t, filepath.Join(dir, "box/sub/deep/file"), 1)
	write(t, filepath.Join(dir, "precious/file"), 1)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { // there and back again, as fast as it can
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				os.Rename(filepath.Join(dir, "box/sub/deep"), filepath.Join(dir, "precious/deep"))
				os.Rename(filepath.Join(dir, "precious/deep"), filepath.Join(dir, "box/sub/deep"))
			}
		}
	}()
	for range 200 {
		if _, err := tree.Usage(t.Context(), root, "box"); err != nil && !errors.Is(err, tree.ErrMoved) {
			t.Error(err)
		}
	}
	if err := tree.Remove(t.Context(), root, "box"); err != nil && !errors.Is(err, tree.ErrMoved) && !errors.Is(err, unix.ENOTEMPTY) {
		t.Error(err)
	}
	close(stop)
	<-done
	if _, err := root.Stat("precious/file"); err != nil {
		t.Errorf("what was not in the tree: %v", err)
	}
}

func TestOtherFileSystemsAreNotEntered(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	dir := t.TempDir()
	root := openRoot(t, dir)
	mount := filepath.Join(dir, "box/mount")
	write(t, filepath.Join(dir, "box/file"), 1)
	if err := os.Mkdir(mount, 0o755); err != nil {
		t.Fatal(err)
	}
	before := usage(t, root, "box")
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("cannot mount a file system: %v", err)
	}
	defer unix.Unmount(mount, unix.MNT_DETACH)
	write(t, filepath.Join(mount, "file"), 1<<20)
	if got := usage(t, root, "box"); got > before {
		t.Errorf("a file in another file system made %d of %d bytes", got, before)
	}
	if err := tree.Remove(t.Context(), root, "box"); err == nil {
		t.Error("a directory with a mount in it is said to be removed")
	}
	if _, err := os.Stat(filepath.Join(mount, "file")); err != nil {
		t.Errorf("what was mounted in the tree: %v", err)
	}
}
