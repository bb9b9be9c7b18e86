package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAppendRecordIsLengthNewlineBytes(t *testing.T) {
	got := AppendRecord([]byte("before "), []byte(`{"type":"HEARTBEAT"}`))
	if want := "before 20\n{\"type\":\"HEARTBEAT\"}"; string(got) != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

func TestRecordReader(t *testing.T) {
	for _, test := range []struct {
		name, in string
		records  []string
		err      error
	}{
		{"nothing", "", nil, io.EOF},
		{"one", "5\nhello", []string{"hello"}, io.EOF},
		{"several", "1\na2\nbc3\ndef", []string{"a", "bc", "def"}, io.EOF},
		{"empty record", "0\n0\n1\nx", []string{"", "", "x"}, io.EOF},
		{"newlines within", "3\n\n\n\n1\n\n", []string{"\n\n\n", "\n"}, io.EOF},
		{"as large as accepted", "40\n" + strings.Repeat("x", 40), []string{strings.Repeat("x", 40)}, io.EOF},
		{"larger than accepted", "41\n" + strings.Repeat("x", 41), nil, ErrRecordTooLarge},
		{"cut after the digits", "5", nil, io.ErrUnexpectedEOF},
		{"cut before the payload", "5\n", nil, io.ErrUnexpectedEOF},
		{"cut within the payload", "2\nab5\nhell", []string{"ab"}, io.ErrUnexpectedEOF},
		{"no length", "\nhello", nil, ErrMalformedRecord},
		{"no number", "five\nhello", nil, ErrMalformedRecord},
		{"plus", "+5\nhello", nil, ErrMalformedRecord},
		{"minus", "-5\nhello", nil, ErrMalformedRecord},
		{"space", " 5\nhello", nil, ErrMalformedRecord},
		{"carriage return", "5\r\nhello", nil, ErrMalformedRecord},
		{"hexadecimal", "0x5\nhello", nil, ErrMalformedRecord},
		{"leading zero", "05\nhello", nil, ErrMalformedRecord},
		{"two zeros", "00\n", nil, ErrMalformedRecord},
		{"endless zeros", strings.Repeat("0", 1<<20), nil, ErrMalformedRecord},
		{"endless digits", strings.Repeat("9", 1<<20), nil, ErrRecordTooLarge},
		{"beyond 63 bits", "9223372036854775808\n", nil, ErrRecordTooLarge},
		{"wraps to 5 in 64 bits", "18446744073709551621\nhello", nil, ErrRecordTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once":      strings.NewReader(test.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(test.in)),
				"tiny buffer":  bufio.NewReaderSize(strings.NewReader(test.in), 16),
			} {
				got, err := readAll(NewRecordReader(r, 40))
				if diff := cmp.Diff(test.records, got); diff != "" {
					t.Errorf("%s: records (-want +got):\n%s", name, diff)
				}
				if !errors.Is(err, test.err) {
					t.Errorf("%s: ended with %v, expected %v", name, err, test.err)
				}
			}
		})
	}
}

// readAll reads records to the end, and then asks once more.
func readAll(r *RecordReader) (records []string, err error) {
	for {
		record, err := r.Next()
		if err != nil {
			if _, again := r.Next(); again != err {
				return records, errors.Join(err, errors.New("the error was not final"), again)
			}
			return records, err
		}
		records = append(records, string(record))
	}
}

// The length of a record is only a promise. What it makes us allocate has to
// follow what arrives.
func TestAnnouncedLengthAllocatesNothing(t *testing.T) {
	in := "1000000000\n" + strings.Repeat("x", 100)
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			r := NewRecordReader(strings.NewReader(in), 1<<40)
			if _, err := r.Next(); err != io.ErrUnexpectedEOF {
				b.Fatalf("got %v, expected an unexpected EOF", err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 100<<10 {
		t.Errorf("100 bytes of an announced GB took %d bytes of memory", allocated)
	}
}

func TestLargeRecordIsNotPaidForTwice(t *testing.T) {
	stream := AppendRecord(AppendRecord(nil, make([]byte, 10<<20)), []byte("x"))
	r := NewRecordReader(bytes.NewReader(stream), 20<<20)
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.buf) > keepBuffer {
		t.Errorf("the reader keeps %d bytes after a large record, expected at most %d", cap(r.buf), keepBuffer)
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOf(rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(4000, 5000), rapid.IntRange(0, 300<<10)))
		var stream []byte
		var want []string
		for i, n := range sizes.Draw(t, "sizes") {
			payload := bytes.Repeat([]byte{byte('0' + i%10)}, n)
			before := len(stream)
			stream = AppendRecord(stream, payload)
			if got := len(stream) - before; got != recordLen(n) {
				t.Fatalf("a record of %d bytes has %d, recordLen says %d", n, got, recordLen(n))
			}
			want = append(want, string(payload))
		}
		got, err := readAll(NewRecordReader(iotest.HalfReader(bytes.NewReader(stream)), 300<<10))
		if err != io.EOF || !slices.Equal(got, want) {
			t.Fatalf("read back %d of %d records, ended with %v", len(got), len(want), err)
		}
	})
}

func FuzzRecordReader(f *testing.F) {
	for _, seed := range []string{"", "5\nhello", "0\n", "00\n", "-1\n", "99999999999999999999\n", "3\nab", "2\nab2\ncd", "+1\nx", "1 \nx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		records, err := readAll(NewRecordReader(bytes.NewReader(in), 1<<16))
		if err == nil {
			t.Fatal("no end")
		}
		// What was understood is exactly what AppendRecord writes: there is one
		// way to write a record.
		var again []byte
		for _, record := range records {
			again = AppendRecord(again, []byte(record))
		}
		if !bytes.HasPrefix(in, again) {
			t.Errorf("%q was read as %q", in, records)
		}
		if err == io.EOF && len(again) != len(in) {
			t.Errorf("%q was read as %q and a clean end", in, records)
		}
	})
}
