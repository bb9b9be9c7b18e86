package fetch

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// cache keeps downloads on this machine. Each use asks the server whether the copy is still good, and
// all who want the same URI at the same time share one such question and one download: a flight.
//
// It remembers nothing across restarts: what the files are is known here only, so a new cache begins
// with an empty directory. A file that is removed while somebody reads it stays readable for them,
// because they have it open.
type cache struct {
	// immutable after newCache
	dir      string
	capacity int64
	download downloadFunc
	ctx      context.Context // of all flights
	stop     context.CancelCauseFunc
	running  sync.WaitGroup

	mu      sync.Mutex // guards everything below, and the flights and blobs
	flights map[string]*flight
	entries map[string]*list.Element // of *entry
	recent  list.List                // the last used in front
	used    int64                    // bytes of all entries
	files   int                      // ever made, to name the next one
}

type downloadFunc func(ctx context.Context, uri string, known validators, dst io.Writer, progress func(done, total int64)) (answer, error)

// entry is a download that is kept.
type entry struct {
	validators
	uri, path string
}

// flight is one question to a server, and perhaps a download, with everybody who waits for it.
type flight struct {
	cancel  context.CancelFunc
	done    chan struct{} // closed when blob and err are set
	waiting int
	landed  bool
	blob    *blob
	err     error
}

// blob is a file that several read. Whoever has it calls release when finished.
type blob struct {
	cache *cache
	file  *os.File
	size  int64
	users int
}

var errClosed = errors.New("the fetcher was closed")

func newCache(dir string, capacity int64, download downloadFunc) (*cache, error) {
	// The directory was named by a person and may hold other things; the one that is emptied is ours.
	own := filepath.Join(dir, "meseta-fetch-cache")
	if err := errors.Join(os.RemoveAll(own), os.MkdirAll(own, 0o700)); err != nil {
		return nil, fmt.Errorf("fetcher cache: %w", err)
	}
	c := &cache{
		dir: own, capacity: capacity, download: download,
		flights: map[string]*flight{}, entries: map[string]*list.Element{},
	}
	c.ctx, c.stop = context.WithCancelCause(context.Background())
	return c, nil
}

func (c *cache) close() {
	c.stop(errClosed)
	c.running.Wait()
}

func (c *cache) use() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// get brings what the URI has now. The flight goes on if ctx ends, as long as others wait for it.
func (c *cache) get(ctx context.Context, uri string) (*blob, error) {
	c.mu.Lock()
	fl := c.flights[uri]
	if fl == nil {
		fl = c.takeOffLocked(uri)
	}
	fl.waiting++
	c.mu.Unlock()

	select {
	case <-fl.done:
		return fl.blob, fl.err
	case <-ctx.Done():
		c.leave(uri, fl)
		return nil, context.Cause(ctx)
	}
}

// leave is for a waiter that waits no more.
func (c *cache) leave(uri string, fl *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fl.landed {
		fl.blob.releaseLocked()
		return
	}
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		delete(c.flights, uri) // who comes now needs one that will arrive
	}
}

func (c *cache) takeOffLocked(uri string) *flight {
	ctx, cancel := context.WithCancel(c.ctx)
	fl := &flight{cancel: cancel, done: make(chan struct{})}
	c.flights[uri] = fl
	c.running.Go(func() {
		defer cancel()
		blob, err := c.refresh(ctx, uri)
		c.land(uri, fl, blob, err)
	})
	return fl
}

// land hands the result to all who wait now. From here on the blob is theirs.
func (c *cache) land(uri string, fl *flight, b *blob, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[uri] == fl {
		delete(c.flights, uri)
	}
	fl.landed, fl.blob, fl.err = true, b, err
	if b != nil {
		b.users = fl.waiting + 1
		b.releaseLocked()
	}
	close(fl.done)
}

// refresh asks the server whether the entry, if there is one, is still good, and downloads if not.
func (c *cache) refresh(ctx context.Context, uri string) (*blob, error) {
	kept, known := c.lookup(uri)
	fresh, err := c.newFile()
	if err != nil {
		shut(kept)
		return nil, err
	}
	got, err := c.download(ctx, uri, known, fresh, func(done, total int64) {})
	if err == nil && !got.unchanged {
		shut(kept)
		c.keep(entry{validators: got.validators, uri: uri, path: fresh.Name()})
		return &blob{cache: c, file: fresh, size: got.size}, nil
	}
	shut(fresh)
	c.remove(fresh.Name())
	if err != nil {
		shut(kept)
		return nil, err
	}
	return &blob{cache: c, file: kept, size: known.size}, nil
}

// lookup opens the file of an entry, if there is one, and makes it the last used.
func (c *cache) lookup(uri string) (*os.File, validators) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.entries[uri]
	if element == nil {
		return nil, validators{}
	}
	e := element.Value.(entry)
	file, err := os.Open(e.path)
	if err != nil { // somebody tidied up
		c.dropLocked(element)
		return nil, validators{}
	}
	c.recent.MoveToFront(element)
	return file, e.validators
}

func (c *cache) newFile() (*os.File, error) {
	c.mu.Lock()
	c.files++
	name := strconv.Itoa(c.files)
	c.mu.Unlock()
	file, err := os.OpenFile(filepath.Join(c.dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("fetcher cache: %w", err)
	}
	return file, nil
}

// keep makes room for an entry and keeps it, in place of one that it replaces.
func (c *cache) keep(e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[e.uri]; old != nil {
		c.dropLocked(old)
	}
	if e.size > c.capacity {
		c.remove(e.path)
		return
	}
	for c.used+e.size > c.capacity {
		c.dropLocked(c.recent.Back())
	}
	c.entries[e.uri] = c.recent.PushFront(e)
	c.used += e.size
}

func (c *cache) dropLocked(element *list.Element) {
	e := c.recent.Remove(element).(entry)
	delete(c.entries, e.uri)
	c.used -= e.size
	c.remove(e.path)
}

// remove removes a file. One that cannot be removed is gone at the next start.
func (c *cache) remove(path string) { _ = os.Remove(path) }

// shut closes a file that nothing more is read from or written to, or nil.
func shut(file *os.File) {
	if file != nil {
		_ = file.Close()
	}
}

func (b *blob) release() {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	b.releaseLocked()
}

// releaseLocked closes the file once nobody reads it.
func (b *blob) releaseLocked() {
	if b == nil {
		return
	}
	if b.users--; b.users == 0 {
		shut(b.file)
	}
}
