package duration_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/wire/duration"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15secs": 15 * time.Second, "10mins": 10 * time.Minute, "1.5hrs": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"2days": 48 * time.Hour, "1weeks": 168 * time.Hour, "3us": 3 * time.Microsecond, "7ns": 7, "1h30m": 90 * time.Minute,
		"0ns": 0,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "15", "secs", "15 secs", "15parsecs", "1e400secs", "NaNsecs", "99999999weeks"} {
		if got, err := duration.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "15mins", 2 * time.Second: "2secs", 5 * time.Second: "5secs", 250 * time.Millisecond: "250ms",
		90 * time.Minute: "1.5hrs", 0: "0ns", 7 * 24 * time.Hour: "1weeks",
	} {
		if got := duration.Format(d); got != want {
			t.Errorf("Format(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestFormatIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "d"))
		back, err := duration.Parse(duration.Format(d))
		if diff := back - d; err != nil || diff > time.Microsecond || diff < -time.Microsecond {
			t.Fatalf("%v became %v (%v)", d, back, err)
		}
	})
}
