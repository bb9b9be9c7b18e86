package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// content is what can be read of one file behind its header.
type content struct {
	records [][]byte
	lastSeq uint64 // of the last sound frame; the one before the first when there is none
	end     int    // offset behind the last sound frame
	final   bool   // ended by the frame that ends a snapshot

	// damage says what is unreadable at end; empty when nothing but zeros follow.
	damage string
	// proven tells that what is unreadable at end was durable, so that no crash explains it.
	proven bool
}

// scan reads the frames of a file of that kind, the first of which has the seq behind lastSeq, up to
// the first that is not sound. Any input is answered; nothing is allocated by what a length field says.
func scan(data []byte, kind [4]byte, s seals, lastSeq uint64) content {
	c := content{lastSeq: lastSeq, end: fileHeaderSize}
	for c.damage == "" && !c.final && c.end < len(data) {
		rest := data[c.end:]
		if isZero(rest[:min(frameHeaderSize, len(rest))]) {
			if !isZero(rest) {
				c.damage = "zeros where a frame was expected"
			}
			break
		}
		c.damage = c.take(rest, kind, s)
	}
	c.proven = c.damage != "" && provenDurable(data[c.end:], s, c.lastSeq+1)
	return c
}

// take adds the frame that data begins with, or says what is wrong with it.
func (c *content) take(data []byte, kind [4]byte, s seals) (damage string) {
	h, ok := parseFrameHeader(data, s)
	switch {
	case !ok:
		return "no sound frame header"
	case h.magic == finalMagic && kind != snapshotMagic:
		return "a frame that ends a snapshot"
	case h.seq != c.lastSeq+1:
		return fmt.Sprintf("frame %d where frame %d was expected", h.seq, c.lastSeq+1)
	case uint64(h.length) > uint64(len(data)-frameHeaderSize):
		return fmt.Sprintf("frame of %d bytes with only %d left in the file", h.length, len(data)-frameHeaderSize)
	}
	payload := data[frameHeaderSize : frameHeaderSize+int(h.length)]
	if got := s.sum(payload); got != h.sum {
		return fmt.Sprintf("frame %d with check sum %08x, expected %08x", h.seq, got, h.sum)
	}
	if h.magic == finalMagic {
		return c.finish(payload, h, len(data))
	}
	records, err := splitRecords(c.records, payload)
	if err != nil {
		return err.Error()
	}
	c.records = records
	c.advance(h, len(data))
	return ""
}

// finish takes the frame that ends a snapshot: its payload is the number of records.
func (c *content) finish(payload []byte, h frameHeader, left int) (damage string) {
	count, n := binary.Uvarint(payload)
	if n <= 0 || count != uint64(len(c.records)) {
		return fmt.Sprintf("final frame that counts %d records, expected %d", count, len(c.records))
	}
	c.final = true
	c.advance(h, left)
	return ""
}

// advance steps over a sound frame. Padding that a crash cut off is not missed.
func (c *content) advance(h frameHeader, left int) {
	c.lastSeq = h.seq
	c.end += min(frameHeaderSize+padded(int(h.length)), left)
}

// provenDurable looks behind an unreadable frame for one which says that seq was on disk when it was
// written. Frames that merely stand there prove nothing: of what was not synced a crash keeps any part.
func provenDurable(data []byte, s seals, seq uint64) bool {
	for off := 0; off+frameHeaderSize <= len(data); off += frameAlign {
		if h, ok := parseFrameHeader(data[off:], s); ok && h.seq > seq && h.durable >= seq {
			return true
		}
	}
	return false
}

func padded(n int) int { return (n + frameAlign - 1) / frameAlign * frameAlign }

func isZero(b []byte) bool {
	for len(b) > len(zeroPage) {
		if !bytes.Equal(b[:len(zeroPage)], zeroPage[:]) {
			return false
		}
		b = b[len(zeroPage):]
	}
	return bytes.Equal(b, zeroPage[:len(b)])
}

var zeroPage [4096]byte
