package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/fetch"
)

func TestMain(m *testing.M) {
	syscall.Umask(0o022) // tests compare permissions
	goleak.VerifyTestMain(m)
}

// newFetcher makes a Fetcher that is closed with the test.
func newFetcher(t testing.TB, cfg fetch.Config) *fetch.Fetcher {
	t.Helper()
	f, err := fetch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// serve serves handler until the test ends.
func serve(t testing.TB, handler http.HandlerFunc) (baseURL string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// static serves files by path.
func static(t testing.TB, files map[string]string) (baseURL string) {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, content)
	})
}

// tree lists a directory: directories end in a slash, links have an arrow, files their permissions
// and content.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch {
		case d.IsDir():
			found[name+"/"] = ""
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		default:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			found[name] = fmt.Sprintf("%o %s", info.Mode().Perm(), content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantTree(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("sandbox (-want +got):\n%s", diff)
	}
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestFileArrivesUnderItsName(t *testing.T) {
	site := static(t, map[string]string{"/a/tool": "tool", "/": "root", "/a b": "spaced"})
	local := filepath.Join(t.TempDir(), "local file")
	if err := os.WriteFile(local, []byte("local"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		uri  fetch.URI
		want map[string]string
	}{
		{"http", fetch.URI{Value: site + "/a/tool"}, map[string]string{"tool": "644 tool"}},
		{"executable", fetch.URI{Value: site + "/a/tool", Executable: true}, map[string]string{"tool": "755 tool"}},
		{"query is part of the name", fetch.URI{Value: site + "/a/tool?v=1"}, map[string]string{"tool?v=1": "644 tool"}},
		{"unescaped space", fetch.URI{Value: site + "/a b"}, map[string]string{"a b": "644 spaced"}},
		{"escaped space stays escaped", fetch.URI{Value: site + "/a%20b"}, map[string]string{"a%20b": "644 spaced"}},
		{"output file", fetch.URI{Value: site + "/a/tool", OutputFile: "x/y/z"},
			map[string]string{"x/": "", "x/y/": "", "x/y/z": "644 tool"}},
		{"output file names what has no name", fetch.URI{Value: site + "/a/tool", OutputFile: "./here"},
			map[string]string{"here": "644 tool"}},
		{"absolute path", fetch.URI{Value: local}, map[string]string{"local file": "644 local"}},
		{"file URL", fetch.URI{Value: "file://" + local}, map[string]string{"local file": "644 local"}},
		{"file URL of localhost", fetch.URI{Value: "file://localhost" + local}, map[string]string{"local file": "644 local"}},
		{"local executable", fetch.URI{Value: local, Executable: true, OutputFile: "d/run"},
			map[string]string{"d/": "", "d/run": "755 local"}},
		{"extract means nothing to what is no archive", fetch.URI{Value: site + "/a/tool", Extract: true},
			map[string]string{"tool": "644 tool"}},
		{"cache without a cache", fetch.URI{Value: site + "/a/tool", Cache: true}, map[string]string{"tool": "644 tool"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			box := t.TempDir()
			err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{c.uri}})
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, box, c.want)
		})
	}
}

