package duration_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/duration"
)

func TestParseReadsWhatMesosWrites(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15mins":                15 * time.Minute,
		"5secs":                 5 * time.Second,
		"250ms":                 250 * time.Millisecond,
		"1.5hrs":                90 * time.Minute,
		"2days":                 48 * time.Hour,
		"1weeks":                7 * 24 * time.Hour,
		"7us":                   7 * time.Microsecond,
		"9ns":                   9,
		"0ns":                   0,
		".5secs":                500 * time.Millisecond,
		"-2secs":                -2 * time.Second,
		"9223372036854775807ns": 1<<63 - 1,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRefusesWhatIsNoDuration(t *testing.T) {
	for _, text := range []string{"", "5", "secs", "5 secs", "5s", "5m", "1e3secs", "0x1secs", "NaNsecs", "infsecs",
		"1_0secs", "5secs ", "secs5", "99999999weeks", "1.2.3secs"} {
		if got, err := duration.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v; want an error", text, got)
		}
	}
}

func TestFormatIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64().Draw(t, "ns"))
		text := duration.Format(d)
		if got, err := duration.Parse(text); err != nil || got != d {
			t.Fatalf("Parse(%q) = %d, %v; want %d", text, got, err, d)
		}
	})
}

func TestFormatUsesTheLargestWholeUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute:       "15mins",
		90 * time.Second:       "90secs",
		7 * 24 * time.Hour:     "1weeks",
		0:                      "0ns",
		250 * time.Millisecond: "250ms",
	} {
		if got := duration.Format(d); got != want {
			t.Errorf("Format(%v) = %q, want %q", d, got, want)
		}
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add("15mins")
	f.Fuzz(func(t *testing.T, text string) { _, _ = duration.Parse(text) })
}
