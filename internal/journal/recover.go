package journal

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Recovered is what a journal held when it was opened.
type Recovered struct {
	// Snapshot holds the records of the last snapshot, Tail those of the log behind it.
	Snapshot, Tail [][]byte

	// Cut says what was taken off the end, nil when nothing was.
	Cut *Cut

	// Full says why nothing can be written, nil when it can.
	Full error

	// Damage says what Options.Salvage went over, nil when there was none.
	Damage *CorruptError
}

// All returns the records in order: the snapshot, then the log.
func (r Recovered) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, part := range [][][]byte{r.Snapshot, r.Tail} {
			for _, record := range part {
				if !yield(record) {
					return
				}
			}
		}
	}
}

// Len is the number of records.
func (r Recovered) Len() int { return len(r.Snapshot) + len(r.Tail) }

// Cut describes a torn tail: what a crash left of a commit that it interrupted. None of it was ever
// reported as persisted.
type Cut struct {
	File   string
	Offset int64  // the file was cut here
	Bytes  int64  // up to the last byte that was not zero
	Reason string // what was found at the offset
}

// String says it in a sentence.
func (c *Cut) String() string {
	return fmt.Sprintf("cut %d bytes of an interrupted commit at byte %d of %s: %s", c.Bytes, c.Offset, c.File, c.Reason)
}

// found is what readAll made of a directory.
type found struct {
	recovered Recovered
	identity  uint64
	active    uint64 // number of the segment to go on with
	header    fileHeader
	sound     []byte // what is sound of that segment, header included; nil when nothing is
	lastSeq   uint64
	logBytes  int64 // in all segments
	snapBytes int64
	reserved  bool     // there is a reserve
	obsolete  []string // files that a snapshot has replaced, or that were never finished
	damaged   []byte   // whole content of the segment to go on with, when it is damaged
	aside     []string // segments behind that one, later first
}

// listing is the directory by kind.
type listing struct {
	segments  []uint64 // ascending
	snapshots []uint64 // ascending
	tmp       []string
	reserve   bool
}

func list(disk Disk) (l listing, err error) {
	names, err := disk.List()
	if err != nil {
		return l, err
	}
	for _, name := range names {
		base, kind, _ := strings.Cut(name, ".")
		number, err := strconv.ParseUint(base, 10, 64)
		switch {
		case strings.HasSuffix(name, tmpSuffix):
			l.tmp = append(l.tmp, name)
		case name == reserveName:
			l.reserve = true
		case err != nil:
		case name == segmentName(number) && kind == "log":
			l.segments = append(l.segments, number)
		case name == snapshotName(number):
			l.snapshots = append(l.snapshots, number)
		}
	}
	slices.Sort(l.segments)
	slices.Sort(l.snapshots)
	return l, nil
}

const tmpSuffix = ".tmp"

func segmentName(number uint64) string  { return fmt.Sprintf("%016d.log", number) }
func snapshotName(number uint64) string { return fmt.Sprintf("%016d.snap", number) }

// readAll reads the directory and decides what is believed. It changes nothing on disk.
func readAll(disk Disk, salvage bool) (*found, error) {
	l, err := list(disk)
	if err != nil {
		return nil, err
	}
	f := &found{obsolete: l.tmp, reserved: l.reserve}
	if len(l.segments) == 0 && len(l.snapshots) == 0 {
		f.begin()
		return f, nil
	}
	expected := fileHeader{magic: segmentMagic, number: 1, firstSeq: 1}
	if n := len(l.snapshots); n > 0 {
		if expected, err = f.readSnapshot(disk, l.snapshots[n-1]); err != nil {
			return nil, err
		}
		for _, old := range l.snapshots[:n-1] {
			f.obsolete = append(f.obsolete, snapshotName(old))
		}
	}
	for _, number := range l.segments {
		if number < expected.number {
			f.obsolete = append(f.obsolete, segmentName(number))
		}
	}
	from, _ := slices.BinarySearch(l.segments, expected.number)
	return f, f.readSegments(disk, l.segments[from:], expected, salvage)
}

// begin is for a directory without a journal.
func (f *found) begin() {
	f.identity, f.active = newIdentity(), 1
	f.header = fileHeader{magic: segmentMagic, number: 1, firstSeq: 1, identity: f.identity}
}

func newIdentity() uint64 {
	var id [8]byte
	rand.Read(id[:]) // never fails
	return binary.LittleEndian.Uint64(id[:])
}

