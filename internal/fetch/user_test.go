package fetch_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/meseta/meseta/internal/fetch"
)

// nobody is a user that needs no account.
var nobody = &fetch.User{UID: 64321, GID: 64322, Groups: []uint32{64323}}

// sandboxOf makes a sandbox that belongs to the user.
func sandboxOf(t *testing.T, u *fetch.User) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: acts for another user")
	}
	box := t.TempDir()
	if err := os.Chown(box, int(u.UID), int(u.GID)); err != nil {
		t.Fatal(err)
	}
	return box
}

func TestEverythingBelongsToTheUser(t *testing.T) {
	box := sandboxOf(t, nobody)
	site := static(t, map[string]string{
		"/x.tar": string(tarOf(t, file("d/f", "x"), symlink("l", "/nowhere"), dir("e"))),
		"/run":   "run",
	})
	f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, User: nobody, URIs: []fetch.URI{
		{Value: site + "/x.tar", Extract: true},
		{Value: site + "/run", Executable: true, OutputFile: "bin/run"},
		{Value: site + "/run", Cache: true, OutputFile: "cached"},
		{Value: "/etc/passwd", OutputFile: "local"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	found := tree(t, box)
	for name := range found {
		info, err := os.Lstat(filepath.Join(box, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != nobody.UID || stat.Gid != nobody.GID {
			t.Errorf("%s belongs to %d:%d, want %d:%d", name, stat.Uid, stat.Gid, nobody.UID, nobody.GID)
		}
	}
	if len(found) != 9 {
		t.Errorf("found %d files, want 9: %v", len(found), found)
	}
}

func TestLocalFileIsReadWithTheUsersRights(t *testing.T) {
	box := sandboxOf(t, nobody)
	// Not in a TempDir, whose parent nobody but root may enter.
	dir, err := os.MkdirTemp("", "fetch-rights")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, uid, gid int, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := newFetcher(t, fetch.Config{})
	for _, c := range []struct {
		path string
		want string
	}{
		{write("of root", 0, 0, 0o600), "permission denied"},
		{write("of root, for all", 0, 0, 0o644), ""},
		{write("of the user", int(nobody.UID), 0, 0o400), ""},
		{write("of the group", 0, int(nobody.GID), 0o040), ""},
		{write("of a supplementary group", 0, int(nobody.Groups[0]), 0o040), ""},
		{write("of another group", 0, 64324, 0o040), "permission denied"},
		{write("of root's group", 0, 0, 0o040), "permission denied"},
	} {
		err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, User: nobody, URIs: []fetch.URI{{Value: c.path}}})
		if c.want != "" {
			wantError(t, err, c.path, c.want)
		} else if err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		if err := f.Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: c.path}}}); err != nil {
			t.Errorf("%s as root, afterwards: %v", c.path, err)
		}
	}
}

func TestSandboxHasToBeTheUsers(t *testing.T) {
	sandboxOf(t, nobody)
	site := static(t, map[string]string{"/x": "x"})
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{
		Sandbox: t.TempDir(), User: nobody, URIs: []fetch.URI{{Value: site + "/x"}},
	})
	wantError(t, err, "permission denied")
}

func TestOwnUserNeedsNoRoot(t *testing.T) {
	me := &fetch.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	box := t.TempDir()
	site := static(t, map[string]string{"/x": "x"})
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, User: me, URIs: []fetch.URI{{Value: site + "/x"}}})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, box, map[string]string{"x": "644 x"})
}

func TestOnlyRootFetchesForOthers(t *testing.T) {
	for _, c := range []struct {
		user   *fetch.User
		euid   int
		change bool
		want   string
	}{
		{nil, 0, false, ""},
		{nil, 1000, false, ""},
		{nobody, 0, true, ""},
		{&fetch.User{GID: 5}, 0, true, ""},
		{&fetch.User{Groups: []uint32{5}}, 0, false, ""},
		{&fetch.User{UID: 1000}, 1000, false, ""},
		{nobody, 1000, false, "fetch as uid 64321: this process has uid 1000, and only root can act for others"},
	} {
		change, err := fetch.MustChange(c.user, c.euid, c.euid)
		if change != c.change || (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("uid %d for %+v: %v, %v; want %v, %q", c.euid, c.user, change, err, c.change, c.want)
		}
	}
}
