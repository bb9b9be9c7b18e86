package conf

import (
	"testing"
	"time"
)

func TestAmountsAndTimes(t *testing.T) {
	for s, want := range map[string]int{"1": 1, "512m": 512, "2g": 2048, "2gb": 2048, "1T": 1 << 20, "2048k": 2, "1048576b": 1, " 3G ": 3072} {
		if got, err := Memory(s); err != nil || got != want {
			t.Errorf("memory %q is %d, %v, expected %d", s, got, err, want)
		}
	}
	for _, s := range []string{"g", "x", "-1g", "1.5g", "b"} {
		if got, err := Memory(s); err == nil {
			t.Errorf("memory %q is %d", s, got)
		}
	}
	for s, want := range map[string]time.Duration{"60": time.Minute, "5s": 5 * time.Second, "100ms": 100 * time.Millisecond, "2min": 2 * time.Minute, "3h": 3 * time.Hour, "1d": 24 * time.Hour} {
		if got, err := parseTime(s); err != nil || got != want {
			t.Errorf("time %q is %v, %v, expected %v", s, got, err, want)
		}
	}
}
