package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// layoutVersion is the version in file headers. 1: 2025-11, the first.
const layoutVersion = 1

const (
	fileHeaderSize  = 40
	frameHeaderSize = 32
	frameAlign      = 8

	// frameFull is the payload from which a group goes on with another frame.
	frameFull = 1 << 20

	frameMagic = 0x4d41_524d // "MRAM": a frame
	finalMagic = 0x4c4e_464d // "MFNL": the empty frame that ends a snapshot
)

var (
	segmentMagic  = [4]byte{'M', 'S', 'J', 'L'}
	snapshotMagic = [4]byte{'M', 'S', 'J', 'S'}
	castagnoli    = crc32.MakeTable(crc32.Castagnoli)
)

// seals makes the check sums of one journal. They are seeded with its identity, so that no bytes of
// another journal, and none that a task smuggles in as data, pass for a frame of this one.
type seals struct {
	identity uint64
	seed     uint32
}

func newSeals(identity uint64) seals {
	return seals{identity, crc32.Checksum(binary.LittleEndian.AppendUint64(nil, identity), castagnoli)}
}

func (s seals) sum(data []byte) uint32 { return crc32.Update(s.seed, castagnoli, data) }

// fileHeader begins a segment or a snapshot.
type fileHeader struct {
	magic    [4]byte
	number   uint64 // of the segment, or of the first segment behind the snapshot
	firstSeq uint64 // of the first frame in the segment, or in the first segment behind the snapshot
	identity uint64
}

func (h fileHeader) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, fileHeaderSize)
	b = append(b, h.magic[:]...)
	b = le.AppendUint32(b, layoutVersion)
	b = le.AppendUint64(b, h.number)
	b = le.AppendUint64(b, h.firstSeq)
	b = le.AppendUint64(b, h.identity)
	b = le.AppendUint32(b, 0)
	return le.AppendUint32(b, newSeals(h.identity).sum(b))
}

// decodeFileHeader returns the header that data begins with. A wrong one is described by the error,
// ErrVersion for one that is right but later than this program.
func decodeFileHeader(data []byte) (fileHeader, error) {
	if len(data) < fileHeaderSize {
		return fileHeader{}, fmt.Errorf("%d bytes where a file header of %d was expected", len(data), fileHeaderSize)
	}
	le := binary.LittleEndian
	h := fileHeader{
		magic:    [4]byte(data),
		number:   le.Uint64(data[8:]),
		firstSeq: le.Uint64(data[16:]),
		identity: le.Uint64(data[24:]),
	}
	if got, want := le.Uint32(data[36:]), newSeals(h.identity).sum(data[:36]); got != want {
		return fileHeader{}, fmt.Errorf("file header with check sum %08x, expected %08x", got, want)
	}
	if v := le.Uint32(data[4:]); v != layoutVersion {
		return fileHeader{}, fmt.Errorf("%w: version %d, expected %d", ErrVersion, v, layoutVersion)
	}
	return h, nil
}

// frameHeader begins a frame.
type frameHeader struct {
	magic   uint32
	length  uint32 // of the payload, padding not counted
	seq     uint64
	durable uint64 // highest seq on disk when this frame was written
	sum     uint32 // of the payload
}

// put writes the header over the beginning of frame.
func (h frameHeader) put(frame []byte, s seals) {
	le := binary.LittleEndian
	le.PutUint32(frame[0:], h.magic)
	le.PutUint32(frame[4:], h.length)
	le.PutUint64(frame[8:], h.seq)
	le.PutUint64(frame[16:], h.durable)
	le.PutUint32(frame[24:], h.sum)
	le.PutUint32(frame[28:], s.sum(frame[:28]))
}

// parseFrameHeader reads the header that data begins with; ok tells that it is one of this journal.
func parseFrameHeader(data []byte, s seals) (h frameHeader, ok bool) {
	if len(data) < frameHeaderSize {
		return h, false
	}
	le := binary.LittleEndian
	h = frameHeader{
		magic:   le.Uint32(data[0:]),
		length:  le.Uint32(data[4:]),
		seq:     le.Uint64(data[8:]),
		durable: le.Uint64(data[16:]),
		sum:     le.Uint32(data[24:]),
	}
	ok = (h.magic == frameMagic || h.magic == finalMagic) && le.Uint32(data[28:]) == s.sum(data[:28])
	return h, ok
}

// appendRecord appends a record as it stands in a payload.
func appendRecord(b, record []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(record))), record...)
}

// encodedSize is what the records take in a payload, at most.
func encodedSize(records [][]byte) int {
	size := 0
	for _, r := range records {
		size += len(r) + binary.MaxVarintLen32
	}
	return size
}

// splitRecords appends the records of a payload to into; they share its memory.
func splitRecords(into [][]byte, payload []byte) ([][]byte, error) {
	for rest := payload; len(rest) > 0; {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return into, fmt.Errorf("a record that exceeds its frame, at byte %d of the payload", len(payload)-len(rest))
		}
		end := n + int(length)
		into = append(into, rest[n:end:end])
		rest = rest[end:]
	}
	return into, nil
}

// frames is a run of whole frames under construction; seal completes their headers.
type frames struct {
	buf   []byte
	spans []span // of each frame in buf, header included and padding not
}

type span struct{ start, end int }

// add appends one batch. A batch is never divided between frames, since a frame is what is whole or
// void after a crash.
func (f *frames) add(records [][]byte) {
	if f.full() {
		f.begin()
	}
	for _, r := range records {
		f.buf = appendRecord(f.buf, r)
	}
	f.spans[len(f.spans)-1].end = len(f.buf)
}

// full tells that the next batch has to begin a frame.
func (f *frames) full() bool {
	if len(f.spans) == 0 {
		return true
	}
	last := f.spans[len(f.spans)-1]
	return last.end-last.start >= frameFull
}

func (f *frames) begin() {
	f.pad()
	start := len(f.buf)
	f.buf = append(f.buf, zeros[:frameHeaderSize]...)
	f.spans = append(f.spans, span{start, len(f.buf)})
}

func (f *frames) pad() {
	if over := len(f.buf) % frameAlign; over > 0 {
		f.buf = append(f.buf, zeros[:frameAlign-over]...)
	}
}

// seal completes the headers and returns the seq of the last frame. The frames follow lastSeq, of
// which everything up to durable is on disk.
func (f *frames) seal(s seals, magic uint32, lastSeq, durable uint64) uint64 {
	f.pad()
	for _, sp := range f.spans {
		lastSeq++
		payload := f.buf[sp.start+frameHeaderSize : sp.end]
		frameHeader{
			magic:   magic,
			length:  uint32(len(payload)),
			seq:     lastSeq,
			durable: durable,
			sum:     s.sum(payload),
		}.put(f.buf[sp.start:], s)
	}
	return lastSeq
}

func (f *frames) reset() { f.buf, f.spans = f.buf[:0], f.spans[:0] }

var zeros [frameHeaderSize]byte