func TestRefusedURINamesItselfAndTheCause(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/short":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "only this")
		case "/away":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
	dead := httptest.NewServer(nil)
	dead.Close()
	dir := t.TempDir()
	for _, c := range []struct {
		uri  fetch.URI
		want string
	}{
		{fetch.URI{Value: ""}, "expected an absolute path or a URL"},
		{fetch.URI{Value: "a/relative/path"}, "relative path"},
		{fetch.URI{Value: "ftp://host/file"}, `scheme "ftp" is not supported`},
		{fetch.URI{Value: "hdfs://host/file"}, `scheme "hdfs" is not supported`},
		{fetch.URI{Value: "file://elsewhere/file"}, "file of another host"},
		{fetch.URI{Value: "http:///file"}, "no host"},
		{fetch.URI{Value: "http://host/%zz"}, "invalid URL escape"},
		{fetch.URI{Value: "http://host"}, "no file name"},
		{fetch.URI{Value: "http://host/dir/"}, "no file name after the last slash"},
		{fetch.URI{Value: "http://host/dir/.."}, "no file name after the last slash"},
		{fetch.URI{Value: "/"}, "no file name after the last slash"},
		{fetch.URI{Value: site + "/x", OutputFile: "../x"}, "expected the name of a file in the sandbox"},
		{fetch.URI{Value: site + "/x", OutputFile: "a/../../x"}, "expected the name of a file in the sandbox"},
		{fetch.URI{Value: site + "/x", OutputFile: "/x"}, "expected the name of a file in the sandbox"},
		{fetch.URI{Value: site + "/x", OutputFile: "."}, "expected the name of a file in the sandbox"},
		{fetch.URI{Value: site + "/x", OutputFile: "a/"}, "expected the name of a file in the sandbox"},
		{fetch.URI{Value: site + "/missing"}, "the server answered 404 Not Found, expected 200 OK"},
		{fetch.URI{Value: site + "/gone"}, "410 Gone"},
		{fetch.URI{Value: site + "/empty"}, "204 No Content"},
		{fetch.URI{Value: site + "/loop"}, "stopped after 10 redirects"},
		{fetch.URI{Value: site + "/away"}, `unsupported protocol scheme "file"`},
		{fetch.URI{Value: site + "/short"}, "the connection ended after 9 of 100 bytes"},
		{fetch.URI{Value: dead.URL + "/x"}, "connection refused"},
		{fetch.URI{Value: dir + "/missing"}, "no such file"},
		{fetch.URI{Value: dir}, "is not a regular file"},
		{fetch.URI{Value: "/dev/zero"}, "is not a regular file"},
	} {
		t.Run(c.uri.Value+" "+c.uri.OutputFile, func(t *testing.T) {
			box := t.TempDir()
			f := newFetcher(t, fetch.Config{})
			err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{c.uri}})
			wantError(t, err, fmt.Sprintf("uri %q: ", c.uri.Value), c.want)
			wantTree(t, box, map[string]string{})
		})
	}
}

func TestPasswordStaysOutOfErrors(t *testing.T) {
	site := static(t, nil)
	secret := strings.Replace(site, "http://", "http://user:hunter2@", 1) + "/x"
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: secret}}})
	wantError(t, err, "user:xxxxx@", "404")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %q has the password", err)
	}
}

func TestRedirectsAreFollowed(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			io.WriteString(w, "there")
			return
		}
		http.Redirect(w, r, "/end", http.StatusFound)
	})
	box := t.TempDir()
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{{Value: site + "/start"}}})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, box, map[string]string{"start": "644 there"})
}

func TestCompressedAnswerStaysAsItIs(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if accepted := r.Header.Get("Accept-Encoding"); accepted != "" {
			t.Errorf("Accept-Encoding is %q, want none", accepted)
		}
		w.Header().Set("Content-Encoding", "gzip")
		http.ServeFile(w, r, "testdata/hello.txt.gz")
	})
	packed, err := os.ReadFile("testdata/hello.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	box := t.TempDir()
	err = newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{{Value: site + "/x.gz"}}})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, box, map[string]string{"x.gz": "644 " + string(packed)})
}

func TestOfEqualNamesTheLaterStays(t *testing.T) {
	firstMayAnswer := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/1/same" {
			<-firstMayAnswer
		} else {
			defer close(firstMayAnswer)
		}
		io.WriteString(w, r.URL.Path)
	})
	box := t.TempDir()
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{
		{Value: site + "/1/same"}, {Value: site + "/2/same"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, box, map[string]string{"same": "644 /2/same"})
}

func TestDownloadsRunSideBySideUpToTheLimit(t *testing.T) {
	const parallel, count = 3, 9
	var mu sync.Mutex
	var now, most int
	together := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		if most = max(most, now); now == parallel {
			close(together)
			together = make(chan struct{})
		}
		wait := together
		if now == parallel {
			wait = nil
		}
		mu.Unlock()
		if wait != nil {
			<-wait // each group of three arrives only if it is there at the same time
		}
		mu.Lock()
		now--
		mu.Unlock()
	})
	var uris []fetch.URI
	for i := range count {
		uris = append(uris, fetch.URI{Value: fmt.Sprintf("%s/%d", site, i)})
	}
	box := t.TempDir()
	err := newFetcher(t, fetch.Config{Parallel: parallel}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: uris})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(tree(t, box)); got != count || most != parallel {
		t.Errorf("%d files with at most %d downloads at a time, want %d and %d", got, most, count, parallel)
	}
}

