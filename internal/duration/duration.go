// Package duration reads and writes durations as Mesos spells them in flags and MESOS_* variables:
// a number, perhaps with decimals, and a unit in plural ("15mins", "1.5hrs", "250ms").
package duration

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are the units from the largest to the smallest.
var units = []struct {
	name string
	size time.Duration
}{
	{"weeks", 7 * 24 * time.Hour},
	{"days", 24 * time.Hour},
	{"hrs", time.Hour},
	{"mins", time.Minute},
	{"secs", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
	{"ns", time.Nanosecond},
}

// Parse reads a duration.
func Parse(s string) (time.Duration, error) {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	if strings.Trim(number, "+-.0123456789") != "" {
		return 0, malformed(s)
	}
	for _, u := range units {
		if u.name == s[len(number):] {
			return times(s, number, u.size)
		}
	}
	return 0, malformed(s)
}

// times is number times unit. Whole numbers are exact, also beyond what a float can hold.
func times(s, number string, unit time.Duration) (time.Duration, error) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		d := time.Duration(n) * unit
		if d/unit != time.Duration(n) {
			return 0, tooLong(s)
		}
		return d, nil
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, malformed(s)
	}
	ns := math.Round(x * float64(unit))
	if math.Abs(ns) >= math.MaxInt64 {
		return 0, tooLong(s)
	}
	return time.Duration(ns), nil
}

func tooLong(s string) error {
	return fmt.Errorf("duration %q is longer than 292 years", s)
}

func malformed(s string) error {
	return fmt.Errorf("duration %q: expected a number and a unit such as ms, secs, mins, hrs, days or weeks", s)
}

// Format writes a duration in the largest unit that gives a whole number, as Mesos does.
func Format(d time.Duration) string {
	if d == 0 {
		return "0ns"
	}
	for _, u := range units {
		if d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	panic("unreachable: every duration is a whole number of nanoseconds")
}
