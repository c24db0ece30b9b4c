package page

import (
	"math"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

func TestDecimal(t *testing.T) {
	tests := []struct {
		v      float64
		digits int
		want   string
		signed string
	}{
		{.5, 2, "0.50", "+0.50"},
		{-.25, 2, "−0.25", "−0.25"},
		{-.0001, 2, "0.00", "0.00"},
		{.0001, 2, "0.00", "0.00"},
		{math.Copysign(0, -1), 3, "0.000", "0.000"},
		{12, 0, "12", "+12"},
		{math.NaN(), 2, "–", "–"},
		{math.Inf(1), 2, "–", "–"},
		{math.Inf(-1), 2, "–", "–"},
	}
	for _, test := range tests {
		if got := decimal(test.v, test.digits); got != test.want {
			t.Errorf("decimal(%v, %d) = %q, want %q", test.v, test.digits, got, test.want)
		}
		if got := signed(test.v, test.digits); got != test.signed {
			t.Errorf("signed(%v, %d) = %q, want %q", test.v, test.digits, got, test.signed)
		}
	}
}

func TestInterval(t *testing.T) {
	tests := []struct {
		i      judge.Interval
		want   string
		signed string
	}{
		{judge.Interval{Low: .1, High: .25}, "0.10–0.25", "+0.10 to +0.25"},
		{judge.Interval{Low: -.1, High: .25}, "−0.10–0.25", "−0.10 to +0.25"},
		{judge.Interval{}, "–", "0.00 to 0.00"},
		{judge.Interval{Low: math.NaN(), High: 1}, "–", "–"},
		{judge.Interval{Low: 0, High: math.Inf(1)}, "–", "–"},
	}
	for _, test := range tests {
		if got := interval(test.i, 2, "–"); got != test.want {
			t.Errorf("interval(%v) = %q, want %q", test.i, got, test.want)
		}
		if got := signedInterval(test.i, 2); got != test.signed {
			t.Errorf("signedInterval(%v) = %q, want %q", test.i, got, test.signed)
		}
	}
}

func TestWhole(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "−1,000", -999: "−999"} {
		if got := whole(n); got != want {
			t.Errorf("whole(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	tests := []struct{ got, want string }{
		{count(1, "row"), "1 row"},
		{count(0, "row"), "0 rows"},
		{count(2000, "row"), "2,000 rows"},
		{percent(1, 3), "33%"},
		{percent(0, 0), "–"},
		{byteSize(1), "1 byte"},
		{byteSize(1536), "1.5 KiB"},
		{byteSize(3 << 20), "3.0 MiB"},
		{pValue(.0004), "< 0.001"},
		{pValue(.0431), "0.043"},
		{pValue(math.NaN()), "–"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
