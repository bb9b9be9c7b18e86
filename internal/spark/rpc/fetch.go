package rpc

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Fetch downloads spark://host:port/path, a file or jar that a process (a driver, as a rule) serves to
// others, over a connection of its own.
func (e *Env) Fetch(ctx context.Context, rawURL string, w io.Writer) (n int64, err error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return 0, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || u.Scheme != "spark" || u.Hostname() == "" || u.Path == "" {
		return 0, fmt.Errorf("%q: expected spark://host:port/path", rawURL)
	}
	nc, err := e.dialTCP(ctx, endpoint.Address{Host: u.Hostname(), Port: int(port)})
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	unhook := context.AfterFunc(ctx, func() { nc.Close() })
	defer unhook()
	in := bufio.NewReaderSize(nc, 64<<10)
	if e.cfg.Secret != "" {
		if err := e.authenticateTo(nc, in); err != nil {
			return 0, fmt.Errorf("fetching %s: %w", rawURL, err)
		}
	}
	if _, err := nc.Write(appendFrame(nil, frame{kind: kindStreamRequest, text: u.Path})); err != nil {
		return 0, fmt.Errorf("fetching %s: %w", rawURL, err)
	}
	n, err = receiveStream(in, e.cfg.MaxFrame, w)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return n, fmt.Errorf("fetching %s: %w", rawURL, err)
	}
	return n, nil
}

// receiveStream reads the answer to a stream request: a frame, and after it the bytes.
func receiveStream(in *bufio.Reader, limit int, w io.Writer) (int64, error) {
	f, err := readFrame(in, limit)
	switch {
	case err != nil:
		return 0, err
	case f.kind == kindStreamFailure:
		return 0, &RemoteError{Message: f.err}
	case f.kind == kindFailure:
		return 0, &RemoteError{Message: f.text}
	case f.kind != kindStreamResponse:
		return 0, fmt.Errorf("frame of kind %d in place of a stream", f.kind)
	}
	return io.CopyN(w, in, f.size)
}
