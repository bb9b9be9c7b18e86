// Package fetch brings the URIs of a task into its sandbox before the task starts.
//
// [Fetcher.Fetch] takes a list of URIs and returns when all of them are in place, or with the
// first failure, which names the URI and the cause. A URI is an absolute path or has the scheme file,
// http or https; it is opaque, taken as it is: no templates, no unquoting, and its file name is what
// follows its last slash, a query included. Relative paths and all other schemes are refused.
//
// What is fetched comes from strangers and lands in a directory that strangers write to, while the
// agent may well be root. Hence the invariant: nothing outside the sandbox is written, and nothing is
// read or written that the task's user could not read or write. It rests on two things. Everything
// that touches names in the sandbox goes through an [os.Root], which follows no link out of it. And
// it happens on a thread that has the task's user for the file system (user.go), so that files are
// born with the right owner and the kernel checks every access; nothing is chowned afterwards.
//
// Downloads run side by side; files are put in place in the order of the list, so that of two with
// the same name the later one stays. Archives are unpacked within limits on bytes and entries. A
// symbolic link in an archive may point anywhere, because the task could make the same link (and
// because Python environments hold such links); nothing is ever written through one that leaves the
// sandbox.
//
// Start reading at [Fetcher.Fetch]; then uri.go for what a URI means, http.go and cache.go for where
// bytes come from, place.go and the unpackers for where they go.
package fetch

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config says what a Fetcher may use. The zero value is usable; it caches nothing.
type Config struct {
	// CacheDir is where URIs with Cache are kept, in a directory of the Fetcher's own that is emptied by
	// New. Without it such URIs are downloaded each time.
	CacheDir string

	// CacheBytes bounds the cache; what was used longest ago goes first. Zero is 2 GiB. A file larger
	// than that is fetched and not kept.
	CacheBytes int64

	// StallTimeout ends a download that brought no byte for so long. Zero is a minute.
	StallTimeout time.Duration

	// Timeout ends a download however lively it is. Zero is an hour.
	Timeout time.Duration

	// MaxDownload bounds the bytes of one URI. Zero is 16 GiB.
	MaxDownload int64

	// MaxUnpacked bounds the bytes that come out of one archive, its own headers included. Zero is
	// 32 GiB.
	MaxUnpacked int64

	// MaxEntries bounds the files, directories and links of one archive. Zero is 500,000.
	MaxEntries int

	// Parallel bounds the simultaneous downloads of one Fetch. Zero is 8.
	Parallel int

	// Transport carries the requests. Nil is a transport of the Fetcher's own that honours the usual
	// proxy variables.
	Transport http.RoundTripper
}

// The bounds unless the configuration has others.
const (
	maxDownload = 16 << 30
	maxUnpacked = 32 << 30
	maxEntries  = 500_000
)

func (c Config) withDefaults() Config {
	c.CacheBytes = cmp.Or(c.CacheBytes, 2<<30)
	c.StallTimeout = cmp.Or(c.StallTimeout, time.Minute)
	c.Timeout = cmp.Or(c.Timeout, time.Hour)
	c.MaxDownload = cmp.Or(c.MaxDownload, maxDownload)
	c.MaxUnpacked = cmp.Or(c.MaxUnpacked, maxUnpacked)
	c.MaxEntries = cmp.Or(c.MaxEntries, maxEntries)
	c.Parallel = cmp.Or(c.Parallel, 8)
	if c.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DisableCompression = true // a .tar.gz is to arrive as it is
		c.Transport = transport
	}
	return c
}

// URI is one thing to fetch, as in a CommandInfo.
type URI struct {
	Value string

	// Executable sets the executable bits. Such a file is not unpacked.
	Executable bool

	// Extract unpacks the file into the sandbox if its name says that it is an archive: .tar, .tgz,
	// .tar.gz, .tbz2, .tar.bz2, .txz, .tar.xz, .zip, or a single file as .gz. The archive itself stays
	// in the sandbox too, unless Cache is set. Mind that CommandInfo's default is true.
	Extract bool

	// Cache keeps the download on this machine for other tasks. It is checked with its server before
	// each use. For local files, which are on this machine already, it has no such meaning.
	Cache bool

	// OutputFile is the name to give the file, relative to the sandbox, with directories if need be.
	// Without it the name is what follows the last slash of Value.
	OutputFile string
}

