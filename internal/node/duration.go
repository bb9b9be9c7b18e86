package node

import (
	"strconv"
	"time"
)

// durationText writes a duration as Mesos does: the largest unit of which it is a whole number.
func durationText(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{
		{7 * 24 * time.Hour, "weeks"},
		{24 * time.Hour, "days"},
		{time.Hour, "hrs"},
		{time.Minute, "mins"},
		{time.Second, "secs"},
		{time.Millisecond, "ms"},
		{time.Microsecond, "us"},
	} {
		if d != 0 && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}
