package resources

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestScalarRoundsToTheNearestThousandth(t *testing.T) {
	for _, tt := range []struct {
		in   float64
		want Scalar
		text string
	}{
		{0, 0, "0"},
		{8, 8000, "8"},
		{0.1, 100, "0.1"},
		{7.9, 7900, "7.9"},
		{7.925, 7925, "7.925"},
		{1.0004, 1000, "1"},
		{1.0005, 1001, "1.001"},
		{0.30000000000000004, 300, "0.3"},
		{-2.5, -2500, "-2.5"},
		{10000, 10000000, "10000"},
	} {
		got, err := ScalarOf(tt.in)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("ScalarOf(%v) = %d, %v, printed %s; want %d, printed %s", tt.in, got, err, got, tt.want, tt.text)
		}
	}
}

func TestScalarRefusesWhatIsNotOnItsScale(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 1e13} {
		if s, err := ScalarOf(v); err == nil {
			t.Errorf("ScalarOf(%v) = %s, want an error", v, s)
		}
	}
	for _, v := range []float64{-1, 0.0004, -0.0001} {
		if s, err := AmountOf(v); err == nil {
			t.Errorf("AmountOf(%v) = %s, want an error", v, s)
		}
	}
}

func TestScalarSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Scalar(rapid.Int64Range(-int64(MaxScalar), int64(MaxScalar)).Draw(t, "s"))
		back, err := ScalarOf(s.Float())
		if err != nil || back != s {
			t.Fatalf("%d became %v, which became %d (%v)", s, s.Float(), back, err)
		}
	})
}

func TestScalarSumsStopAtTheLargest(t *testing.T) {
	if got := Scalar(math.MaxInt64).Plus(1); got != math.MaxInt64 {
		t.Errorf("largest + 1 = %d", got)
	}
	if got := Scalar(math.MinInt64).Plus(-1); got != math.MinInt64 {
		t.Errorf("smallest - 1 = %d", got)
	}
	if got := Scalar(math.MinInt64).String(); got != "-9223372036854775.808" {
		t.Errorf("smallest prints as %s", got)
	}
}
