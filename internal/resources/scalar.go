package resources

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Scalar is an amount in thousandths: 1500 is 1.5 cpus.
type Scalar int64

// Units of a Scalar.
const (
	Milli Scalar = 1
	One   Scalar = 1000
)

// MaxScalar is the largest amount that is taken from outside. Up to here a
// float64, which is what travels on the wire, tells thousandths apart whatever
// is done to it on the way, and thousands of such amounts can be summed.
const MaxScalar Scalar = 1 << 50

// ScalarOf rounds v to the nearest thousandth, halves away from zero, as Mesos
// does. It refuses what has no place on that scale.
func ScalarOf(v float64) (Scalar, error) {
	milli := math.Round(v * 1000)
	if math.IsNaN(milli) || math.Abs(milli) > float64(MaxScalar) {
		return 0, fmt.Errorf("amount %g is not a number between 0 and %s", v, MaxScalar)
	}
	return Scalar(milli), nil
}

// AmountOf is ScalarOf for the amount of a resource: it refuses what is negative
// and what is something, but less than a thousandth.
func AmountOf(v float64) (Scalar, error) {
	s, err := ScalarOf(v)
	switch {
	case err != nil:
	case v < 0:
		err = fmt.Errorf("amount %g is negative", v)
	case v > 0 && s == 0:
		err = fmt.Errorf("amount %g is less than the smallest, which is 0.001", v)
	}
	return s, err
}

// Float is s as it is written on the wire. Whole units and thousandths are
// converted apart, so that 0.1 cpus is the float64 that reads "0.1".
func (s Scalar) Float() float64 {
	return float64(s/One) + float64(s%One)/1000
}

// Plus is s + t. It stops at the largest Scalar instead of wrapping around, so
// that a hostile sum is too much rather than negative.
func (s Scalar) Plus(t Scalar) Scalar {
	sum := s + t
	if t > 0 && sum < s {
		return math.MaxInt64
	}
	if t < 0 && sum > s {
		return math.MinInt64
	}
	return sum
}

// String prints s with as many decimals as it needs: "8", "0.1", "7.925".
func (s Scalar) String() string {
	return string(s.append(nil))
}

func (s Scalar) append(b []byte) []byte {
	magnitude := uint64(s)
	if s < 0 {
		b = append(b, '-')
		magnitude = -magnitude
	}
	b = strconv.AppendUint(b, magnitude/1000, 10)
	if milli := magnitude % 1000; milli != 0 {
		b = append(b, '.', byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10))
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return b
}

// parseNumber reads a plain decimal number that is not negative. It is stricter
// than strconv.ParseFloat, which also takes hexadecimal, underscores and "inf".
func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v + 0, err == nil && v >= 0 // + 0 makes 0 of -0
}
