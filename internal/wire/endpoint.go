package wire

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// endpoint is one URL, in the pieces that a request needs.
type endpoint struct {
	secure bool
	host   string // "host:port"
	path   string // with its query, escaped, as in a request line
}

// parseEndpoint reads "host:port" or an http(s) URL. path is used if that has
// none.
func parseEndpoint(server, path string) (endpoint, error) {
	text := server
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, fmt.Errorf("server %q: %w", server, err)
	}
	if u.Path == "" || u.Path == "/" {
		p, err := url.Parse(path)
		if err != nil {
			return endpoint{}, fmt.Errorf("path %q: %w", path, err)
		}
		u.Path, u.RawPath, u.RawQuery = p.Path, p.RawPath, p.RawQuery
	}
	e, err := endpointOf(u)
	if err != nil {
		return endpoint{}, fmt.Errorf("server %q: %w", server, err)
	}
	return e, nil
}

func endpointOf(u *url.URL) (endpoint, error) {
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return endpoint{}, fmt.Errorf("scheme %q, expected http or https", u.Scheme)
	case u.Hostname() == "":
		return endpoint{}, fmt.Errorf("no host in %q", u)
	case u.User != nil:
		return endpoint{}, fmt.Errorf("user name in the URL of %s: expected an Authorization instead", u.Host)
	case strings.Contains(u.RawQuery, " "):
		return endpoint{}, fmt.Errorf("space in the query of %q", u)
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	return endpoint{
		secure: u.Scheme == "https",
		host:   net.JoinHostPort(u.Hostname(), port),
		path:   u.RequestURI(),
	}, nil
}

// follow is where a Location leads from e: "//host:port/path", "//host:port" or
// a full URL. It refuses to leave https.
func (e endpoint) follow(location string) (endpoint, bool) {
	if location == "" {
		return endpoint{}, false
	}
	scheme := "http"
	if e.secure {
		scheme = "https"
	}
	base, err := url.Parse(scheme + "://" + e.host + e.path)
	if err != nil {
		return endpoint{}, false
	}
	u, err := base.Parse(location)
	if err != nil || e.secure && u.Scheme != "https" {
		return endpoint{}, false
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath, u.RawQuery = base.Path, base.RawPath, base.RawQuery
	}
	next, err := endpointOf(u)
	return next, err == nil
}
