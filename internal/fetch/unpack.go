package fetch

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

// format is a kind of archive, told by the end of a file's name as Mesos does it.
type format string

// The formats. formatNone is a file that is no archive.
const (
	formatNone  format = ""
	formatTar   format = "tar"
	formatTarGz format = "tar.gz"
	formatTarBz format = "tar.bz2"
	formatTarXz format = "tar.xz"
	formatZip   format = "zip"
	formatGz    format = "gz"
)

// suffixes are in the order in which they are tried.
var suffixes = []struct {
	suffix string
	format format
}{
	{".tar", formatTar},
	{".tgz", formatTarGz}, {".tar.gz", formatTarGz},
	{".tbz2", formatTarBz}, {".tar.bz2", formatTarBz},
	{".txz", formatTarXz}, {".tar.xz", formatTarXz},
	{".zip", formatZip},
	{".gz", formatGz},
}

func formatOf(name string) format {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s.suffix) {
			return s.format
		}
	}
	return formatNone
}

// unpack unpacks a payload into the sandbox.
func (s *sandbox) unpack(it item, p payload) error {
	u := &unpacker{sandbox: s, bytes: allowance{s.maxBytes, s.maxBytes}, entries: allowance{int64(s.maxEntries), int64(s.maxEntries)}}
	if it.format == formatZip {
		return u.zip(p.reader(), p.size)
	}
	packed := bufio.NewReaderSize(interruptible{s.ctx, p.reader()}, 64<<10)
	plain, err := decompressor(it.format, packed)
	if err != nil {
		return err
	}
	if it.format == formatGz {
		return u.file(strings.TrimSuffix(path.Base(it.dest), ".gz"), 0o644, time.Time{}, plain)
	}
	// The limit holds for the tar file as a whole, too: headers alone could go on forever.
	whole := allowance{s.maxBytes, s.maxBytes}
	return u.tar(bufio.NewReaderSize(whole.reader(plain), 64<<10))
}

func decompressor(f format, packed *bufio.Reader) (io.Reader, error) {
	switch f {
	case formatTarGz, formatGz:
		return gzip.NewReader(packed)
	case formatTarBz:
		return bzip2.NewReader(packed), nil
	case formatTarXz:
		return newXZReader(packed), nil
	}
	return packed, nil
}

// unpacker puts the entries of one archive into the sandbox. Its methods check what they are given: names
// and sizes come from the archive.
type unpacker struct {
	*sandbox
	bytes   allowance
	entries allowance
}

// file, directory, symlink and hardlink each make one entry. The name is as in the archive.

func (u *unpacker) file(name string, mode fs.FileMode, modified time.Time, content io.Reader) error {
	name, err := u.entry(name)
	if err != nil {
		return err
	}
	// Only permissions count: a setuid bit of a stranger's is nobody's wish.
	return about(name, u.writeFile(name, mode.Perm(), modified, u.bytes.reader(content)))
}

// directory makes the directory one that its owner can use and remove, whatever the archive says.
func (u *unpacker) directory(name string, mode fs.FileMode) error {
	name, err := u.entry(name)
	if err != nil || name == "." {
		return err
	}
	if err := u.mkdirAll(path.Dir(name)); err != nil {
		return about(name, err)
	}
	err = u.root.Mkdir(name, mode.Perm()|0o700)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := u.root.Stat(name); statErr == nil && info.IsDir() {
			err = nil
		}
	}
	return about(name, err)
}

func (u *unpacker) symlink(name, target string) error {
	name, err := u.entry(name)
	if err != nil {
		return err
	}
	if target == "" || len(target) > maxName {
		return about(name, fmt.Errorf("link to a path of %d bytes, expected 1 to %d", len(target), maxName))
	}
	return about(name, u.create(name, func() error { return u.root.Symlink(target, name) }))
}

func (u *unpacker) hardlink(name, target string) error {
	name, err := u.entry(name)
	if err != nil {
		return err
	}
	target, err = localName(target)
	if err != nil {
		return about(name, err)
	}
	return about(name, u.create(name, func() error { return u.root.Link(target, name) }))
}

// entry counts an entry and gives its name in the sandbox.
func (u *unpacker) entry(name string) (string, error) {
	if !u.entries.take(1) {
		return "", fmt.Errorf("more than the limit of %d entries", u.entries.limit)
	}
	return localName(name)
}

func about(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%.200q: %w", name, err)
}

// Bounds on names. The kernel takes no longer paths, and each level costs a step on each access.
const (
	maxName  = 4095
	maxDepth = 256
)

// localName checks the name of an entry: it has to be the way to something inside, without any "..",
// whose meaning would depend on links.
func localName(name string) (string, error) {
	switch {
	case name == "" || len(name) > maxName || strings.IndexByte(name, 0) >= 0:
		return "", fmt.Errorf("%.200q is no file name", name)
	case name[0] == '/':
		return "", fmt.Errorf("%.200q is an absolute path", name)
	}
	depth := 0
	for element := range strings.SplitSeq(name, "/") {
		if depth++; element == ".." {
			return "", fmt.Errorf("%.200q leads out of the archive", name)
		}
	}
	if depth > maxDepth {
		return "", fmt.Errorf("%.200q… is %d directories deep, the limit is %d", name, depth, maxDepth)
	}
	return path.Clean(name), nil
}

// allowance is how much of something is left.
type allowance struct{ left, limit int64 }

func (a *allowance) take(n int64) bool {
	a.left -= n
	return a.left >= 0
}

// reader reads through to from as far as the allowance goes.
func (a *allowance) reader(from io.Reader) io.Reader { return &allowedReader{a, from} }

type allowedReader struct {
	*allowance
	from io.Reader
}

func (r *allowedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if !r.take(int64(n)) {
		return 0, fmt.Errorf("more than the limit of %d bytes", r.limit)
	}
	return n, err
}