// Request is what one task needs.
type Request struct {
	// Sandbox is an existing directory that User can write to.
	Sandbox string

	// User is whose files they will be, and with whose rights local files are read. Nil is the user of
	// this process; another one needs root.
	User *User

	URIs []URI

	// Progress, if not nil, hears how each download goes on. It is called by one goroutine at a time
	// and holds up the downloads while it runs.
	Progress func(Progress)
}

// Progress is how far the download of one URI has come.
type Progress struct {
	Index int   // into Request.URIs
	Bytes int64 // so far
	Total int64 // -1 if the server did not say
	Done  bool
}

// Fetcher fetches. It may be used by several goroutines at once.
type Fetcher struct {
	cfg    Config // immutable after New
	client *http.Client
	cache  *cache // nil without CacheDir
}

// New makes a Fetcher, with an empty cache.
func New(cfg Config) (*Fetcher, error) {
	cfg = cfg.withDefaults()
	f := &Fetcher{cfg: cfg, client: &http.Client{Transport: cfg.Transport}}
	if cfg.CacheDir == "" {
		return f, nil
	}
	var err error
	f.cache, err = newCache(cfg.CacheDir, cfg.CacheBytes, f.download)
	return f, err
}

// Close ends downloads into the cache and waits for them. Fetch must not be called any more.
func (f *Fetcher) Close() {
	if f.cache != nil {
		f.cache.close()
	}
	f.client.CloseIdleConnections()
}

// CacheUse tells how many bytes the cache holds, and how many it may hold.
func (f *Fetcher) CacheUse() (used, capacity int64) {
	if f.cache == nil {
		return 0, 0
	}
	return f.cache.use(), f.cfg.CacheBytes
}

// Fetch puts all URIs into the sandbox. It returns once they are there, or with an error that names
// the first URI that failed and why; what was put in place before that stays.
func (f *Fetcher) Fetch(ctx context.Context, req Request) error {
	items, err := plan(req.URIs)
	if err != nil || len(items) == 0 {
		return err
	}
	root, err := os.OpenRoot(req.Sandbox)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer root.Close()
	report := func(Progress) {}
	if req.Progress != nil {
		var mu sync.Mutex
		report = func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			req.Progress(p)
		}
	}
	return asUser(req.User, func() error {
		return f.fill(ctx, root, items, report)
	})
}

// fill runs as the task's user. It is the only one to touch names in the sandbox; the downloads, which
// run as whoever the agent is, write to files that are open already.
func (f *Fetcher) fill(ctx context.Context, root *os.Root, items []item, report func(Progress)) error {
	box := &sandbox{ctx: ctx, root: root, maxBytes: f.cfg.MaxUnpacked, maxEntries: f.cfg.MaxEntries}
	defer box.clean()
	payloads := make([]payload, len(items))
	defer func() {
		for _, p := range payloads {
			p.close()
		}
	}()
	for i, it := range items {
		var err error
		switch {
		case it.local != "":
			payloads[i], err = openLocal(it.local)
		case !it.Cache || f.cache == nil:
			payloads[i], err = box.stage(i)
		}
		if err != nil {
			return it.failed(err)
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(f.cfg.Parallel)
	for i, it := range items {
		if it.local != "" {
			continue
		}
		group.Go(func() error {
			return it.failed(f.bring(groupCtx, it, &payloads[i], report))
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, it := range items {
		if err := box.place(it, payloads[i]); err != nil {
			return it.failed(err)
		}
	}
	return nil
}

// bring fills the payload from the network or from the cache.
func (f *Fetcher) bring(ctx context.Context, it item, p *payload, report func(Progress)) error {
	progress := func(done, total int64) { report(Progress{Index: it.index, Bytes: done, Total: total}) }
	if p.file == nil {
		blob, err := f.cache.get(ctx, it.Value)
		if err != nil {
			return err
		}
		*p = payload{file: blob.file, size: blob.size, release: blob.release}
	} else {
		got, err := f.download(ctx, it.Value, validators{}, p.file, progress)
		if err != nil {
			return err
		}
		p.size = got.size
	}
	report(Progress{Index: it.index, Bytes: p.size, Total: p.size, Done: true})
	return nil
}
