package supervisor_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is the ordinary user that tests become when they run as root.
const nobody = 65534

// TestEverythingAsAnOrdinaryUser runs all tests of this package once more, without
// root, and therefore without cgroups.
func TestEverythingAsAnOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // that is what we are
	}
	dir := t.TempDir()
	letThrough(dir)
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(tmp, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	verbose := "-test.v=" + map[bool]string{true: "true", false: "false"}[testing.Verbose()]
	cmd := exec.Command(executableForAll(t), verbose, "-test.run=^Test", "-test.skip=^TestImportsStayShort$", "-test.timeout=10m")
	cmd.Dir = tmp
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TMPDIR=" + tmp}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as user %d: %v\n%s", nobody, err, out)
	} else {
		t.Logf("as user %d:\n%s", nobody, out)
	}
}

// executableForAll is a copy of this test binary that other users can execute.
func executableForAll(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	letThrough(dir)
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path := filepath.Join(dir, "test")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	return path
}

// letThrough opens a directory of t.TempDir, and the one it makes above, to other
// users.
func letThrough(dir string) {
	os.Chmod(dir, 0o755)
	os.Chmod(filepath.Dir(dir), 0o755)
}
