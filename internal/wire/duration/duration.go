// Package duration reads and writes durations the way Mesos does in flags and environment variables:
// a number and a unit, such as "15mins", "5secs", "250ms" or "1.5hrs".
package duration

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// units from the largest to the smallest.
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

// Parse reads a duration in Mesos' syntax or in Go's ("1h30m").
func Parse(s string) (time.Duration, error) {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	for _, u := range units {
		if s[len(number):] != u.name {
			continue
		}
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			break
		}
		d := f * float64(u.size)
		if d != d || d >= 1<<63 || d < -(1<<63) {
			return 0, fmt.Errorf("duration %q: too large", s)
		}
		return time.Duration(d), nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	return 0, fmt.Errorf("duration %q: expected a number and a unit, such as 15secs, 10mins or 250ms", s)
}

// Format writes a duration in the largest unit that gives a number of at least one, as Mesos does.
func Format(d time.Duration) string {
	if d == 0 {
		return "0ns"
	}
	for _, u := range units {
		if d >= u.size || -d >= u.size {
			return strconv.FormatFloat(float64(d)/float64(u.size), 'g', -1, 64) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}
