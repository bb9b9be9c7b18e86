package fetch

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// maxZipIndex bounds the directory of a zip file, which is read into memory as a whole, several times
// its size. It has room for some 200,000 entries.
const maxZipIndex = 24 << 20

// zip unpacks a zip file.
func (u *unpacker) zip(packed io.ReaderAt, size int64) error {
	index := &indexReader{from: packed, left: maxZipIndex, limited: true}
	archive, err := zip.NewReader(index, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked here
		return err
	}
	index.limited = false
	for _, entry := range archive.File {
		if err := u.zipEntry(entry); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) zipEntry(entry *zip.File) error {
	mode := entry.Mode()
	if mode.IsDir() || strings.HasSuffix(entry.Name, "/") {
		return u.directory(entry.Name, mode)
	}
	if entry.Flags&1 != 0 {
		return fmt.Errorf("%.200q is encrypted", entry.Name)
	}
	content, err := entry.Open()
	if err != nil {
		return about(entry.Name, err)
	}
	defer content.Close()
	switch mode.Type() {
	case 0:
		if mode.Perm() == 0 { // written by a program that does not know permissions
			mode = 0o644
		}
		return u.file(entry.Name, mode, entry.Modified, content)
	case fs.ModeSymlink:
		target, err := io.ReadAll(io.LimitReader(content, maxName+1))
		if err != nil {
			return about(entry.Name, err)
		}
		return u.symlink(entry.Name, string(target))
	}
	return fmt.Errorf("%.200q is neither file, directory nor link (%v)", entry.Name, mode)
}

// indexReader refuses to read more than left bytes, as long as it is limited.
type indexReader struct {
	from    io.ReaderAt
	left    int64
	limited bool
}

func (r *indexReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.from.ReadAt(p, off)
	if !r.limited {
		return n, err
	}
	if r.left -= int64(n); r.left < 0 {
		return 0, fmt.Errorf("its directory has more than the limit of %d bytes", maxZipIndex)
	}
	return n, err
}
