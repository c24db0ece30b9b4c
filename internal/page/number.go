package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/parley-nlp/parley/internal/judge"
)

// unknown stands for a figure that there is none of.
const unknown = "–"

// minus is the sign of negative numbers, as wide as a digit.
const minus = "\u2212"

// finite reports whether every value is a number that can be drawn.
func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// decimal renders v with a fixed number of digits after the point.
func decimal(v float64, digits int) string {
	if !finite(v) {
		return unknown
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	if v < 0 && strings.Trim(s, "0.") != "" {
		return minus + s
	}
	return s
}

// signed renders a difference, whose sign is what matters.
func signed(v float64, digits int) string {
	s := decimal(v, digits)
	if s == unknown || strings.HasPrefix(s, minus) || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}

// measured reports whether i was computed: the zero interval stands for none.
func measured(i judge.Interval) bool {
	return finite(i.Low, i.High) && i != judge.Interval{}
}

// interval renders both ends of i. "to" is for sentences and where an end may
// be negative, "–" for columns of shares.
func interval(i judge.Interval, digits int, between string) string {
	if !measured(i) {
		return unknown
	}
	return decimal(i.Low, digits) + between + decimal(i.High, digits)
}

// signedInterval renders an interval of a difference, which may be zero.
func signedInterval(i judge.Interval, digits int) string {
	if !finite(i.Low, i.High) {
		return unknown
	}
	return signed(i.Low, digits) + " to " + signed(i.High, digits)
}

// whole renders n with its thousands apart.
func whole(n int) string {
	s := strconv.Itoa(n)
	digits := strings.TrimPrefix(s, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n < 0 {
		return minus + digits
	}
	return digits
}

// count renders n things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return whole(n) + " " + thing + "s"
}

// percent renders the share of n in total.
func percent(n, total int) string {
	if total <= 0 {
		return unknown
	}
	return fmt.Sprintf("%.0f%%", 100*float64(n)/float64(total))
}

// byteSize renders a size as people say it.
func byteSize(n int) string {
	switch {
	case n >= 1<<20:
		return decimal(float64(n)/(1<<20), 1) + " MiB"
	case n >= 1<<10:
		return decimal(float64(n)/(1<<10), 1) + " KiB"
	}
	return count(n, "byte")
}
