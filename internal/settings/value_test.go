package settings

import (
	"testing"
	"time"
)

func TestRatesArePausesBetweenTwo(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1/10mins": 10 * time.Minute, "100/1secs": 10 * time.Millisecond, "3/1secs": time.Second / 3,
		"": 0, "10": 0, "0/1secs": 0, "-1/1secs": 0, "1/": 0, "1/0secs": 0, "2/1ns": 0, "1/2/3secs": 0,
	} {
		got, err := parseRate(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for pause, want := range map[time.Duration]string{10 * time.Millisecond: "100/1secs", 20 * time.Minute: "1/20mins"} {
		if got := formatRate(pause); got != want {
			t.Errorf("%v is written %q, want %q", pause, got, want)
		}
	}
}

func TestPercentagesHaveTheirSign(t *testing.T) {
	for text, want := range map[string]int{"1%": 1, "100%": 100, "0%": 0, "101%": 0, "50": 0, "-5%": 0, "%": 0, "": 0} {
		got, err := parsePercent(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}
