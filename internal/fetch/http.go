package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// validators are what a server said to recognise a file by.
type validators struct {
	etag     string
	modified string
	size     int64
}

func (v validators) none() bool { return v.etag == "" && v.modified == "" }

// answer is how a download ended.
type answer struct {
	validators
	unchanged bool // what the validators belong to is still what the server has; nothing was written
}

// download writes what the URL has to dst, unless known says that it is there already: the server is
// asked by ETag and date, and if it knows neither, sizes are compared.
func (f *Fetcher) download(ctx context.Context, uri string, known validators, dst io.Writer, progress func(done, total int64)) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall, whole := f.cfg.StallTimeout, f.cfg.Timeout
	watchdog := time.AfterFunc(stall, func() { cancel(fmt.Errorf("stalled: no data for %v", stall)) })
	defer watchdog.Stop()
	deadline := time.AfterFunc(whole, func() { cancel(fmt.Errorf("not complete after %v", whole)) })
	defer deadline.Stop()

	got, err := f.get(ctx, uri, known, func(body io.Reader, total int64) (int64, error) {
		counted := &countedReader{from: body, left: f.cfg.MaxDownload, seen: func(done int64) {
			watchdog.Reset(stall)
			progress(done, total)
		}}
		return io.Copy(dst, counted)
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return answer{}, cause
	}
	return got, err
}

// get makes the request and judges the answer; save is called with the body of a good one.
func (f *Fetcher) get(ctx context.Context, uri string, known validators, save func(body io.Reader, total int64) (int64, error)) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	request.Header.Set("User-Agent", "meseta-fetcher")
	if known.etag != "" {
		request.Header.Set("If-None-Match", known.etag)
	}
	if known.modified != "" {
		request.Header.Set("If-Modified-Since", known.modified)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	defer response.Body.Close()
	got := answer{validators: validators{
		etag:     response.Header.Get("ETag"),
		modified: response.Header.Get("Last-Modified"),
	}}
	switch {
	case response.StatusCode == http.StatusNotModified && !known.none():
		return answer{validators: known, unchanged: true}, nil
	case response.StatusCode != http.StatusOK:
		return answer{}, fmt.Errorf("the server answered %s, expected 200 OK", response.Status)
	case response.ContentLength > f.cfg.MaxDownload:
		return answer{}, fmt.Errorf("%d bytes, the limit is %d", response.ContentLength, f.cfg.MaxDownload)
	case known.size > 0 && known.none() && got.none() && response.ContentLength == known.size:
		return answer{validators: known, unchanged: true}, nil
	}
	got.size, err = save(response.Body, response.ContentLength)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the connection ended after %d of %d bytes", got.size, response.ContentLength)
	}
	return got, err
}

// withoutURL takes the URL off an error of net/http, because callers say it too.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// countedReader passes on bytes, tells how many there have been, and refuses more than left.
type countedReader struct {
	from io.Reader
	left int64
	done int64
	seen func(done int64)
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.done += int64(n)
	if r.left -= int64(n); r.left < 0 {
		return 0, fmt.Errorf("more than the limit of %d bytes", r.left+r.done)
	}
	if n > 0 {
		r.seen(r.done)
	}
	return n, err
}
