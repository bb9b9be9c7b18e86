package journal

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Behind a sound check sum the fuzzer reaches what a check sum otherwise hides.
func FuzzPayload(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, []byte("a")), nil), uint64(1), uint64(0), false)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint64(1), uint64(9), true)
	f.Add([]byte{0}, uint64(1), uint64(0), true)
	f.Add([]byte{0}, uint64(1), uint64(1), true)
	f.Fuzz(func(t *testing.T, payload []byte, seq, durable uint64, final bool) {
		s := newSeals(42)
		h := frameHeader{magic: frameMagic, length: uint32(len(payload)), seq: seq, durable: durable, sum: s.sum(payload)}
		if final {
			h.magic = finalMagic
		}
		kind := segmentMagic
		if durable%2 == 1 {
			kind = snapshotMagic
		}
		data := make([]byte, fileHeaderSize+frameHeaderSize, fileHeaderSize+frameHeaderSize+len(payload))
		h.put(data[fileHeaderSize:], s)
		data = append(data, payload...)
		c := scan(data, kind, s, 0)
		if c.damage != "" && (len(c.records) > 0 || c.end != fileHeaderSize) {
			t.Errorf("damaged (%s), but %d records up to byte %d", c.damage, len(c.records), c.end)
		}
		if c.final != (final && kind == snapshotMagic && c.damage == "") {
			t.Errorf("final is %v in a file of kind %q: %s", c.final, kind, c.damage)
		}
		if c.damage == "" && c.end != len(data) {
			t.Errorf("read %d of %d bytes without a word", c.end, len(data))
		}
	})
}

func TestFramesReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batches := rapid.SliceOf(rapid.SliceOf(rapid.SliceOf(rapid.Byte()))).Draw(t, "batches")
		s := newSeals(rapid.Uint64().Draw(t, "identity"))
		var f frames
		for _, b := range batches {
			f.add(b)
		}
		last := f.seal(s, frameMagic, 7, 5)
		c := scan(append(make([]byte, fileHeaderSize), f.buf...), segmentMagic, s, 7)
		if want := slices.Concat(batches...); c.damage != "" || c.lastSeq != last || !slices.EqualFunc(c.records, want, bytes.Equal) {
			t.Errorf("wrote %q up to frame %d, read %q up to %d %s", want, last, c.records, c.lastSeq, c.damage)
		}
	})
}

func TestFrameThatSaysWhatWasDurableProvesDamage(t *testing.T) {
	s := newSeals(1)
	frame := func(seq, durable uint64) []byte {
		var f frames
		f.add([][]byte{[]byte("a record")})
		f.seal(s, frameMagic, seq-1, durable)
		return f.buf
	}
	for _, tt := range []struct {
		name   string
		frames [][]byte
		proven bool
	}{
		{"frames of one commit, of which the first is lost", [][]byte{frame(1, 0), make([]byte, 48), frame(3, 1)}, false},
		{"a later commit behind what is lost", [][]byte{frame(1, 0), make([]byte, 48), frame(3, 2)}, true},
		{"an old frame behind what is lost", [][]byte{frame(1, 0), make([]byte, 48), frame(1, 0)}, false},
		{"nothing behind what is lost", [][]byte{frame(1, 0), {1}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := scan(append(make([]byte, fileHeaderSize), slices.Concat(tt.frames...)...), segmentMagic, s, 0)
			if len(c.records) != 1 || c.damage == "" || c.proven != tt.proven {
				t.Errorf("%d records, damage %q, proven %v", len(c.records), c.damage, c.proven)
			}
		})
	}
}
