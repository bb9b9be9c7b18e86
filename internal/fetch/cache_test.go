package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/fetch"
)

// origin is a server of one file that counts what it is asked for.
type origin struct {
	mu         sync.Mutex
	content    string
	etag       string // sent if not empty
	modified   string // sent if not empty
	ignores    bool   // answers conditional requests with the file all the same
	full, asks int    // answers with the file; requests
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asks++
	if o.etag != "" {
		w.Header().Set("ETag", o.etag)
	}
	if o.modified != "" {
		w.Header().Set("Last-Modified", o.modified)
	}
	same := o.etag != "" && r.Header.Get("If-None-Match") == o.etag ||
		o.modified != "" && r.Header.Get("If-Modified-Since") == o.modified
	if same && !o.ignores {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(o.content)))
	n, _ := io.WriteString(w, o.content)
	if n == len(o.content) {
		o.full++
	}
}

// fetchCached fetches one URI through the cache and gives what arrived.
func fetchCached(t *testing.T, f *fetch.Fetcher, uri string) string {
	t.Helper()
	box := t.TempDir()
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{{Value: uri, Cache: true, OutputFile: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(box, "x"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestCacheDownloadsAgainOnlyWhatHasChanged(t *testing.T) {
	for _, c := range []struct {
		name   string
		before *origin
		change func(o *origin) // nil is no change
		full   int             // downloads after two fetches
	}{
		{"same ETag", &origin{etag: `"1"`}, nil, 1},
		{"same date", &origin{modified: "Fri, 20 Nov 2026 09:18:14 GMT"}, nil, 1},
		{"other ETag", &origin{etag: `"1"`}, func(o *origin) { o.etag = `"2"` }, 2},
		{"other date", &origin{modified: "Fri, 20 Nov 2026 09:18:14 GMT"}, func(o *origin) { o.modified = "Fri, 20 Nov 2026 09:18:15 GMT" }, 2},
		{"server that does not know of conditions", &origin{etag: `"1"`, ignores: true}, nil, 2},
		{"nothing but the same size", &origin{}, nil, 1},
		{"nothing but another size", &origin{}, func(o *origin) {}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.before.content = "old"
			if c.before.etag == "" && c.before.modified == "" {
				c.before.content = strings.Repeat("old!", 4<<20) // too much for the sockets' buffers
			}
			site := serve(t, c.before.ServeHTTP)
			f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
			fetchCached(t, f, site+"/x")
			want := c.before.content
			if c.change != nil {
				want = "the new content"
				c.before.mu.Lock()
				c.before.content = want
				c.change(c.before)
				c.before.mu.Unlock()
			}
			if got := fetchCached(t, f, site+"/x"); got != want {
				t.Errorf("second fetch brought %.20q of %d bytes, want %.20q of %d", got, len(got), want, len(want))
			}
			f.Close() // the handler of an answer that nobody read to its end has returned then
			c.before.mu.Lock()
			defer c.before.mu.Unlock()
			if c.before.full != c.full || c.before.asks != 2 {
				t.Errorf("%d requests, %d downloads; want 2 and %d", c.before.asks, c.before.full, c.full)
			}
		})
	}
}

// waitFor polls until the condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestOneDownloadAtATimePerURI(t *testing.T) {
	const tasks = 8
	release := make(chan struct{})
	var requests atomic.Int32
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		<-release
		io.WriteString(w, "shared")
	})
	f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
	var wg sync.WaitGroup
	for range tasks {
		wg.Go(func() {
			if got := fetchCached(t, f, site+"/x"); got != "shared" {
				t.Errorf("got %q, want %q", got, "shared")
			}
		})
	}
	waitFor(t, "all tasks to wait", func() bool { return f.Waiting(site+"/x") == tasks })
	close(release)
	wg.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests for %d tasks at the same time, want 1", n, tasks)
	}
}

func TestDownloadGoesOnForThoseWhoStillWait(t *testing.T) {
	release := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		io.WriteString(w, "worth the wait")
	})
	uri := site + "/x"
	f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
	ctx, killed := context.WithCancel(t.Context())
	impatient := make(chan error, 1)
	go func() {
		impatient <- f.Fetch(ctx, fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: uri, Cache: true}}})
	}()
	waitFor(t, "the first task to wait", func() bool { return f.Waiting(uri) == 1 })
	patient := make(chan string, 1)
	go func() { patient <- fetchCached(t, f, uri) }()
	waitFor(t, "both tasks to wait", func() bool { return f.Waiting(uri) == 2 })
	killed()
	if err := <-impatient; !errors.Is(err, context.Canceled) {
		t.Errorf("killed task: %v, want that its context was cancelled", err)
	}
	close(release)
	if got := <-patient; got != "worth the wait" {
		t.Errorf("patient task got %q", got)
	}
}

