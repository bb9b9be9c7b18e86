package registry_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/registry"
)

// Nobody on this machine can reach the embedded etcd: neither by TCP nor by a socket in the file
// system or in the abstract name space, which would be open to every local user.
func TestEmbeddedRegistryListensNowhere(t *testing.T) {
	before := sockets(t)
	r := open(t, t.TempDir())
	if _, err := r.Campaign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := sockets(t); after != before {
		t.Errorf("%d sockets before, %d with a registry", before, after)
	}
}

// sockets counts the sockets of this process, of whatever kind.
func sockets(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func TestEmbeddedRegistryIsQuietWhenAllIsWell(t *testing.T) {
	var log bytes.Buffer
	config := registry.Config{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 {
		r, err := registry.Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Campaign(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Apply(t.Context(), []registry.Op{admit(1)}); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged:\n%s", &log)
	}
}

func TestEmbeddedRegistryIsForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "work", "registry")
	open(t, dir)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatLiesAboveTheRegistryMayBeShared(t *testing.T) {
	above := filepath.Join(t.TempDir(), "meseta", "master")
	r, err := registry.Open(t.Context(), registry.Config{Dir: filepath.Join(above, "registry")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for path, want := range map[string]fs.FileMode{filepath.Dir(above): 0o755, above: 0o755, filepath.Join(above, "registry"): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestOneProcessHasTheDirectory(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	start := time.Now()
	_, err := registry.Open(t.Context(), registry.Config{Dir: dir})
	if !errors.Is(err, registry.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: %v", err)
	}
	if waited := time.Since(start); waited > 5*time.Second {
		t.Errorf("waited %v for the first to go", waited)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	open(t, dir)
}

// The test binary is also the process that is killed, or whose etcd fails and then leaves goroutines:
// these variables, with a directory, say what it does there.
const (
	applyIn = "MESETA_TEST_REGISTRY_APPLY"
	openIn  = "MESETA_TEST_REGISTRY_OPEN"
	fillIn  = "MESETA_TEST_REGISTRY_FILL"
)

func TestMain(m *testing.M) {
	for variable, do := range map[string]func(dir string) error{applyIn: applyUntilKilled, openIn: openOnly, fillIn: fillUp} {
		if dir := os.Getenv(variable); dir != "" {
			if err := do(dir); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

// elsewhere does in another process what the variable says and returns its error, empty when there
// is none.
func elsewhere(t *testing.T, variable, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+dir)
	out, err := cmd.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return ""
	case !failed:
		t.Fatal(err)
	case exit.ExitCode() != 1:
		t.Fatalf("exit code %d, as of a panic:\n%s", exit.ExitCode(), out)
	}
	return string(out)
}

func openOnly(dir string) error {
	r, err := registry.Open(context.Background(), registry.Config{Dir: dir})
	if err != nil {
		return err
	}
	return r.Close()
}

// applyUntilKilled leads, and says on stdout what is durable.
func applyUntilKilled(dir string) error {
	r, err := registry.Open(context.Background(), registry.Config{Dir: dir})
	if err != nil {
		return err
	}
	l, err := r.Campaign(context.Background())
	if err != nil {
		return err
	}
	fmt.Println("epoch", l.Epoch(), r.ClusterID())
	for i := 0; ; i++ {
		if err := r.Apply(context.Background(), []registry.Op{admit(i)}); err != nil {
			return err
		}
		fmt.Println("applied", i)
	}
}

// A master that was killed at any moment finds everything that it was told was done, keeps its
// cluster's id, and leads again at once: it need not wait for its own lease to run out.
func TestKilledMasterFindsWhatWasApplied(t *testing.T) {
	dir := t.TempDir()
	next, epoch, cluster := 0, uint64(0), ""
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), applyIn+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		applied := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e uint64
			if n, _ := fmt.Sscanf(lines.Text(), "epoch %d %s", &e, &cluster); n == 2 && e <= epoch {
				t.Errorf("round %d: epoch %d after %d", round, e, epoch)
			}
			if n, _ := fmt.Sscanf(lines.Text(), "applied %d", &applied); n == 1 && applied == 100+37*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed
		next = max(next, applied+1)

		r, err := registry.Open(t.Context(), registry.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		l, err := r.Campaign(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("leads after %v", took)
		}
		epoch = max(epoch, l.Epoch())
		if r.ClusterID() != cluster {
			t.Errorf("cluster %q has become %q", cluster, r.ClusterID())
		}
		state, err := r.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(state.Agents); n < next || n > next+1 {
			t.Errorf("round %d: %d agents, of which %d were applied", round, n, next)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDamagedFilesAreAnErrorNotAPanic(t *testing.T) {
	whole := t.TempDir()
	r, err := registry.Open(t.Context(), registry.Config{Dir: whole})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Campaign(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := r.Apply(t.Context(), []registry.Op{admit(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"member/wal/0*.wal", "member/snap/db"} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		data, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		for i := range data[:12_000] {
			data[i] ^= 0x55
		}
		if err := os.WriteFile(names[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		got := elsewhere(t, openIn, dir)
		if !strings.Contains(got, dir) {
			t.Errorf("damaged %s: %q", pattern, got)
		}
		t.Logf("%s: %s", pattern, got)
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := registry.Open(ctx, registry.Config{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
}

func TestConfigSaysEverythingThatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		config registry.Config
		want   []string
	}{
		{registry.Config{Dir: "d"}, nil},
		{registry.Config{Endpoints: []string{"http://a:2379", "https://b:2379"}, Prefix: "/a/b", LeaseTTL: 5 * time.Second}, nil},
		{registry.Config{}, []string{"neither"}},
		{registry.Config{Dir: "d", Endpoints: []string{"b:2379"}}, []string{"one of them", `"b:2379"`}},
		{registry.Config{Dir: "d", Prefix: "x/", LeaseTTL: 1500 * time.Millisecond}, []string{`"x/"`, "1.5s"}},
	} {
		err := tt.config.Validate()
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%+v: %v", tt.config, err)
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%+v: %v, which does not name %s", tt.config, err, w)
			}
		}
	}
}
