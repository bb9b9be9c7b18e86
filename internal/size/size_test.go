package size_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/size"
)

func TestParseReadsWhatMesosWrites(t *testing.T) {
	for text, want := range map[string]int64{
		"0B": 0, "1B": 1, "4KB": 4096, "64MB": 64 << 20, "2GB": 2 << 30, "3TB": 3 << 40,
		"9223372036854775807B": 1<<63 - 1,
	} {
		if got, err := size.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseRefusesWhatIsNoSize(t *testing.T) {
	for _, text := range []string{"", "5", "B", "1.5GB", "-1B", "+1B", "5 MB", "5M", "5mb", "5BB", "5PB", "99999999TB", "9223372036854775808B"} {
		if got, err := size.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %d; want an error", text, got)
		}
	}
}

func TestFormatIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Min(0).Draw(t, "bytes")
		text := size.Format(n)
		if got, err := size.Parse(text); err != nil || got != n {
			t.Fatalf("Parse(%q) = %d, %v; want %d", text, got, err, n)
		}
	})
}

func TestFormatUsesTheLargestWholeUnit(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1000: "1000B", 2 << 30: "2GB", 1536 << 20: "1536MB"} {
		if got := size.Format(n); got != want {
			t.Errorf("Format(%d) = %q, want %q", n, got, want)
		}
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add("64MB")
	f.Fuzz(func(t *testing.T, text string) { _, _ = size.Parse(text) })
}
