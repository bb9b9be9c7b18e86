// Package size reads and writes numbers of bytes as Mesos spells them in flags: a whole number and a unit,
// of which each is 1,024 times the one before ("64MB", "2GB").
package size

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are the units from the largest to the smallest.
var units = []struct {
	name  string
	bytes int64
}{
	{"TB", 1 << 40},
	{"GB", 1 << 30},
	{"MB", 1 << 20},
	{"KB", 1 << 10},
	{"B", 1},
}

// Parse reads a size.
func Parse(s string) (int64, error) {
	number := strings.TrimRight(s, "BKMGT")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return 0, malformed(s)
	}
	for _, u := range units {
		if u.name != s[len(number):] {
			continue
		}
		if int64(n) > math.MaxInt64/u.bytes {
			return 0, malformed(s)
		}
		return int64(n) * u.bytes, nil
	}
	return 0, malformed(s)
}

func malformed(s string) error {
	return fmt.Errorf("size %q: expected a whole number and one of the units B, KB, MB, GB and TB, such as 64MB", s)
}

// Format writes a size in the largest unit that gives a whole number.
func Format(bytes int64) string {
	if bytes == 0 {
		return "0B"
	}
	for _, u := range units {
		if bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + u.name
		}
	}
	panic("unreachable: every size is a whole number of bytes")
}
