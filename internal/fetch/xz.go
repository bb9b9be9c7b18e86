package fetch

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// xzReader reads .xz files: the container is decoded here, the LZMA2 inside by a library. The library
// has a decoder for the container too, but that one allocates whatever dictionary a file declares, up to
// 4 GiB per block, before it has seen a byte of data; a file of 60 bytes could end the agent.
//
// A file is a sequence of streams, a stream is a header, blocks, an index of the blocks, and a footer.
// All integers are little endian; everything begins at a multiple of 4 bytes.
type xzReader struct {
	from  *countingReader
	check func() hash.Hash // of the current stream; nil if it has none
	flags [2]byte          // of the current stream

	block      *lzma.Reader2 // nil between blocks
	blockStart int64         // of its header
	dataStart  int64
	blockSum   hash.Hash
	blockPlain int64

	blocks int64     // seen in this stream
	sizes  hash.Hash // of the sizes of those blocks, to compare the index with

	plain        int64 // bytes given out so far
	dictionaries int64 // bytes allocated so far
	started      bool
	err          error
}

// What xz -9 makes is the largest dictionary that is read. A dictionary is allocated per block, so
// files of many tiny blocks are refused too: all dictionaries together may have so many times the
// bytes that came out, after a few that are free.
const (
	maxDictionary        = 64 << 20
	freeDictionaries     = 16 * maxDictionary
	dictionaryPlainRatio = 64
)

var (
	xzMagic       = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	xzFooterMagic = []byte{'Y', 'Z'}
	errXZ         = errors.New("xz: damaged data")
)

func newXZReader(from *bufio.Reader) *xzReader { return &xzReader{from: &countingReader{from: from}} }

func (r *xzReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.block == nil {
			r.err = r.next()
			continue
		}
		n, err := r.block.Read(p)
		r.blockSum.Write(p[:n])
		r.blockPlain += int64(n)
		r.plain += int64(n)
		if errors.Is(err, io.EOF) {
			err = r.endBlock()
		}
		r.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// next reads on to the next block. io.EOF is the end of the file.
func (r *xzReader) next() error {
	if !r.started {
		if err := r.beginStream(); err != nil {
			return unexpected(err)
		}
	}
	r.blockStart = r.from.count
	size, err := r.from.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if size != 0 {
		return unexpected(r.beginBlock(size))
	}
	if err := r.endStream(); err != nil {
		return unexpected(err)
	}
	if err := r.skipPadding(); err != nil {
		return err
	}
	return unexpected(r.beginStream())
}

func (r *xzReader) beginStream() error {
	header, err := r.read(12)
	if err != nil {
		return err
	}
	if !bytes.Equal(header[:6], xzMagic) || !crcFits(header[6:]) {
		return fmt.Errorf("%w: no xz header", errXZ)
	}
	r.flags = [2]byte(header[6:8])
	switch {
	case r.flags == [2]byte{0, 0}:
		r.check = func() hash.Hash { return noHash{} }
	case r.flags == [2]byte{0, 1}:
		r.check = func() hash.Hash { return littleEndian{crc32.NewIEEE()} }
	case r.flags == [2]byte{0, 4}:
		r.check = func() hash.Hash { return littleEndian{crc64.New(crc64.MakeTable(crc64.ECMA))} }
	case r.flags == [2]byte{0, 10}:
		r.check = sha256.New
	default:
		return fmt.Errorf("xz: stream flags %x are not supported", r.flags)
	}
	r.started, r.blocks, r.sizes = true, 0, sha256.New()
	return nil
}

// beginBlock reads a block's header, whose first byte is its size in words.
func (r *xzReader) beginBlock(size byte) error {
	rest, err := r.read(int(size)*4 + 3)
	if err != nil {
		return err
	}
	header := append([]byte{size}, rest...)
	if !crcFits(header) {
		return fmt.Errorf("%w: block header", errXZ)
	}
	capacity, err := dictionaryOf(header[1 : len(header)-4])
	if err != nil {
		return err
	}
	r.dictionaries += capacity
	if r.dictionaries > freeDictionaries+dictionaryPlainRatio*r.plain {
		return errors.New("xz: blocks are too small for their dictionaries")
	}
	r.dataStart, r.blockPlain, r.blockSum = r.from.count, 0, r.check()
	r.block, err = lzma.Reader2Config{DictCap: int(capacity)}.NewReader2(r.from)
	return err
}

// dictionaryOf reads flags, sizes and filters of a block header.
func dictionaryOf(header []byte) (int64, error) {
	fields := bytes.NewReader(header)
	flags, _ := fields.ReadByte()
	if flags&0x3c != 0 {
		return 0, fmt.Errorf("xz: block flags %#x are not supported", flags)
	}
	for _, present := range []byte{0x40, 0x80} { // sizes that the index repeats
		if flags&present != 0 {
			if _, err := binary.ReadUvarint(fields); err != nil {
				return 0, fmt.Errorf("%w: block header", errXZ)
			}
		}
	}
	filter, _ := binary.ReadUvarint(fields)
	if flags&3 != 0 || filter != 0x21 {
		return 0, errors.New("xz: filters other than LZMA2 are not supported")
	}
	if size, err := binary.ReadUvarint(fields); err != nil || size != 1 {
		return 0, fmt.Errorf("%w: LZMA2 properties", errXZ)
	}
	code, err := fields.ReadByte()
	if err != nil || code > 40 {
		return 0, fmt.Errorf("%w: dictionary size", errXZ)
	}
	capacity, err := lzma.DecodeDictCap(code)
	if err != nil {
		return 0, err
	}
	if capacity > maxDictionary {
		return 0, fmt.Errorf("xz: a dictionary of %d bytes, the limit is %d", capacity, maxDictionary)
	}
	return max(capacity, lzma.MinDictCap), nil
}

func (r *xzReader) endBlock() error {
	r.block = nil
	packed := r.from.count - r.dataStart
	if err := r.readZeros(-packed & 3); err != nil {
		return unexpected(err)
	}
	sum, err := r.read(r.blockSum.Size())
	if err != nil {
		return unexpected(err)
	}
	if !bytes.Equal(sum, r.blockSum.Sum(nil)) {
		return fmt.Errorf("%w: checksum of a block", errXZ)
	}
	unpadded := r.dataStart - r.blockStart + packed + int64(len(sum))
	r.blocks++
	addSizes(r.sizes, uint64(unpadded), uint64(r.blockPlain))
	return nil
}

// endStream reads the index, whose first byte was the zero, and the footer.
func (r *xzReader) endStream() error {
	start := r.blockStart
	crc := crc32.NewIEEE()
	crc.Write([]byte{0})
	r.from.copyTo = crc
	records, err := binary.ReadUvarint(r.from)
	if err != nil || records != uint64(r.blocks) {
		return errors.Join(err, fmt.Errorf("%w: index", errXZ))
	}
	sizes := sha256.New()
	for range records {
		unpadded, err1 := binary.ReadUvarint(r.from)
		plain, err2 := binary.ReadUvarint(r.from)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		addSizes(sizes, unpadded, plain)
	}
	if err := r.readZeros(-(r.from.count - start) & 3); err != nil {
		return err
	}
	r.from.copyTo = nil
	indexSize := r.from.count - start + 4
	sum, err := r.read(4)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sum) != crc.Sum32() || !bytes.Equal(sizes.Sum(nil), r.sizes.Sum(nil)) {
		return fmt.Errorf("%w: index", errXZ)
	}
	footer, err := r.read(12)
	if err != nil {
		return err
	}
	backward := (int64(binary.LittleEndian.Uint32(footer[4:])) + 1) * 4
	if binary.LittleEndian.Uint32(footer) != crc32.ChecksumIEEE(footer[4:10]) || backward != indexSize ||
		[2]byte(footer[8:10]) != r.flags || !bytes.Equal(footer[10:], xzFooterMagic) {
		return fmt.Errorf("%w: footer", errXZ)
	}
	return nil
}

