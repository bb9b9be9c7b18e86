package fetch

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
)

// tar unpacks a tar file. A tar file that just ends, without the blocks of zeros, is complete, as it is
// for tar itself.
func (u *unpacker) tar(plain io.Reader) error {
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = u.tarEntry(header, archive)
		}
		if err != nil {
			return err
		}
	}
}

func (u *unpacker) tarEntry(header *tar.Header, content io.Reader) error {
	mode := header.FileInfo().Mode()
	switch header.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.file(header.Name, mode, header.ModTime, content)
	case tar.TypeDir:
		return u.directory(header.Name, mode)
	case tar.TypeSymlink:
		return u.symlink(header.Name, header.Linkname)
	case tar.TypeLink:
		return u.hardlink(header.Name, header.Linkname)
	case tar.TypeXGlobalHeader:
		if !u.entries.take(1) {
			return fmt.Errorf("more than the limit of %d entries", u.entries.limit)
		}
		return nil
	}
	return fmt.Errorf("%.200q is neither file, directory nor link (type %q)", header.Name, header.Typeflag)
}
