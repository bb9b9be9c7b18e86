package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// item is a URI that makes sense.
type item struct {
	URI
	index  int
	local  string // the absolute path, unless it is to be downloaded
	dest   string // where it goes, relative to the sandbox
	format format // how to unpack it; formatNone if it is just a file
}

// plan makes sense of all URIs before anything is fetched.
func plan(uris []URI) ([]item, error) {
	items := make([]item, len(uris))
	for i, uri := range uris {
		it := item{URI: uri, index: i}
		if err := it.resolve(); err != nil {
			return nil, it.failed(err)
		}
		items[i] = it
	}
	return items, nil
}

func (it *item) resolve() error {
	var err error
	if it.local, err = localPath(it.Value); err != nil {
		return err
	}
	if it.dest, err = destination(it.URI); err != nil {
		return err
	}
	if it.Extract && !it.Executable {
		it.format = formatOf(it.dest)
	}
	return nil
}

// localPath is the path that the URI stands for, or "" if it has to be downloaded.
func localPath(value string) (string, error) {
	if value == "" {
		return "", errors.New("empty, expected an absolute path or a URL")
	}
	if strings.HasPrefix(value, "/") {
		return value, nil
	}
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok {
		return "", errors.New("relative path, expected an absolute path or a URL with the scheme file, http or https")
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		u, err := url.Parse(value)
		if err != nil {
			return "", errors.Unwrap(err)
		}
		if u.Host == "" {
			return "", errors.New("no host")
		}
		return "", nil
	case "file":
		path := strings.TrimPrefix(rest, "localhost")
		if !strings.HasPrefix(path, "/") {
			return "", errors.New("file of another host, expected file:///path")
		}
		return path, nil
	}
	return "", fmt.Errorf("scheme %.40q is not supported, expected file, http, https or an absolute path", scheme)
}

// destination is the name of the file in the sandbox.
func destination(uri URI) (string, error) {
	name := uri.OutputFile
	if name == "" {
		path := uri.Value
		if _, rest, ok := strings.Cut(path, "://"); ok {
			path = rest
			if !strings.Contains(path, "/") {
				return "", errors.New("no path, hence no file name")
			}
		}
		name = path[strings.LastIndexByte(path, '/')+1:]
		if name == "" || name == "." || name == ".." {
			return "", errors.New("no file name after the last slash, expected one or an output_file")
		}
		return name, nil
	}
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." || strings.HasSuffix(name, "/") {
		return "", fmt.Errorf("output_file %.200q, expected the name of a file in the sandbox", name)
	}
	return filepath.Clean(name), nil
}

// failed says which URI it was. A password in it stays out of the message, which the world can read.
func (it *item) failed(err error) error {
	if err == nil {
		return nil
	}
	shown := it.Value
	if u, parseErr := url.Parse(shown); parseErr == nil && u.User != nil {
		shown = u.Redacted()
	}
	return fmt.Errorf("uri %.400q: %w", shown, err)
}
