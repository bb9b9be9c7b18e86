package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// DialOptions say how to connect a link.
type DialOptions struct {
	LinkOptions
	// TLS is used for https.
	TLS *tls.Config
	// Timeout bounds connecting and upgrading. 0 means 10 s.
	Timeout time.Duration
}

// DialLink connects to url ("http://host:port/path") and upgrades to protocol.
// It follows redirects. A server that does not want to upgrade makes it return
// a [StatusError]. ctx ends the attempt, not the link.
func DialLink(ctx context.Context, url, protocol string, header http.Header, opts DialOptions) (*Link, error) {
	e, err := parseEndpoint(url, "/")
	if err != nil {
		return nil, err
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()

	for hop := 0; ; hop++ {
		link, err := dialLink(ctx, e, protocol, header, opts)
		if err == nil {
			return link, nil
		}
		next, ok := redirected(e, err)
		if !ok || hop == maxRedirects {
			return nil, err
		}
		e = next
	}
}

func dialLink(ctx context.Context, e endpoint, protocol string, header http.Header, opts DialOptions) (*Link, error) {
	line, err := dial(ctx, e, opts.TLS, nil)
	if err != nil {
		return nil, err
	}
	release := line.bind(ctx, time.Time{})
	early, err := upgrade(line, protocol, header)
	if err = release(err); err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		line.Close()
		return nil, err
	}
	line.SetDeadline(time.Time{})
	return newLink(line.Conn, early, opts.LinkOptions), nil
}

// upgrade asks for the protocol, and returns what the server has already sent
// in it.
func upgrade(line *conn, protocol string, header http.Header) (early []byte, err error) {
	var request strings.Builder
	request.WriteString("GET " + line.to.path + " HTTP/1.1\r\nHost: " + line.to.host + "\r\n")
	if err := header.Write(&request); err != nil {
		return nil, err
	}
	request.WriteString("Connection: Upgrade\r\nUpgrade: " + protocol + headEnd)
	if err := line.send([]byte(request.String())); err != nil {
		return nil, err
	}
	resp, err := line.receive(maxHead)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, line.statusError(resp)
	}
	if got := resp.Header.Get("Upgrade"); !strings.EqualFold(got, protocol) {
		return nil, fmt.Errorf("%s upgraded to %q, expected %q", line.to.host, got, protocol)
	}
	early, _ = line.br.Peek(line.br.Buffered())
	return early, nil
}