func TestDownloadThatNobodyWaitsForIsGivenUp(t *testing.T) {
	given := make(chan struct{})
	asked := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			close(asked)
			<-r.Context().Done()
			close(given)
		}
	})
	f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
	ctx, killed := context.WithCancel(t.Context())
	go func() { <-asked; killed() }()
	err := f.Fetch(ctx, fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + "/x", Cache: true}}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Fetch = %v, want that its context was cancelled", err)
	}
	<-given
}

func TestFailedDownloadIsNotKept(t *testing.T) {
	var fine atomic.Bool
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !fine.Load() {
			w.Header().Set("Content-Length", "100")
		}
		io.WriteString(w, "part")
	})
	dir := t.TempDir()
	f := newFetcher(t, fetch.Config{CacheDir: dir})
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + "/x", Cache: true}}})
	wantError(t, err, "the connection ended after 4 of 100 bytes")
	wantCache(t, f, dir, 0)
	fine.Store(true)
	if got := fetchCached(t, f, site+"/x"); got != "part" {
		t.Errorf("got %q, want %q", got, "part")
	}
	wantCache(t, f, dir, 4)
}

// wantCache compares what the cache says with what is on disk, and both with want.
func wantCache(t *testing.T, f *fetch.Fetcher, dir string, want int64) {
	t.Helper()
	var onDisk int64
	files, err := os.ReadDir(filepath.Join(dir, "meseta-fetch-cache"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		onDisk += info.Size()
	}
	if used, _ := f.CacheUse(); used != want || onDisk != want {
		t.Errorf("cache: %d bytes used, %d on disk; want %d", used, onDisk, want)
	}
}

func TestWhatWasUsedLongestAgoLeavesTheCache(t *testing.T) {
	asked := map[string]int{}
	var mu sync.Mutex
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		size := 4
		fmt.Sscanf(r.URL.Path, "/big%d", &size)
		io.WriteString(w, strings.Repeat("x", size))
	})
	dir := t.TempDir()
	f := newFetcher(t, fetch.Config{CacheDir: dir, CacheBytes: 10})
	for _, path := range []string{"/a", "/b", "/a", "/c", "/a", "/b"} { // c makes b go, then b makes c go
		fetchCached(t, f, site+path)
		if used, capacity := f.CacheUse(); used > capacity {
			t.Fatalf("cache holds %d bytes of %d", used, capacity)
		}
	}
	wantCache(t, f, dir, 8)
	if got := fetchCached(t, f, site+"/big11"); len(got) != 11 {
		t.Errorf("file that is too large for the cache has %d bytes, want 11", len(got))
	}
	wantCache(t, f, dir, 8)
	fetchCached(t, f, site+"/big10")
	wantCache(t, f, dir, 10)
	want := map[string]int{"/a": 1, "/b": 2, "/c": 1, "/big11": 1, "/big10": 1}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("downloads (-want +got):\n%s", diff)
	}
}

func TestLostCacheFileIsDownloadedAgain(t *testing.T) {
	site := serve(t, (&origin{content: "x", etag: `"1"`}).ServeHTTP)
	dir := t.TempDir()
	f := newFetcher(t, fetch.Config{CacheDir: dir})
	for range 2 {
		if got := fetchCached(t, f, site+"/x"); got != "x" {
			t.Errorf("got %q, want %q", got, "x")
		}
		if err := os.RemoveAll(filepath.Join(dir, "meseta-fetch-cache", "1")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewCacheIsEmptyAndLeavesOtherFilesAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	site := static(t, map[string]string{"/x": "x"})
	fetchCached(t, newFetcher(t, fetch.Config{CacheDir: dir}), site+"/x")
	wantCache(t, newFetcher(t, fetch.Config{CacheDir: dir}), dir, 0)
	if _, err := os.Stat(filepath.Join(dir, "precious")); err != nil {
		t.Error(err)
	}
}

func TestLocalFileIsNotCached(t *testing.T) {
	local := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(local, []byte("local"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := newFetcher(t, fetch.Config{CacheDir: dir})
	if got := fetchCached(t, f, local); got != "local" {
		t.Errorf("got %q", got)
	}
	wantCache(t, f, dir, 0)
}

func TestCloseEndsDownloads(t *testing.T) {
	asked := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
	go func() { <-asked; f.Close() }()
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: t.TempDir(), URIs: []fetch.URI{{Value: site + "/x", Cache: true}}})
	wantError(t, err, "the fetcher was closed")
}
