package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/examples/pinspider/page"
	"github.com/meseta/meseta/examples/pinspider/site"
	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// demoResult is what the demonstration prints.
type demoResult struct {
	Profiles []struct {
		URL string
		page.Profile
	}
	Boards []struct {
		URL    string
		Boards []page.Board
	}
}

// runDemo runs the demonstration in a directory of its own and checks that nothing is left of it.
func runDemo(t *testing.T, as *syscall.Credential, args ...string) (testcluster.Result, demoResult) {
	t.Helper()
	dir := t.TempDir()
	// The test's directories are closed to other users.
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), testcluster.Binary(t), append([]string{"demo"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir, "MESETA_TEST_MARK="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r := testcluster.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
	if left := processesWith(t, "MESETA_TEST_MARK="+dir); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	var found demoResult
	if r.Code == 0 {
		if err := json.Unmarshal([]byte(r.Stdout), &found); err != nil {
			t.Fatalf("%v in %q", err, r.Stdout)
		}
	}
	return r, found
}

// processesWith lists the processes with a variable in their environment.
func processesWith(t *testing.T, variable string) (found []string) {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environs {
		environ, err := os.ReadFile(path)
		if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), variable) {
			cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			found = append(found, strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return found
}

func TestDemoCrawlsTheSampleSite(t *testing.T) {
	check := func(t *testing.T, as *syscall.Credential) {
		r, found := runDemo(t, as)
		if n := len(site.Paths()); r.Code != 0 || len(found.Profiles) != n || len(found.Boards) != n {
			t.Fatalf("code %d, %d profiles, %d boards, want 0 and %d each; it said:\n%s", r.Code, len(found.Profiles),
				len(found.Boards), n, r.Stderr)
		}
	}
	t.Run("as this user", func(t *testing.T) { check(t, nil) })
	t.Run("as an ordinary user", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("needs root to become another user; without root, the other case is this one")
		}
		check(t, &syscall.Credential{Uid: 65534, Gid: 65534})
	})
}

func TestDemoReadsEveryFieldOfRandomPages(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	users := site.Random(rand.New(rand.NewPCG(seed, 0)), 12)
	server := httptest.NewServer(site.Serve(users))
	defer server.Close()
	var urls []string
	for _, u := range users {
		urls = append(urls, server.URL+u.Path())
	}
	r, found := runDemo(t, nil, urls...)
	if r.Code != 0 {
		t.Fatalf("code %d:\n%s", r.Code, r.Stderr)
	}
	for i, u := range users {
		t.Run(fmt.Sprintf("page %d", i), func(t *testing.T) {
			at := slices.IndexFunc(found.Profiles, func(p struct {
				URL string
				page.Profile
			}) bool {
				return p.URL == urls[i]
			})
			if at < 0 {
				t.Fatal("no profile")
			}
			if diff := cmp.Diff(u.Profile, found.Profiles[at].Profile); diff != "" {
				t.Errorf("profile (-served +read):\n%s", diff)
			}
			at = slices.IndexFunc(found.Boards, func(b struct {
				URL    string
				Boards []page.Board
			}) bool {
				return b.URL == urls[i]
			})
			if at < 0 {
				t.Fatal("no boards")
			}
			if diff := cmp.Diff(u.Boards, found.Boards[at].Boards, equateEmpty); diff != "" {
				t.Errorf("boards (-served +read):\n%s", diff)
			}
		})
	}
}

// equateEmpty makes no difference between no list and an empty one.
var equateEmpty = cmp.FilterPath(func(p cmp.Path) bool { return true }, cmp.Options{
	cmp.FilterValues(func(a, b []page.Board) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b []page.Image) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
})

func TestDemoOfADeadURLFailsWithTheCause(t *testing.T) {
	r, _ := runDemo(t, nil, "http://127.0.0.1:1/nobody/")
	if r.Code != 1 || !strings.Contains(r.Stderr, "connection refused") {
		t.Errorf("code %d, want 1 and the cause:\n%s", r.Code, r.Stderr)
	}
}