// skipPadding passes over the zeros that may stand between streams. io.EOF says that no stream follows.
func (r *xzReader) skipPadding() error {
	for {
		first, err := r.from.from.Peek(1)
		if err != nil {
			return err
		}
		if first[0] != 0 {
			return nil
		}
		if err := r.readZeros(4); err != nil {
			return unexpected(err)
		}
	}
}

func (r *xzReader) read(n int) ([]byte, error) {
	p := make([]byte, n)
	_, err := io.ReadFull(r.from, p)
	return p, err
}

func (r *xzReader) readZeros(n int64) error {
	padding, err := r.read(int(n))
	if err == nil && len(bytes.Trim(padding, "\x00")) > 0 {
		err = fmt.Errorf("%w: padding", errXZ)
	}
	return err
}

// crcFits checks data that ends in its CRC32; in a header, the magic is left out.
func crcFits(data []byte) bool {
	n := len(data) - 4
	return crc32.ChecksumIEEE(data[:n]) == binary.LittleEndian.Uint32(data[n:])
}

func addSizes(h hash.Hash, unpadded, plain uint64) {
	h.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, unpadded), plain))
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// littleEndian turns a sum around: Go's CRCs are big endian, those of xz are not.
type littleEndian struct{ hash.Hash }

func (h littleEndian) Sum(b []byte) []byte {
	sum := h.Hash.Sum(nil)
	for i := range sum {
		b = append(b, sum[len(sum)-1-i])
	}
	return b
}

// noHash is the check of a stream without checks.
type noHash struct{}

func (noHash) Write(p []byte) (int, error) { return len(p), nil }
func (noHash) Sum(b []byte) []byte         { return b }
func (noHash) Reset()                      {}
func (noHash) Size() int                   { return 0 }
func (noHash) BlockSize() int              { return 1 }

// countingReader counts what is read, and copies it to copyTo if that is set.
type countingReader struct {
	from   *bufio.Reader
	count  int64
	copyTo hash.Hash32
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.seen(p[:n])
	return n, err
}

func (r *countingReader) ReadByte() (byte, error) {
	b, err := r.from.ReadByte()
	if err == nil {
		r.seen([]byte{b})
	}
	return b, err
}

func (r *countingReader) seen(p []byte) {
	r.count += int64(len(p))
	if r.copyTo != nil {
		r.copyTo.Write(p)
	}
}