// readSnapshot reads the snapshot before the segment of that number and returns the header which
// that segment has to have. A snapshot is whole or the journal is damaged: it got its name after its
// content was durable, and half of it is half a state.
func (f *found) readSnapshot(disk Disk, number uint64) (fileHeader, error) {
	name := snapshotName(number)
	data, err := disk.Read(name)
	if err != nil {
		return fileHeader{}, err
	}
	h, err := decodeFileHeader(data)
	switch {
	case errors.Is(err, ErrVersion):
		return h, fmt.Errorf("%s: %w", name, err)
	case err != nil:
		return h, &CorruptError{File: name, Reason: err.Error()}
	case h.magic != snapshotMagic || h.number != number:
		return h, &CorruptError{File: name, Reason: fmt.Sprintf("the header of %q %d", h.magic, h.number)}
	}
	c := scan(data, snapshotMagic, newSeals(h.identity), 0)
	if !c.final {
		return h, &CorruptError{File: name, Offset: int64(c.end), Reason: cmp.Or(c.damage, "no final frame"), Sound: len(c.records)}
	}
	f.identity, f.snapBytes = h.identity, int64(len(data))
	f.recovered.Snapshot = c.records
	h.magic = segmentMagic
	return h, nil
}

// readSegments reads the segments from the expected one on, up to damage or the end.
func (f *found) readSegments(disk Disk, numbers []uint64, expected fileHeader, salvage bool) error {
	f.lastSeq = expected.firstSeq - 1
	if len(numbers) == 0 {
		numbers = []uint64{0} // none is the expected one
	}
	for i, number := range numbers {
		err := f.readSegment(disk, number, expected, i == len(numbers)-1)
		damage, damaged := errors.AsType[*CorruptError](err)
		if damaged && salvage {
			f.goOver(damage, numbers[i:])
			return nil
		}
		if err != nil {
			return err
		}
		expected.number, expected.firstSeq = number+1, f.lastSeq+1
	}
	return nil
}

// readSegment reads one segment and takes what is sound of it.
func (f *found) readSegment(disk Disk, number uint64, expected fileHeader, last bool) error {
	name := segmentName(expected.number)
	expected.identity = f.identity
	f.active, f.header, f.sound, f.damaged = expected.number, expected, nil, nil
	if number != expected.number {
		return f.corrupt(name, 0, "no such file")
	}
	data, err := disk.Read(name)
	if err != nil {
		return err
	}
	h, err := decodeFileHeader(data)
	if errors.Is(err, ErrVersion) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err == nil && f.identity == 0 { // nothing was read before
		f.identity, expected.identity = h.identity, h.identity
	}
	f.damaged = data
	switch {
	case err != nil:
		return f.corrupt(name, 0, err.Error())
	case h != expected:
		return f.corrupt(name, 0, fmt.Sprintf("header %s, expected %s", h, expected))
	}
	c := scan(data, segmentMagic, newSeals(f.identity), f.lastSeq)
	f.recovered.Tail = append(f.recovered.Tail, c.records...)
	f.header, f.sound, f.lastSeq = h, data[:c.end], c.lastSeq
	f.logBytes += int64(c.end)
	switch {
	case c.damage == "":
	case c.proven || !last:
		return f.corrupt(name, c.end, c.damage)
	default:
		f.recovered.Cut = &Cut{File: name, Offset: int64(c.end), Bytes: lastByte(data[c.end:]), Reason: c.damage}
	}
	f.damaged = nil
	return nil
}

// goOver notes damage in the first of these segments: the journal goes on with what is sound of it.
func (f *found) goOver(damage *CorruptError, numbers []uint64) {
	f.recovered.Damage = damage
	if f.identity == 0 {
		f.identity = newIdentity()
	}
	f.header.identity = f.identity
	for _, number := range slices.Backward(numbers) {
		if number > f.active {
			f.aside = append(f.aside, segmentName(number))
		}
	}
}

func (f *found) corrupt(file string, offset int, reason string) *CorruptError {
	return &CorruptError{File: file, Offset: int64(offset), Reason: reason, Sound: f.recovered.Len()}
}

// lastByte returns the offset behind the last byte that is not zero.
func lastByte(data []byte) int64 {
	for i, b := range slices.Backward(data) {
		if b != 0 {
			return int64(i + 1)
		}
	}
	return 0
}

// String shows the header in messages.
func (h fileHeader) String() string {
	return fmt.Sprintf("%q %d first frame %d of journal %016x", h.magic, h.number, h.firstSeq, h.identity)
}
