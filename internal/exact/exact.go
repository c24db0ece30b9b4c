// Package exact computes exponentials and logarithms that have the same bits
// on every processor.
//
// math.Exp and math.Log may be assembly, and a Go compiler may fuse x*y + z
// into one rounding; both differ from machine to machine. A model file is
// named by its hash, so every float that reaches it goes through this package.
// Each product is converted explicitly, which the language specification
// ("Floating-point operators") defines as a rounding that forbids fusion.
package exact

import "math"

// ln2 is split so that k*ln2Hi is exact for every |k| < 2^11: its low 21 bits
// are zero.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
	log2e = 1.4426950408889634
)

// expTerms are 1/n! for n = 13 down to 0: for |r| <= ln2/2 the first term left
// out is below 2^-57.
var expTerms = [...]float64{
	1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
	1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1,
}

// Exp returns e**x, within 2 units in the last place. Exp(NaN) is NaN, results
// above the largest float are +Inf, those below 2^-1022 are 0.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -708.3964185322641:
		return 0
	}
	k := math.Floor(float64(x*log2e) + 0.5)
	r := x - float64(k*ln2Hi)
	r -= float64(k * ln2Lo)
	p := 0.0
	for _, t := range expTerms {
		p = float64(p*r) + t
	}
	// 2^k has k+1023 as its exponent bits; k is -1022 to 1024. Two factors keep
	// 2^1024 in range.
	half := math.Floor(k / 2)
	return p * power(half) * power(k-half)
}

// power returns 2^k for whole k from -1022 to 1023, exactly.
func power(k float64) float64 { return math.Float64frombits(uint64(int64(k)+1023) << 52) }

// logTerms are 1/n for odd n = 23 down to 1, of atanh's series: for
// |f| <= 0.1716 the first term left out is below 2^-63.
var logTerms = [...]float64{
	1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
	1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3,
}

// Log returns the natural logarithm of x, within 2 units in the last place.
// Log(0) is -Inf, Log of a negative number or NaN is NaN, Log(+Inf) is +Inf.
//
// x = 2^k * m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh((m-1)/(m+1)).
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = float64(m*2), k-1
	}
	f := (m - 1) / (m + 1)
	f2 := float64(f * f)
	p := 0.0
	for _, t := range logTerms {
		p = float64(p*f2) + t
	}
	tail := float64(float64(2*f) * float64(f2*p))
	return float64(float64(k)*ln2Hi) + (float64(2*f) + (tail + float64(float64(k)*ln2Lo)))
}

// Softmax writes softmax(scale * (scores - max(scores))) to probabilities,
// which must be as long as scores. The sum runs in index order.
func Softmax(probabilities, scores []float64, scale float64) {
	top := math.Inf(-1)
	for _, s := range scores {
		top = max(top, s)
	}
	sum := 0.0
	for i, s := range scores {
		probabilities[i] = Exp(float64(scale * (s - top)))
		sum += probabilities[i]
	}
	for i := range probabilities {
		probabilities[i] /= sum
	}
}
