package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// memoryUnits are Spark's, in bytes; a number without one is MiB.
var memoryUnits = map[byte]int64{'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30, 't': 1 << 40, 'b': 1}

// Memory reads an amount of memory, in MiB.
func Memory(s string) (int, error) {
	number, unit := strings.ToLower(strings.TrimSpace(s)), int64(1<<20)
	if trimmed := strings.TrimSuffix(number, "b"); trimmed != "" && memoryUnits[trimmed[len(trimmed)-1]] != 0 && trimmed != number {
		number = trimmed
	}
	if u, ok := memoryUnits[lastByte(number)]; ok {
		number, unit = number[:len(number)-1], u
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("memory %q: expected a number and a unit, as 512m or 2g", s)
	}
	return int(n * unit >> 20), nil
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// timeUnits are the suffixes of Spark's times, longest first.
var timeUnits = []struct {
	suffix string
	unit   time.Duration
}{
	{"min", time.Minute}, {"ms", time.Millisecond}, {"us", time.Microsecond},
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"", time.Second},
}

func parseTime(s string) (time.Duration, error) {
	for _, u := range timeUnits {
		if number, ok := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), u.suffix); ok {
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil {
				return 0, fmt.Errorf("time %q: %w", s, err)
			}
			return time.Duration(n) * u.unit, nil
		}
	}
	return 0, fmt.Errorf("time %q", s)
}
