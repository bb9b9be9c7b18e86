package serial

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// stream joins hexadecimal pieces behind a header.
func stream(t testing.TB, pieces ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString("aced0005" + strings.ReplaceAll(strings.Join(pieces, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// objects is the descriptor of Object[], without its tag for an object.
const objects = "72 0002 5b4c 0000000000000000 02 0000 78 70"

// classA is the descriptor of a serializable class A without fields and superclass.
const classA = "72 0001 41 0000000000000000 02 0000 78 70"

func TestHostileStreamsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		stream []byte
		want   string
	}{
		"empty":                    {nil, "ends"},
		"wrong magic":              {[]byte("HTTP/1.1 400 Bad Request"), "expected aced 0005"},
		"unknown tag":              {stream(t, "6f"), "tag 0x6f"},
		"string longer than all":   {stream(t, "74 ffff 41"), "ends"},
		"endless long string":      {stream(t, "7c 7fffffffffffffff 41"), "limit"},
		"negative long string":     {stream(t, "7c ffffffffffffffff 41"), "limit"},
		"not modified UTF-8":       {stream(t, "74 0001 ff"), "modified UTF-8"},
		"block longer than all":    {stream(t, "7a 7fffffff 41"), "ends"},
		"negative block":           {stream(t, "7a ffffffff 41"), "ends"},
		"reference to nothing":     {stream(t, "71 007e0000"), "handle"},
		"reference below the base": {stream(t, "71 00000000"), "handle"},
		"huge array":               {stream(t, "75", objects, "7fffffff"), "limit"},
		"negative array":           {stream(t, "75", objects, "ffffffff"), "limit"},
		"array longer than all":    {stream(t, "75", objects, "00010000 70"), "more bytes"},
		"array of a class":         {stream(t, "75", classA, "00000000"), "not an array's"},
		"object without a class":   {stream(t, "73 70"), "without a class descriptor"},
		"own superclass":           {stream(t, "73 72 0001 41 0000000000000000 02 0000 78 71 007e0000"), "inside itself"},
		"unknown field type":       {stream(t, "73 72 0001 41 0000000000000000 02 0001 58 0001 61 78 70"), "type code"},
		"signature not a string":   {stream(t, "73 72 0001 41 0000000000000000 02 0001 4c 0001 61 70 78 70"), "expected a string"},
		"not serializable":         {stream(t, "73 72 0001 41 0000000000000000 00 0000 78 70"), "not serializable"},
		"both ways":                {stream(t, "73 72 0001 41 0000000000000000 06 0000 78 70"), "both"},
		"protocol version 1":       {stream(t, "73 72 0001 41 0000000000000000 04 0000 78 70"), "protocol version 1"},
		"enum of a class":          {stream(t, "7e", classA, "74 0001 42"), "no enum"},
		"proxy of many":            {stream(t, "73 7d 7fffffff"), "interfaces"},
		"stray end of block":       {stream(t, "78"), "end of block data"},
		"reset inside an object":   {stream(t, "73 72 0001 41 0000000000000000 03 0000 78 70 79"), "reset"},
	} {
		_, err := Decode(c.stream, Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected something about %q", name, err, c.want)
		}
	}
}

func TestDepthIsLimited(t *testing.T) {
	one := stream(t, "75", objects, "00000001")
	nested := append(one, bytes.Repeat(stream(t, "75 71 007e0000 00000001")[4:], 100_000)...)
	if _, err := Decode(nested, Limits{}); !errors.Is(err, ErrLimit) {
		t.Errorf("100,000 nested arrays: %v", err)
	}
	// A descriptor of a descriptor of a descriptor, by way of superclasses.
	supers := stream(t, "73", strings.Repeat("72 0001 41 0000000000000000 02 0000 78", 100_000))
	if _, err := Decode(supers, Limits{}); !errors.Is(err, ErrLimit) {
		t.Errorf("100,000 superclasses: %v", err)
	}
}

// A long lineage costs its length for each object that a few bytes refer to.
func TestCheapReferencesToExpensiveClassesAreCounted(t *testing.T) {
	levels := 400
	b := stream(t, "73", strings.Repeat("72 0001 41 0000000000000000 02 0000 78", levels), "70")
	more := bytes.Repeat(stream(t, "73 71 007e0000")[4:], 100_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(append(b, more...), Limits{})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrLimit) {
		t.Errorf("100,000 objects of 400 classes each: %v", err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 200<<20 {
		t.Errorf("decoding %d bytes allocated %d MiB", len(b)+len(more), spent>>20)
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range zooValues(f) {
		if b, err := Encode(v); err == nil && len(b) < 2000 {
			f.Add(b)
		}
	}
	limits := Limits{Depth: 64, Values: 1 << 16}
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := Decode(b, limits)
		if err != nil {
			return
		}
		once, err := Encode(values...)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		again, err := Decode(once, Limits{Values: 1 << 18})
		if err != nil {
			t.Fatalf("what was encoded cannot be decoded: %v", err)
		}
		twice, err := Encode(again...)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("encoding is not stable: %v\n%x\n%x", err, once, twice)
		}
	})
}

func FuzzModifiedUTF8(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "é€😀", "\xed\xa0\xbd", "\xff", "\xed\xa0\xbd\xed\xb8\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendModified(nil, s)
		back, err := decodeModified(b)
		if err != nil {
			t.Fatalf("%q is written as %x, which is not modified UTF-8: %v", s, b, err)
		}
		if again := appendModified(nil, back); !bytes.Equal(b, again) {
			t.Errorf("%q is written as %x, then as %x", s, b, again)
		}
	})
}