func TestFirstFailureEndsTheOthers(t *testing.T) {
	started := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			w.(http.Flusher).Flush()
			close(started)
			<-r.Context().Done()
			return
		}
		<-started
		http.NotFound(w, r)
	})
	box := t.TempDir()
	err := newFetcher(t, fetch.Config{}).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{
		{Value: site + "/endless"}, {Value: site + "/missing"},
	}})
	wantError(t, err, "/missing", "404")
	wantTree(t, box, map[string]string{})
}

func TestStalledDownloadEnds(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, "a little")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	for _, path := range []string{"/silent", "/a-little"} {
		for _, cached := range []bool{false, true} {
			f := newFetcher(t, fetch.Config{StallTimeout: 20 * time.Millisecond, CacheDir: t.TempDir()})
			err := f.Fetch(t.Context(), fetch.Request{
				Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + path, Cache: cached}},
			})
			wantError(t, err, site+path, "stalled: no data for 20ms")
		}
	}
}

func TestDownloadThatNeverEndsEnds(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "and so on ")
		}
	})
	f := newFetcher(t, fetch.Config{Timeout: 20 * time.Millisecond})
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + "/x"}}})
	wantError(t, err, "not complete after 20ms")
}

func TestTooLargeDownloadIsRefused(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/unsaid" {
			w.(http.Flusher).Flush() // no Content-Length
		}
		io.WriteString(w, "0123456789")
	})
	for _, c := range []struct {
		limit int64
		path  string
		want  string
	}{
		{9, "/said", "10 bytes, the limit is 9"},
		{9, "/unsaid", "more than the limit of 9 bytes"},
		{10, "/said", ""},
		{10, "/unsaid", ""},
	} {
		f := newFetcher(t, fetch.Config{MaxDownload: c.limit})
		err := f.Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + c.path}}})
		if c.want != "" {
			wantError(t, err, c.want)
		} else if err != nil {
			t.Errorf("%s: %v, want no error: it is as large as the limit", c.path, err)
		}
	}
}

func TestCancelledFetchTellsTheCause(t *testing.T) {
	why := errors.New("the task was killed")
	ctx, cancel := context.WithCancelCause(t.Context())
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel(why)
		<-r.Context().Done()
	})
	for _, cached := range []bool{false, true} {
		f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
		err := f.Fetch(ctx, fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + "/x", Cache: cached}}})
		if !errors.Is(err, why) {
			t.Errorf("Fetch = %v, want the cause %q", err, why)
		}
	}
}

func TestProgressEndsWithTheWhole(t *testing.T) {
	content := strings.Repeat("0123456789", 50_000)
	site := static(t, map[string]string{"/a": content, "/b": "small"})
	var last [2]fetch.Progress
	calls := 0
	err := newFetcher(t, fetch.Config{CacheDir: t.TempDir()}).Fetch(t.Context(), fetch.Request{
		Sandbox: t.TempDir(),
		URIs:    []fetch.URI{{Value: site + "/a"}, {Value: site + "/b", Cache: true}},
		Progress: func(p fetch.Progress) { // the race detector sees that calls do not overlap
			if calls++; p.Bytes < last[p.Index].Bytes {
				t.Errorf("progress goes back: %+v after %+v", p, last[p.Index])
			}
			last[p.Index] = p
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := [2]fetch.Progress{{0, int64(len(content)), int64(len(content)), true}, {1, 5, 5, true}}
	if last != want || calls < 3 {
		t.Errorf("last progress of %d: %+v, want %+v and some before", calls, last, want)
	}
}

func TestSandboxHasToExist(t *testing.T) {
	f := newFetcher(t, fetch.Config{})
	missing := filepath.Join(t.TempDir(), "missing")
	wantError(t, f.Fetch(t.Context(), fetch.Request{Sandbox: missing, URIs: []fetch.URI{{Value: "/etc/hostname"}}}), "sandbox", "missing")
	if err := f.Fetch(t.Context(), fetch.Request{Sandbox: missing}); err != nil {
		t.Errorf("without URIs: %v, want nil", err)
	}
}
